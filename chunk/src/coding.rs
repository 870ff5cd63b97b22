//! Codings of bodies, as `content-encoding` headers name them, and how they are undone under a cap. What `gunzip` takes is
//! taken: members one after the other; what follows the last one is left out.
//!
//! What does not live here: which bodies are undone, and the faster way for the most usual ones (crate `edge`).

use std::io::{self, ErrorKind, Read};

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

/// A coding that can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// `gzip`, or `x-gzip`: RFC 1952.
    Gzip,
    /// `deflate`: a zlib stream as RFC 9110 has it, or a bare deflate stream as some clients send.
    Deflate,
    /// `zstd`: RFC 8878, with windows of at most 8 MiB, as RFC 9659 has it.
    Zstd,
}

/// What the headers say of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codings {
    /// Nothing.
    None,
    /// One coding that can be undone.
    One(Coding),
    /// Another one, or several.
    Other,
}

/// Why a body cannot be had as it was before it was encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecoded {
    /// The headers name a coding that is not undone here, or several.
    Unsupported,
    /// The body does not begin like what the headers name.
    Not(Coding),
    /// It ends too early.
    Cut(Coding),
    /// It is damaged.
    Damaged(Coding),
    /// It is zstd with a larger window than is taken.
    WindowTooLarge,
    /// It is larger than the cap.
    TooLarge,
}

/// What a gzip member begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What a zstd frame begins with.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The largest window of a zstd frame is 2^23 bytes.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// What the library says of a larger one; it has no other sign.
const WINDOW_WORDS: &str = "Frame requires too much memory for decoding";

/// No less room is made at once.
const ROOM_BYTES_MIN: usize = 64 << 10;

impl Codings {
    /// What the values of `content-encoding` headers say. `identity` says nothing.
    pub fn of<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let mut found = Self::None;
        for name in values.flat_map(|value| value.split(',')).map(str::trim) {
            if name.is_empty() || name.eq_ignore_ascii_case("identity") {
                continue;
            }
            found = match (found, Coding::named(name)) {
                (Self::None, Some(coding)) => Self::One(coding),
                _ => Self::Other,
            };
        }
        found
    }

    /// How a body is encoded; `None` when it stands as it is. Without a header, gzip is recognised by how it begins. A JSON
    /// object that stands as it is under the name of a coding was decoded on its way, by something that left the header.
    ///
    /// # Errors
    /// [`Undecoded::Unsupported`], [`Undecoded::Not`].
    pub fn coding_of(self, body: &[u8]) -> Result<Option<Coding>, Undecoded> {
        match self {
            Self::None if body.starts_with(&GZIP) => Ok(Some(Coding::Gzip)),
            Self::None => Ok(None),
            Self::One(_) if begins_like_an_object(body) => Ok(None),
            Self::One(coding) if coding.begins(body) => Ok(Some(coding)),
            Self::One(coding) => Err(Undecoded::Not(coding)),
            Self::Other => Err(Undecoded::Unsupported),
        }
    }
}

impl Coding {
    /// The coding of this name, in any case.
    fn named(name: &str) -> Option<Self> {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        match () {
            () if is("gzip") || is("x-gzip") => Some(Self::Gzip),
            () if is("deflate") => Some(Self::Deflate),
            () if is("zstd") => Some(Self::Zstd),
            () => None,
        }
    }

    /// Whether a body begins like this. A deflate stream has no mark, but none begins like gzip or zstd: the first would be of a block
    /// type that there is not, the second of a stored block whose length and its complement do not fit.
    fn begins(self, body: &[u8]) -> bool {
        match self {
            Self::Gzip => body.starts_with(&GZIP),
            Self::Deflate => !body.is_empty() && !body.starts_with(&GZIP) && !body.starts_with(&ZSTD),
            Self::Zstd => body.starts_with(&ZSTD) || is_skippable(body),
        }
    }

    /// Undoes it: `into` holds the body as it was, at most `cap` bytes of it. Its memory is used again, and grows to at most
    /// `cap` + 1.
    ///
    /// # Errors
    /// [`Undecoded::Cut`], [`Undecoded::Damaged`], [`Undecoded::WindowTooLarge`], [`Undecoded::TooLarge`].
    pub fn undo(self, body: &[u8], cap: usize, into: &mut Vec<u8>) -> Result<(), Undecoded> {
        let mut room = CappedBuffer { into, filled: 0, cap };
        let undone = match self {
            Self::Gzip => gunzip(body, &mut room),
            Self::Deflate => inflate(body, &mut room),
            Self::Zstd => unzstd(body, &mut room),
        };
        let filled = room.filled;
        into.truncate(filled);
        undone.map_err(|error| match error.kind() {
            ErrorKind::FileTooLarge => Undecoded::TooLarge,
            ErrorKind::UnexpectedEof => Undecoded::Cut(self),
            ErrorKind::OutOfMemory => Undecoded::WindowTooLarge,
            _ => Undecoded::Damaged(self),
        })
    }
}

impl Undecoded {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Unsupported,
        Self::Not(Coding::Gzip),
        Self::Not(Coding::Deflate),
        Self::Not(Coding::Zstd),
        Self::Cut(Coding::Gzip),
        Self::Cut(Coding::Deflate),
        Self::Cut(Coding::Zstd),
        Self::Damaged(Coding::Gzip),
        Self::Damaged(Coding::Deflate),
        Self::Damaged(Coding::Zstd),
        Self::WindowTooLarge,
        Self::TooLarge,
    ];

    /// The reason's word in chunks of errored pings, counters and metrics.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Unsupported => "encoding_unsupported",
            Self::Not(Coding::Gzip) => "not_gzip",
            Self::Not(Coding::Deflate) => "not_deflate",
            Self::Not(Coding::Zstd) => "not_zstd",
            Self::Cut(Coding::Gzip) => "gzip_cut",
            Self::Cut(Coding::Deflate) => "deflate_cut",
            Self::Cut(Coding::Zstd) => "zstd_cut",
            Self::Damaged(Coding::Gzip) => "gzip_damaged",
            Self::Damaged(Coding::Deflate) => "deflate_damaged",
            Self::Damaged(Coding::Zstd) => "zstd_damaged",
            Self::WindowTooLarge => "zstd_window_too_large",
            Self::TooLarge => "inflated_too_large",
        }
    }
}

/// Whether the first byte that is no white space opens a JSON object. No stream of any coding whose content does so begins
/// like that.
fn begins_like_an_object(body: &[u8]) -> bool {
    let first = body.iter().find(|byte| !b" \t\r\n".contains(byte));
    first == Some(&b'{')
}

/// Whether a zstd frame that is to be skipped begins here.
fn is_skippable(body: &[u8]) -> bool {
    matches!(body, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

fn gunzip(body: &[u8], room: &mut CappedBuffer<'_>) -> io::Result<()> {
    let mut rest = body;
    loop {
        let mut member = GzDecoder::new(rest);
        room.fill(&mut member)?;
        rest = member.into_inner();
        if !rest.starts_with(&GZIP) {
            return Ok(());
        }
    }
}

fn inflate(body: &[u8], room: &mut CappedBuffer<'_>) -> io::Result<()> {
    let is_zlib = match body {
        [cmf, flags, ..] => cmf & 0x0f == 8 && u16::from_be_bytes([*cmf, *flags]) % 31 == 0,
        _ => false,
    };
    if !is_zlib {
        return room.fill(&mut DeflateDecoder::new(body));
    }
    match room.fill(&mut ZlibDecoder::new(body)) {
        Err(error) if error.kind() == ErrorKind::FileTooLarge => Err(error),
        // By chance a bare stream may begin like the other.
        Err(error) => {
            room.filled = 0;
            room.fill(&mut DeflateDecoder::new(body)).map_err(|_| error)
        }
        Ok(()) => Ok(()),
    }
}

fn unzstd(body: &[u8], room: &mut CappedBuffer<'_>) -> io::Result<()> {
    let mut rest = body;
    while rest.starts_with(&ZSTD) || is_skippable(rest) {
        if is_skippable(rest) {
            rest = after_skippable(rest)?;
            continue;
        }
        let mut frame = zstd::stream::read::Decoder::with_buffer(rest)?.single_frame();
        frame.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
        room.fill(&mut frame).map_err(|error| match error.to_string() {
            words if words == WINDOW_WORDS => ErrorKind::OutOfMemory.into(),
            _ => error,
        })?;
        frame.finish_frame()?;
        rest = frame.finish();
    }
    Ok(())
}

fn after_skippable(frame: &[u8]) -> io::Result<&[u8]> {
    let cut = || io::Error::from(ErrorKind::UnexpectedEof);
    let (length, rest) = frame[4..].split_first_chunk::<4>().ok_or_else(cut)?;
    let length = u32::from_le_bytes(*length) as usize;
    rest.get(length..).ok_or_else(cut)
}

/// Where bytes come out: so many so far, and never more than one above the cap.
struct CappedBuffer<'a> {
    into: &'a mut Vec<u8>,
    filled: usize,
    cap: usize,
}

impl CappedBuffer<'_> {
    /// Takes all that comes.
    fn fill(&mut self, from: &mut impl Read) -> io::Result<()> {
        loop {
            if self.filled > self.cap {
                return Err(ErrorKind::FileTooLarge.into());
            }
            if self.filled == self.into.len() {
                let length = (self.filled * 2)
                    .max(ROOM_BYTES_MIN)
                    .min(self.cap.saturating_add(1));
                self.into.reserve_exact(length - self.filled);
                self.into.resize(length, 0);
            }
            match from.read(&mut self.into[self.filled..]) {
                Ok(0) => return Ok(()),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    const ALL: [Coding; 3] = [Coding::Gzip, Coding::Deflate, Coding::Zstd];

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).expect("a vector has room");
        encoder.finish().expect("a vector has room")
    }

    fn zlib(body: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).expect("a vector has room");
        encoder.finish().expect("a vector has room")
    }

    fn bare(body: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).expect("a vector has room");
        encoder.finish().expect("a vector has room")
    }

    fn zstd(body: &[u8]) -> Vec<u8> {
        zstd::encode_all(body, 3).expect("a vector has room")
    }

    fn undo(coding: Coding, body: &[u8], cap: usize) -> Result<Vec<u8>, Undecoded> {
        let mut into = vec![7; 10];
        coding.undo(body, cap, &mut into).map(|()| into)
    }

    proptest! {
        #[test]
        fn what_was_encoded_comes_back_whatever_follows_its_end(body: Vec<u8>, tail: Vec<u8>) {
            let tail = [b"\0".to_vec(), tail].concat();
            for (coding, encoded) in [
                (Coding::Gzip, gzip(&body)),
                (Coding::Deflate, zlib(&body)),
                (Coding::Deflate, bare(&body)),
                (Coding::Zstd, zstd(&body)),
            ] {
                prop_assert_eq!(undo(coding, &encoded, body.len()), Ok(body.clone()));
                prop_assert_eq!(undo(coding, &[encoded, tail.clone()].concat(), body.len()), Ok(body.clone()));
            }
        }

        #[test]
        fn members_and_frames_come_one_after_the_other(bodies: Vec<Vec<u8>>) {
            for (coding, encode) in [(Coding::Gzip, gzip as fn(&[u8]) -> Vec<u8>), (Coding::Zstd, zstd)] {
                let encoded: Vec<u8> = bodies.iter().flat_map(|body| encode(body)).collect();
                if !encoded.is_empty() {
                    prop_assert_eq!(undo(coding, &encoded, 1 << 20), Ok(bodies.concat()));
                }
            }
        }

        #[test]
        fn any_bytes_are_undone_or_refused_within_the_cap(body: Vec<u8>, begin in 0..4_usize, cap in 0..4_096_usize) {
            let begins: [&[u8]; 4] = [b"", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0], &[0x78, 0x9c], &ZSTD];
            let body = [begins[begin], &body].concat();
            for coding in ALL {
                let mut into = Vec::new();
                if coding.undo(&body, cap, &mut into).is_ok() {
                    prop_assert!(into.len() <= cap);
                }
                prop_assert!(into.capacity() <= cap + 1);
            }
        }
    }

    #[test]
    fn what_is_cut_or_damaged_or_too_large_says_so() {
        let text = b"some text that is long enough to be worth it ".repeat(50);
        for (coding, whole) in [
            (Coding::Gzip, gzip(&text)),
            (Coding::Deflate, zlib(&text)),
            (Coding::Zstd, zstd(&text)),
        ] {
            for cut in 4..whole.len() {
                let cut_off = undo(coding, &whole[..cut], text.len());
                assert_eq!(cut_off, Err(Undecoded::Cut(coding)), "{coding:?} cut at {cut}");
            }
            assert_eq!(undo(coding, &whole, text.len() - 1), Err(Undecoded::TooLarge));
            // The second of two is cut.
            if coding != Coding::Deflate {
                let two = [&whole[..], &whole[..whole.len() - 1]].concat();
                assert_eq!(undo(coding, &two, 1 << 20), Err(Undecoded::Cut(coding)));
            }
        }
        for (coding, mut damaged) in [(Coding::Gzip, gzip(&text)), (Coding::Deflate, zlib(&text))] {
            let at = damaged.len() - 2;
            damaged[at] ^= 1;
            let found = undo(coding, &damaged, 1 << 20);
            assert!(
                found == Err(Undecoded::Damaged(coding)) || found == Err(Undecoded::Cut(coding)),
                "{coding:?}: {found:?}"
            );
        }
    }

    #[test]
    fn a_zstd_window_above_eight_mebibytes_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).expect("an encoder");
        encoder.window_log(26).expect("a window");
        encoder.write_all(&[b'x'; 9 << 20]).expect("a vector has room");
        let large = encoder.finish().expect("a vector has room");
        assert_eq!(
            undo(Coding::Zstd, &large, 32 << 20),
            Err(Undecoded::WindowTooLarge)
        );
    }

    #[test]
    fn the_header_and_the_body_are_held_against_each_other() {
        let of = |values: &[&str]| Codings::of(values.iter().copied());
        let object = b" {\"a\":1}";
        assert_eq!(of(&[]).coding_of(&gzip(b"")), Ok(Some(Coding::Gzip)));
        assert_eq!(of(&["identity", ""]).coding_of(b"hello"), Ok(None));
        for (name, coding, encoded) in [
            ("GZIP", Coding::Gzip, gzip(object)),
            ("x-gzip", Coding::Gzip, gzip(object)),
            ("identity, gzip", Coding::Gzip, gzip(object)),
            ("deflate", Coding::Deflate, zlib(object)),
            ("deflate", Coding::Deflate, bare(object)),
            ("zstd", Coding::Zstd, zstd(object)),
        ] {
            assert_eq!(of(&[name]).coding_of(&encoded), Ok(Some(coding)), "{name}");
            assert_eq!(of(&[name]).coding_of(object), Ok(None), "{name}");
            assert_eq!(of(&[name]).coding_of(b""), Err(Undecoded::Not(coding)), "{name}");
            if coding != Coding::Deflate {
                assert_eq!(
                    of(&[name]).coding_of(b"hello"),
                    Err(Undecoded::Not(coding)),
                    "{name}"
                );
            }
        }
        for other in [gzip(object), zstd(object)] {
            let refused = of(&["deflate"]).coding_of(&other);
            assert_eq!(refused, Err(Undecoded::Not(Coding::Deflate)));
            assert!(
                undo(Coding::Deflate, &other, 1 << 20).is_err(),
                "no deflate stream begins so"
            );
        }
        for names in [&["br"][..], &["gzip, gzip"], &["gzip", "br"], &["utf-8"]] {
            assert_eq!(
                of(names).coding_of(object),
                Err(Undecoded::Unsupported),
                "{names:?}"
            );
        }
    }
}
