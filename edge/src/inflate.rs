//! Inflating a body as sent, under a cap, or telling why it cannot be.
//!
//! libdeflate does the work, into one buffer that is used again. It stops at the end of the first gzip member and does
//! not say where that was: so a body whose last bytes do not close what came out, or also stand earlier in it, goes
//! through a streaming decoder, under the same cap.

use std::io::{self, Read};

use flate2::bufread::MultiGzDecoder;
use libdeflater::{DecompressionError, Decompressor};

/// Why a body cannot be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The gzip stream ends too early.
    GzipCut,
    /// The gzip stream is damaged, or followed by something else.
    GzipDamaged,
    /// Inflated, the body is larger than the cap.
    InflatedTooLarge,
    /// The header says gzip, the body does not begin like it.
    NotGzip,
    /// The header names another encoding, or several.
    EncodingUnsupported,
    /// The record fits no chunk.
    RecordTooLarge,
}

/// What the headers say of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Nothing.
    None,
    /// `gzip` or `x-gzip`.
    Gzip,
    /// Something else.
    Other,
}

/// Inflates bodies, one after the other.
pub(crate) struct Inflater {
    decompressor: Decompressor,
    buffer: Vec<u8>,
}

/// What a gzip stream begins with.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The buffer is not kept larger than this.
const KEEP_BYTES: usize = 4 << 20;

/// No less is inflated at once.
const BUFFER_BYTES_MIN: usize = 64 << 10;

/// Deflate makes at most 1,032 bytes out of one (258 bytes out of two bits).
const EXPANSION_MAX: usize = 1_032;

impl Reason {
    /// As it stands in error chunks and metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::GzipCut => "gzip_cut",
            Self::GzipDamaged => "gzip_damaged",
            Self::InflatedTooLarge => "inflated_too_large",
            Self::NotGzip => "not_gzip",
            Self::EncodingUnsupported => "encoding_unsupported",
            Self::RecordTooLarge => "record_too_large",
        }
    }
}

impl Encoding {
    /// What the values of `content-encoding` headers say. `identity` says nothing.
    pub(crate) fn of<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let mut found = Self::None;
        for coding in values.flat_map(|value| value.split(',')).map(str::trim) {
            if coding.is_empty() || coding.eq_ignore_ascii_case("identity") {
                continue;
            }
            let gzip = coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip");
            found = if gzip && found == Self::None {
                Self::Gzip
            } else {
                Self::Other
            };
        }
        found
    }
}

impl Inflater {
    /// An inflater with an empty buffer.
    pub(crate) fn new() -> Self {
        Self {
            decompressor: Decompressor::new(),
            buffer: Vec::new(),
        }
    }

    /// The body as it was before it was encoded; at most `cap` bytes of it. Without a header, gzip is recognised by how
    /// it begins, as the original did.
    pub(crate) fn inflate<'a>(
        &'a mut self,
        encoding: Encoding,
        body: &'a [u8],
        cap: usize,
    ) -> Result<&'a [u8], Reason> {
        let gzip = match encoding {
            Encoding::Other => return Err(Reason::EncodingUnsupported),
            Encoding::Gzip if !body.starts_with(&MAGIC) => return Err(Reason::NotGzip),
            Encoding::Gzip => true,
            Encoding::None => body.starts_with(&MAGIC),
        };
        if !gzip {
            return if body.len() > cap {
                Err(Reason::InflatedTooLarge)
            } else {
                Ok(body)
            };
        }
        if self.buffer.len() > KEEP_BYTES {
            self.buffer = Vec::new();
        }
        let length = match self.first_member(body, cap)? {
            Some(length) if is_all(body, &self.buffer[..length]) => length,
            _ => self.stream(body, cap)?,
        };
        Ok(&self.buffer[..length])
    }

    /// Inflates the first member; `None` when that fails otherwise than by its size.
    fn first_member(&mut self, body: &[u8], cap: usize) -> Result<Option<usize>, Reason> {
        let said = body
            .last_chunk::<4>()
            .map_or(0, |size| u32::from_le_bytes(*size) as usize);
        let most = cap.min(body.len().saturating_mul(EXPANSION_MAX));
        self.make_room(said.clamp(BUFFER_BYTES_MIN.min(most), most));
        loop {
            let room = self.buffer.len().min(cap);
            match self.decompressor.gzip_decompress(body, &mut self.buffer[..room]) {
                Ok(length) => return Ok(Some(length)),
                Err(DecompressionError::InsufficientSpace) if room >= cap => {
                    return Err(Reason::InflatedTooLarge);
                }
                Err(DecompressionError::InsufficientSpace) => self.make_room((room * 2).clamp(1, cap)),
                Err(DecompressionError::BadData) => return Ok(None),
            }
        }
    }

    /// Inflates all members.
    fn stream(&mut self, body: &[u8], cap: usize) -> Result<usize, Reason> {
        let (mut decoder, mut length) = (MultiGzDecoder::new(body), 0);
        loop {
            if length > cap {
                return Err(Reason::InflatedTooLarge);
            }
            if length == self.buffer.len() {
                self.make_room((length * 2).max(BUFFER_BYTES_MIN).min(cap.saturating_add(1)));
            }
            match decoder.read(&mut self.buffer[length..]) {
                Ok(0) => return Ok(length),
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(Reason::GzipCut),
                Err(_) => return Err(Reason::GzipDamaged),
            }
        }
    }

    fn make_room(&mut self, bytes: usize) {
        if self.buffer.len() < bytes {
            self.buffer.reserve_exact(bytes - self.buffer.len());
            self.buffer.resize(bytes, 0);
        }
    }
}

/// Whether `inflated`, which is what the first member holds, is all there is. Each member ends with the checksum and the
/// length of what it holds, and those of the first were found right: so the body's last bytes are those of `inflated`, and
/// no place before could have ended the first member. Mostly its length alone stands nowhere else.
fn is_all(body: &[u8], inflated: &[u8]) -> bool {
    let Some((before, trailer)) = body.split_last_chunk::<8>() else {
        return false;
    };
    let (checksum, size) = trailer.split_at(4);
    let length = (inflated.len() as u32).to_le_bytes();
    size == length
        && (!holds(&body[..before.len() + 7], length)
            || checksum == libdeflater::crc32(inflated).to_le_bytes()
                && !holds(&body[..before.len() + 7], *trailer))
}

/// Whether a few bytes stand somewhere in `bytes`. Looks at eight places at a time for the first of them.
fn holds<const N: usize>(bytes: &[u8], wanted: [u8; N]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let pattern = ONES * u64::from(wanted[0]);
    let begins = |at: usize| bytes[at..].starts_with(&wanted);
    let (words, _) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let zero_where_found = u64::from_le_bytes(*word) ^ pattern;
        let found = zero_where_found.wrapping_sub(ONES) & !zero_where_found & (ONES << 7);
        if found != 0 && (index * 8..index * 8 + 8).any(begins) {
            return true;
        }
    }
    (words.len() * 8..bytes.len()).any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::io::Write;

    const CAP: usize = 32 << 20;

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).expect("a vector has room");
        encoder.finish().expect("a vector has room")
    }

    fn inflate(encoding: Encoding, body: &[u8], cap: usize) -> Result<Vec<u8>, Reason> {
        Inflater::new().inflate(encoding, body, cap).map(<[u8]>::to_vec)
    }

    proptest! {
        #[test]
        fn what_was_deflated_comes_back_in_one_member_or_many(members: Vec<Vec<u8>>, twice: bool) {
            let mut members = members;
            if twice {
                members.extend(members.clone());
            }
            prop_assume!(!members.is_empty());
            let body: Vec<u8> = members.iter().flat_map(|member| gzip(member)).collect();
            prop_assert_eq!(inflate(Encoding::Gzip, &body, CAP), Ok(members.concat()));
        }

        #[test]
        fn any_bytes_are_taken_apart_or_refused_without_a_panic(mut body: Vec<u8>, begin: bool, cap in 0..4_096_usize) {
            if begin {
                body.splice(0..0, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0]);
            }
            for encoding in [Encoding::None, Encoding::Gzip, Encoding::Other] {
                if let Ok(inflated) = inflate(encoding, &body, cap) {
                    prop_assert!(inflated.len() <= cap);
                }
            }
        }

        #[test]
        fn bytes_are_found_where_they_stand(bytes in proptest::collection::vec(1..=2_u8, 0..40), wanted: [bool; 8]) {
            let wanted = wanted.map(|two| 1 + u8::from(two));
            let slow = bytes.windows(8).any(|eight| eight == wanted);
            prop_assert_eq!(holds(&bytes, wanted), slow);
            let four = [wanted[0], wanted[1], wanted[2], wanted[3]];
            let slow = bytes.windows(4).any(|window| window == four);
            prop_assert_eq!(holds(&bytes, four), slow);
        }
    }

    #[test]
    fn two_equal_members_are_both_inflated() {
        let member = gzip(b"the same");
        assert_eq!(
            inflate(Encoding::Gzip, &[member.clone(), member].concat(), CAP),
            Ok(b"the samethe same".to_vec())
        );
    }

    #[test]
    fn members_of_one_length_and_different_content_are_all_inflated() {
        let (one, other) = (gzip(b"of one length"), gzip(b"of ONE length"));
        assert_eq!(
            inflate(Encoding::Gzip, &[one, other].concat(), CAP),
            Ok(b"of one lengthof ONE length".to_vec())
        );
    }

    #[test]
    fn a_body_in_which_its_length_stands_elsewhere_is_inflated() {
        // Eight bytes: their length stands in the header, too, and a stored block is the length of what it holds.
        for length in [0, 8, 300] {
            let text = vec![b'x'; length];
            let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
            encoder.write_all(&text).expect("a vector has room");
            let body = encoder.finish().expect("a vector has room");
            assert_eq!(inflate(Encoding::Gzip, &body, CAP), Ok(text));
        }
    }

    #[test]
    fn a_cut_stream_is_told_from_a_damaged_one() {
        let body = gzip(&b"some text that is long enough to be worth it ".repeat(50));
        for cut in 2..body.len() {
            assert_eq!(
                inflate(Encoding::Gzip, &body[..cut], CAP),
                Err(Reason::GzipCut),
                "cut at {cut}"
            );
        }
        let mut damaged = body.clone();
        let at = damaged.len() - 6;
        damaged[at] ^= 1;
        assert_eq!(inflate(Encoding::Gzip, &damaged, CAP), Err(Reason::GzipDamaged));
        assert_eq!(
            inflate(
                Encoding::Gzip,
                &[body, b"a tail of other bytes".to_vec()].concat(),
                CAP
            ),
            Err(Reason::GzipDamaged)
        );
    }

    #[test]
    fn the_cap_holds_for_one_member_and_for_many() {
        let zeros = vec![0; 100_000];
        let member = gzip(&zeros);
        assert_eq!(
            inflate(Encoding::Gzip, &member, 100_000).map(|body| body.len()),
            Ok(100_000)
        );
        assert_eq!(
            inflate(Encoding::Gzip, &member, 99_999),
            Err(Reason::InflatedTooLarge)
        );
        let two = [member.clone(), member].concat();
        assert_eq!(
            inflate(Encoding::Gzip, &two, 200_000).map(|body| body.len()),
            Ok(200_000)
        );
        assert_eq!(
            inflate(Encoding::Gzip, &two, 199_999),
            Err(Reason::InflatedTooLarge)
        );
    }

    #[test]
    fn a_cap_below_the_least_that_is_inflated_at_once_holds_too() {
        let member = gzip(b"0123456789");
        let two = [member.clone(), member].concat();
        assert_eq!(inflate(Encoding::Gzip, &two, 20).map(|body| body.len()), Ok(20));
        for cap in [0, 1, 10, 19] {
            assert_eq!(
                inflate(Encoding::Gzip, &two, cap),
                Err(Reason::InflatedTooLarge),
                "cap {cap}"
            );
        }
        assert_eq!(
            inflate(Encoding::Gzip, &two, usize::MAX).map(|body| body.len()),
            Ok(20)
        );
    }

    #[test]
    fn the_header_and_the_body_are_held_against_each_other() {
        let body = gzip(b"{}");
        assert_eq!(inflate(Encoding::None, &body, CAP), Ok(b"{}".to_vec()));
        assert_eq!(inflate(Encoding::None, b"{}", CAP), Ok(b"{}".to_vec()));
        assert_eq!(inflate(Encoding::Gzip, b"{}", CAP), Err(Reason::NotGzip));
        assert_eq!(inflate(Encoding::Gzip, b"", CAP), Err(Reason::NotGzip));
        assert_eq!(
            inflate(Encoding::Other, &body, CAP),
            Err(Reason::EncodingUnsupported)
        );
    }

    #[test]
    fn headers_name_an_encoding_or_none() {
        let of = |values: &[&str]| Encoding::of(values.iter().copied());
        assert_eq!(of(&[]), Encoding::None);
        assert_eq!(of(&["identity", ""]), Encoding::None);
        assert_eq!(
            (of(&["GZIP"]), of(&["x-gzip"]), of(&["identity, gzip"])),
            (Encoding::Gzip, Encoding::Gzip, Encoding::Gzip)
        );
        assert_eq!(
            (of(&["br"]), of(&["gzip, gzip"]), of(&["gzip", "br"])),
            (Encoding::Other, Encoding::Other, Encoding::Other)
        );
    }
}
