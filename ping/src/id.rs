//! Permanent identities: of a log (its incarnation), of a record, of a chunk.

use std::fmt;
use std::str::FromStr;

/// 128 random bits made with a data directory, or, for an imported file, the digest of its content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation([u8; 16]);

/// The permanent identity of a ping as stored. It survives rebuilds, compaction, erasure and replay.
/// The order is by incarnation, then sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// The log the record came from.
    pub incarnation: Incarnation,
    /// Its number in that log; for an imported file, the line number (the first is 1).
    pub sequence: u64,
}

/// The identity of a chunk: `<incarnation, 32 hex digits>-<boot>-<plan>`, the numbers in decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkId {
    /// The log whose plan made the chunk.
    pub incarnation: Incarnation,
    /// The start of that log's process, counted from 1.
    pub boot: u64,
    /// The plan's number, unique within the incarnation.
    pub plan: u64,
}

/// The text is no identity of the expected form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {expected}")]
pub struct ParseIdError {
    text: String,
    expected: &'static str,
}

impl Incarnation {
    /// The incarnation with these bits.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The incarnation with these bits, if there are 16 bytes of them.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Incarnation {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 32 && text.bytes().all(lower_hex))
            .then(|| u128::from_str_radix(text, 16).ok())
            .flatten()
            .map(|bits| Self(bits.to_be_bytes()))
            .ok_or_else(|| ParseIdError {
                text: text.to_owned(),
                expected: "incarnation of 32 lower-case hex digits",
            })
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.incarnation, self.sequence)
    }
}

impl FromStr for RecordId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let error = || ParseIdError {
            text: text.to_owned(),
            expected: "record id of the form <incarnation>-<sequence>",
        };
        let (incarnation, sequence) = text.split_once('-').ok_or_else(error)?;
        Ok(Self {
            incarnation: incarnation.parse().map_err(|_| error())?,
            sequence: parse_decimal(sequence).ok_or_else(error)?,
        })
    }
}

impl fmt::Display for ChunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.incarnation, self.boot, self.plan)
    }
}

impl FromStr for ChunkId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let error = || ParseIdError {
            text: text.to_owned(),
            expected: "chunk id of the form <incarnation>-<boot>-<plan>",
        };
        let mut parts = text.split('-');
        let mut next = || parts.next().ok_or_else(error);
        let (incarnation, boot, plan) = (next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err(error());
        }
        Ok(Self {
            incarnation: incarnation.parse().map_err(|_| error())?,
            boot: parse_decimal(boot).ok_or_else(error)?,
            plan: parse_decimal(plan).ok_or_else(error)?,
        })
    }
}

/// A number as `Display` writes it: digits only, no leading zero. So each identity has one spelling.
fn parse_decimal(text: &str) -> Option<u64> {
    let has_one_spelling =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    has_one_spelling.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_identity_is_read_back_as_it_was_written(bits: [u8; 16], boot: u64, plan: u64) {
            let incarnation = Incarnation::from_bytes(bits);
            let chunk = ChunkId { incarnation, boot, plan };
            let record = RecordId { incarnation, sequence: plan };
            prop_assert_eq!(chunk.to_string().parse(), Ok(chunk));
            prop_assert_eq!(record.to_string().parse(), Ok(record));
        }
    }

    #[test]
    fn an_identity_has_one_spelling() {
        let id = "0123456789abcdef0123456789abcdef-1-2";
        assert!(id.parse::<ChunkId>().is_ok());
        for other in [
            "0123456789ABCDEF0123456789abcdef-1-2",
            "0123456789abcdef0123456789abcdef-01-2",
            "0123456789abcdef0123456789abcdef-1-+2",
            "0123456789abcdef0123456789abcdef-1-",
            "0123456789abcdef0123456789abcdef-1-100000000000000000000",
            "0123456789abcdef0123456789abcdef-1-2-3",
            "-1-2",
        ] {
            assert!(other.parse::<ChunkId>().is_err(), "{other}");
        }
    }
}
