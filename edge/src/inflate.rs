//! Inflating a body as sent, under a cap, or telling why it cannot be.
//!
//! libdeflate does the work for gzip, into one buffer that is used again. It stops at the end of the first member and does
//! not say where that was: so a body whose last bytes do not close what came out, or also stand earlier in it, goes
//! through a streaming decoder ([`Coding`]), under the same cap; so do other codings.

use chunk::{Coding, Codings, Undecoded};
use libdeflater::{DecompressionError, Decompressor};

/// Why a body cannot be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It cannot be had as it was before it was encoded.
    Undecoded(Undecoded),
    /// The record fits no chunk.
    RecordTooLarge,
}

impl Reason {
    /// Inflated, the body is larger than the cap.
    pub(crate) const INFLATED_TOO_LARGE: Self = Self::Undecoded(Undecoded::TooLarge);
}

impl From<Undecoded> for Reason {
    fn from(undecoded: Undecoded) -> Self {
        Self::Undecoded(undecoded)
    }
}

/// Inflates bodies, one after the other.
pub(crate) struct Inflater {
    decompressor: Decompressor,
    buffer: Vec<u8>,
}

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
            Self::Undecoded(undecoded) => undecoded.reason(),
            Self::RecordTooLarge => "record_too_large",
        }
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

    /// The body as it was before it was encoded; at most `cap` bytes of it.
    pub(crate) fn inflate<'a>(
        &'a mut self,
        codings: Codings,
        body: &'a [u8],
        cap: usize,
    ) -> Result<&'a [u8], Reason> {
        let Some(coding) = codings.coding_of(body)? else {
            return if body.len() > cap {
                Err(Reason::INFLATED_TOO_LARGE)
            } else {
                Ok(body)
            };
        };
        if self.buffer.len() > KEEP_BYTES {
            self.buffer = Vec::new();
        }
        let first = match coding {
            Coding::Gzip => self.first_member(body, cap)?,
            Coding::Deflate | Coding::Zstd => None,
        };
        let length = match first {
            Some(length) if is_all(body, &self.buffer[..length]) => length,
            _ => {
                coding.undo(body, cap, &mut self.buffer)?;
                self.buffer.len()
            }
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
                    return Err(Reason::INFLATED_TOO_LARGE);
                }
                Err(DecompressionError::InsufficientSpace) => self.make_room((room * 2).clamp(1, cap)),
                Err(DecompressionError::BadData) => return Ok(None),
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
    use flate2::write::{GzEncoder, ZlibEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    const CAP: usize = 32 << 20;
    const GZIP: Codings = Codings::One(Coding::Gzip);

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).expect("a vector has room");
        encoder.finish().expect("a vector has room")
    }

    fn inflate(codings: Codings, body: &[u8], cap: usize) -> Result<Vec<u8>, Reason> {
        Inflater::new().inflate(codings, body, cap).map(<[u8]>::to_vec)
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
            prop_assert_eq!(inflate(GZIP, &body, CAP), Ok(members.concat()));
        }

        #[test]
        fn any_bytes_are_taken_apart_or_refused_without_a_panic(mut body: Vec<u8>, begin: bool, cap in 0..4_096_usize) {
            if begin {
                body.splice(0..0, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0]);
            }
            for codings in [Codings::None, GZIP, Codings::One(Coding::Deflate), Codings::One(Coding::Zstd), Codings::Other] {
                if let Ok(inflated) = inflate(codings, &body, cap) {
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
            inflate(GZIP, &[member.clone(), member].concat(), CAP),
            Ok(b"the samethe same".to_vec())
        );
    }

    #[test]
    fn members_of_one_length_and_different_content_are_all_inflated() {
        let (one, other) = (gzip(b"of one length"), gzip(b"of ONE length"));
        assert_eq!(
            inflate(GZIP, &[one, other].concat(), CAP),
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
            assert_eq!(inflate(GZIP, &body, CAP), Ok(text));
        }
    }

    #[test]
    fn a_cut_stream_is_told_from_a_damaged_one() {
        let body = gzip(&b"some text that is long enough to be worth it ".repeat(50));
        for cut in 2..body.len() {
            assert_eq!(
                inflate(GZIP, &body[..cut], CAP),
                Err(Undecoded::Cut(Coding::Gzip).into()),
                "cut at {cut}"
            );
        }
        let mut damaged = body.clone();
        let at = damaged.len() - 6;
        damaged[at] ^= 1;
        assert_eq!(
            inflate(GZIP, &damaged, CAP),
            Err(Undecoded::Damaged(Coding::Gzip).into())
        );
    }

    #[test]
    fn the_cap_holds_for_one_member_and_for_many() {
        let zeros = vec![0; 100_000];
        let member = gzip(&zeros);
        assert_eq!(
            inflate(GZIP, &member, 100_000).map(|body| body.len()),
            Ok(100_000)
        );
        assert_eq!(inflate(GZIP, &member, 99_999), Err(Reason::INFLATED_TOO_LARGE));
        let two = [member.clone(), member].concat();
        assert_eq!(inflate(GZIP, &two, 200_000).map(|body| body.len()), Ok(200_000));
        assert_eq!(inflate(GZIP, &two, 199_999), Err(Reason::INFLATED_TOO_LARGE));
    }

    #[test]
    fn a_cap_below_the_least_that_is_inflated_at_once_holds_too() {
        let member = gzip(b"0123456789");
        let two = [member.clone(), member].concat();
        assert_eq!(inflate(GZIP, &two, 20).map(|body| body.len()), Ok(20));
        for cap in [0, 1, 10, 19] {
            assert_eq!(
                inflate(GZIP, &two, cap),
                Err(Reason::INFLATED_TOO_LARGE),
                "cap {cap}"
            );
        }
        assert_eq!(inflate(GZIP, &two, usize::MAX).map(|body| body.len()), Ok(20));
    }

    #[test]
    fn the_header_and_the_body_are_held_against_each_other() {
        let body = gzip(b"{}");
        assert_eq!(inflate(Codings::None, &body, CAP), Ok(b"{}".to_vec()));
        assert_eq!(inflate(Codings::None, b"{}", CAP), Ok(b"{}".to_vec()));
        assert_eq!(
            inflate(GZIP, b"{}", CAP),
            Ok(b"{}".to_vec()),
            "a proxy inflated it"
        );
        assert_eq!(
            inflate(GZIP, b"[]", CAP),
            Err(Undecoded::Not(Coding::Gzip).into())
        );
        assert_eq!(inflate(GZIP, b"", CAP), Err(Undecoded::Not(Coding::Gzip).into()));
        assert_eq!(
            inflate(Codings::Other, &body, CAP),
            Err(Undecoded::Unsupported.into())
        );
    }

    #[test]
    fn what_follows_the_last_member_is_left_out_as_gunzip_does() {
        let text = b"some text that is long enough to be worth it ".repeat(50);
        let two = [gzip(&text), gzip(b"more")].concat();
        let expected = [&text[..], b"more"].concat();
        let tails: [&[u8]; 6] = [
            &[0; 512],
            b"\n",
            b"\r\n",
            b"\0",
            &[0x1f],
            b"a tail of other bytes",
        ];
        for tail in tails {
            let body = [&two[..], tail].concat();
            assert_eq!(inflate(GZIP, &body, CAP), Ok(expected.clone()), "{tail:?}");
            assert_eq!(
                inflate(Codings::None, &body, CAP),
                Ok(expected.clone()),
                "{tail:?}"
            );
            let one = [gzip(&text), tail.to_vec()].concat();
            assert_eq!(inflate(GZIP, &one, CAP), Ok(text.clone()), "{tail:?}");
        }
        // What begins like a member is one.
        let cut = [&two[..], &[0x1f, 0x8b]].concat();
        assert_eq!(inflate(GZIP, &cut, CAP), Err(Undecoded::Cut(Coding::Gzip).into()));
    }

    #[test]
    fn other_codings_come_back_through_the_same_buffer() {
        let (mut inflater, text) = (Inflater::new(), b"{\"a\":1}".repeat(9_000));
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&text).expect("a vector has room");
        let zlib = zlib.finish().expect("a vector has room");
        for _ in 0..2 {
            let inflated = inflater.inflate(Codings::One(Coding::Deflate), &zlib, CAP);
            assert_eq!(inflated, Ok(&text[..]));
            assert_eq!(inflater.inflate(GZIP, &gzip(&text), CAP), Ok(&text[..]));
        }
    }
}
