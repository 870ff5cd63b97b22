//! The key of a chunk in the store, both ways.
//!
//! `<prefix>/v1/submission_date=20170131/source_name=telemetry/…/app_build_id=20170130030205/<chunk-id>.zst`; chunks of
//! errored pings have `errors/` before `v1`. Values are percent-encoded. A chunk has one spelling of its key: whatever
//! else reads alike is refused.

use std::fmt;

use ping::limits::DIMENSION_VALUE_ENCODED_BYTES_MAX;
use ping::{ChunkId, Dimension, Partition, SubmissionDate};

use crate::ChunkKind;

/// The prefix that is used when none is given.
pub const DEFAULT_PREFIX: &str = "pings";

/// A prefix of at most so many bytes leaves a key below the 1,024 bytes that S3 allows.
pub const PREFIX_BYTES_MAX: usize = 100;

const FORMAT: &str = "v1";
const ERRORS: &str = "errors";
const EXTENSION: &str = ".zst";

/// Where a chunk lies: its kind, partition and identity, below a prefix that [`ChunkKey::check_prefix`] admits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkKey {
    /// What all keys of the installation begin with, without a slash at its end. May hold slashes.
    pub prefix: String,
    /// What the chunk holds.
    pub kind: ChunkKind,
    /// Its dimension values.
    pub partition: Partition,
    /// Its identity.
    pub id: ChunkId,
}

/// Why a text is no key of a chunk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It has another shape.
    #[error("`{key}` is no chunk key: {why}")]
    Malformed {
        /// The text.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// It is a key of a later format.
    #[error("`{key}` is of chunk format {found}, this program reads {FORMAT}: use a newer highwater")]
    Version {
        /// The text.
        key: String,
        /// The format it names.
        found: String,
    },
    /// The prefix could not be told from what follows it, or makes no path.
    #[error("prefix `{prefix}`: {why}")]
    Prefix {
        /// The prefix.
        prefix: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl fmt::Display for ChunkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.prefix)?;
        if self.kind == ChunkKind::Errors {
            write!(f, "{ERRORS}/")?;
        }
        write!(f, "{FORMAT}/")?;
        for (dimension, value) in self.partition.iter() {
            write!(f, "{dimension}={}/", PercentEncoded(value))?;
        }
        write!(f, "{}{EXTENSION}", self.id)
    }
}

impl ChunkKey {
    /// Reads a key.
    ///
    /// # Errors
    /// When it is not, byte for byte, what [`fmt::Display`] writes for some chunk.
    pub fn parse(key: &str) -> Result<Self, KeyError> {
        let malformed = |why: String| KeyError::Malformed {
            key: key.to_owned(),
            why,
        };
        let (path, name) = key
            .rsplit_once('/')
            .ok_or_else(|| malformed("it has no `/`".to_owned()))?;
        let id = name
            .strip_suffix(EXTENSION)
            .ok_or_else(|| malformed(format!("it does not end in {EXTENSION}")))?
            .parse()
            .map_err(|error: ping::ParseIdError| malformed(error.to_string()))?;
        let (front, partition) = split_partition(path).map_err(malformed)?;
        let (front, format) = front
            .rsplit_once('/')
            .ok_or_else(|| malformed("it has no prefix".to_owned()))?;
        if format != FORMAT {
            return Err(version_or_malformed(key, format));
        }
        let (prefix, kind) = match front.rsplit_once('/') {
            Some((prefix, ERRORS)) => (prefix, ChunkKind::Errors),
            _ => (front, ChunkKind::Pings),
        };
        Self::check_prefix(prefix)?;
        Ok(Self {
            prefix: prefix.to_owned(),
            kind,
            partition,
            id,
        })
    }

    /// Whether keys may begin with this prefix: segments of `A-Za-z0-9-._~` that begin with no dot, the last one not
    /// `errors`, which stands for the kind.
    ///
    /// # Errors
    /// [`KeyError::Prefix`], with what is wrong.
    pub fn check_prefix(prefix: &str) -> Result<(), KeyError> {
        let refuse = |why| {
            Err(KeyError::Prefix {
                prefix: prefix.to_owned(),
                why,
            })
        };
        if prefix.len() > PREFIX_BYTES_MAX {
            return refuse("it is longer than 100 bytes: choose a shorter one");
        }
        for segment in prefix.split('/') {
            if segment.is_empty() {
                return refuse(
                    "it is empty, or has a slash at an end or two in a row: write it like `pings`",
                );
            }
            if segment.starts_with('.') || !segment.bytes().all(is_unreserved) {
                return refuse(
                    "its parts may only have A-Z a-z 0-9 - . _ ~ and begin with no dot: write it like `pings`",
                );
            }
        }
        if prefix == ERRORS || prefix.ends_with("/errors") {
            return refuse("its last part may not be `errors`, which marks chunks of errored pings");
        }
        Ok(())
    }

    /// What the keys of all chunks of one kind below a prefix begin with.
    pub fn listing_prefix(prefix: &str, kind: ChunkKind) -> String {
        match kind {
            ChunkKind::Pings => format!("{prefix}/{FORMAT}/"),
            ChunkKind::Errors => format!("{prefix}/{ERRORS}/{FORMAT}/"),
        }
    }
}

/// Splits the dimension values off the end of a path; the date must be one, and no value may be empty or too long.
fn split_partition(path: &str) -> Result<(&str, Partition), String> {
    let mut values: [String; 8] = Default::default();
    let mut front = path;
    for dimension in Dimension::ALL.into_iter().rev() {
        let missing = || format!("it has no `{dimension}=` in its place");
        let (rest, segment) = front.rsplit_once('/').ok_or_else(missing)?;
        let encoded = segment
            .strip_prefix(dimension.name())
            .and_then(|rest| rest.strip_prefix('='))
            .ok_or_else(missing)?;
        if encoded.is_empty() || encoded.len() > DIMENSION_VALUE_ENCODED_BYTES_MAX {
            return Err(format!("its {dimension} is empty or too long"));
        }
        values[dimension.position()] = percent_decode(encoded)
            .ok_or_else(|| format!("its {dimension} is no percent-encoded UTF-8 in its one spelling"))?;
        front = rest;
    }
    values[0]
        .parse::<SubmissionDate>()
        .map_err(|error| error.to_string())?;
    Ok((front, Partition::new(values)))
}

fn version_or_malformed(key: &str, format: &str) -> KeyError {
    let digits = format.strip_prefix('v').unwrap_or("");
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return KeyError::Version {
            key: key.to_owned(),
            found: format.to_owned(),
        };
    }
    KeyError::Malformed {
        key: key.to_owned(),
        why: format!("it has no `{FORMAT}` before its dimensions"),
    }
}

/// What a key has of one dimension, with a slash at both ends: nowhere else in it stands the like.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn part(dimension: Dimension, value: &str) -> String {
    format!("/{dimension}={}/", PercentEncoded(value))
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Writes bytes outside `A-Za-z0-9-._~` as `%XX`, upper case.
struct PercentEncoded<'a>(&'a str);

impl fmt::Display for PercentEncoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if is_unreserved(byte) {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// What [`PercentEncoded`] wrote; `None` for any other text, were it read alike.
fn percent_decode(encoded: &str) -> Option<String> {
    if encoded.bytes().all(is_unreserved) {
        return Some(encoded.to_owned());
    }
    let mut bytes = encoded.bytes();
    let mut decoded = Vec::with_capacity(encoded.len());
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            let mut digit = || match bytes.next()? {
                digit @ b'0'..=b'9' => Some(digit - b'0'),
                digit @ b'A'..=b'F' => Some(digit - b'A' + 10),
                _ => None,
            };
            let byte = digit()? * 16 + digit()?;
            (!is_unreserved(byte)).then_some(byte)?
        } else {
            is_unreserved(byte).then_some(byte)?
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use ping::Incarnation;
    use proptest::prelude::*;

    use super::*;

    fn key() -> ChunkKey {
        let values = [
            "20170131",
            "telemetry",
            "4",
            "saved-session",
            "Firefox",
            "nightly",
            "54.0a1",
            "2017 / é",
        ];
        ChunkKey {
            prefix: "a/pings".to_owned(),
            kind: ChunkKind::Pings,
            partition: Partition::new(values.map(str::to_owned)),
            id: ChunkId {
                incarnation: Incarnation::from_bytes([0xab; 16]),
                boot: 3,
                plan: 41,
            },
        }
    }

    #[test]
    fn a_key_is_written_as_the_format_says() {
        assert_eq!(
            key().to_string(),
            "a/pings/v1/submission_date=20170131/source_name=telemetry/source_version=4/doc_type=saved-session/\
             app_name=Firefox/app_update_channel=nightly/app_version=54.0a1/app_build_id=2017%20%2F%20%C3%A9/\
             abababababababababababababababab-3-41.zst"
        );
        let errors = ChunkKey {
            kind: ChunkKind::Errors,
            ..key()
        };
        assert!(
            errors
                .to_string()
                .starts_with("a/pings/errors/v1/submission_date=20170131/")
        );
        assert_eq!(ChunkKey::parse(&errors.to_string()), Ok(errors));
    }

    #[test]
    fn a_key_has_one_spelling() {
        let right = key().to_string();
        let others = [
            right.replace("%2F", "%2f"),
            right.replace("Firefox", "%46irefox"),
            right.replace("%20", " "),
            right.replace("%C3%A9", "%C3"),
            right.replace("=20170131", "=20170231"),
            right.replace("=Firefox", "="),
            right.replace("=Firefox", &format!("={}", "x".repeat(97))),
            right.replace("-3-41", "-03-41"),
            right.replace(".zst", ""),
            right.replace("/v1/", "/v1//"),
            right.replace("a/pings", ""),
            right.replace("a/pings/", ""),
            right.replace("a/pings", ".hidden"),
            right.replace("a/pings", "errors"),
            right.replace("app_name", "app_nam"),
            right.replace("/v1/", "/w1/"),
        ];
        for other in others {
            assert!(ChunkKey::parse(&other).is_err(), "{other}");
        }
        let later = ChunkKey::parse(&right.replace("/v1/", "/v2/")).expect_err("a later format");
        assert!(later.to_string().contains("newer highwater"), "{later}");
    }

    proptest! {
        #[test]
        fn a_key_is_read_back_as_it_was_written(
            value in "\\PC{1,10}", bits: [u8; 16], boot: u64, plan: u64, errors: bool,
            prefix in "[a-z0-9]{1,9}(/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,9}){0,3}",
        ) {
            prop_assume!(ChunkKey::check_prefix(&prefix).is_ok());
            prop_assume!(PercentEncoded(&value).to_string().len() <= DIMENSION_VALUE_ENCODED_BYTES_MAX);
            let mut written = key();
            written.prefix = prefix;
            written.kind = if errors { ChunkKind::Errors } else { ChunkKind::Pings };
            written.partition.set(Dimension::AppVersion, value);
            written.id = ChunkId { incarnation: Incarnation::from_bytes(bits), boot, plan };
            let text = written.to_string();
            prop_assert!(text.len() <= 1_024);
            prop_assert_eq!(ChunkKey::parse(&text), Ok(written));
        }

        #[test]
        fn whatever_is_read_as_a_key_is_written_as_it_was(
            value in "\\PC{1,5}|[%+.~/=]{1,5}", at: prop::sample::Index, cut in 0..3_usize, put in "[%/=A-Fa-f0-9 .~é\0-]{0,3}",
        ) {
            let mut written = key();
            written.partition.set(Dimension::AppBuildId, value);
            let mut text: Vec<char> = written.to_string().chars().collect();
            let from = at.index(text.len());
            let to = text.len().min(from + cut);
            text.splice(from..to, put.chars());
            let text: String = text.into_iter().collect();
            if let Ok(read) = ChunkKey::parse(&text) {
                prop_assert_eq!(read.to_string(), text);
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,100}") {
            let _ = ChunkKey::parse(&text);
            let _ = ChunkKey::parse(&key().to_string().replace("54.0a1", &text));
        }
    }
}
