//! A file to import: its identity, and its lines or frames, whatever it is packed with.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use ping::Incarnation;
use sha2::{Digest, Sha256};

use super::heka_frames::{Frame, Frames, RECORD_SEPARATOR};

/// Longest line: the largest body and as much again for what stands around it.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// What stands next in a file, by its place in a buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A line.
    Line(Range<usize>),
    /// A message of Heka.
    Message(Range<usize>),
    /// What is neither, and why.
    Bad(String),
}

/// What a file is made of.
enum Pieces {
    Lines(Box<dyn BufRead + Send>),
    Frames(Frames<Box<dyn BufRead + Send>>),
}

/// An open file.
pub(super) struct Source {
    pieces: Pieces,
    incarnation: Incarnation,
    read: Arc<AtomicU64>,
    len: u64,
    number: u64,
}

/// Counts the packed bytes read, for the progress bar.
struct Counting {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Source {
    /// Opens a file and takes the digest of its bytes: the same bytes are the same import, whatever they are called.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut digest = Sha256::new();
        let len = io::copy(&mut file, &mut HashWriter(&mut digest))?;
        let incarnation = Incarnation::from_slice(&digest.finalize()[..16]).expect("16 of 32 bytes");
        file.rewind()?;
        let read = Arc::new(AtomicU64::new(0));
        let mut bytes = BufReader::with_capacity(
            1 << 20,
            Counting {
                file,
                read: read.clone(),
            },
        );
        let start = bytes.fill_buf()?;
        let mut plain: Box<dyn BufRead + Send> = if start.starts_with(&[0x1f, 0x8b]) {
            Box::new(BufReader::with_capacity(1 << 20, MultiGzDecoder::new(bytes)))
        } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Box::new(BufReader::with_capacity(
                1 << 20,
                zstd::Decoder::with_buffer(bytes)?,
            ))
        } else {
            Box::new(bytes)
        };
        let is_heka = plain.fill_buf()?.first() == Some(&RECORD_SEPARATOR);
        let pieces = if is_heka {
            Pieces::Frames(Frames::new(plain))
        } else {
            Pieces::Lines(plain)
        };
        Ok(Self {
            pieces,
            incarnation,
            read,
            len,
            number: 0,
        })
    }

    /// Whose records the file's pieces are.
    pub(super) const fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Bytes of the file, and how many of them were read.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.read.load(Ordering::Relaxed), self.len)
    }

    /// Appends the next line that is not blank, or the next message, to `buffer`. Answers its number (the first has 1) and
    /// its place there.
    pub(super) fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<(u64, Piece)>> {
        match &mut self.pieces {
            Pieces::Lines(lines) => next_line(lines, &mut self.number, buffer),
            Pieces::Frames(frames) => {
                self.number += 1;
                let frame = frames.next(buffer)?;
                let piece = frame.map(|frame| match frame {
                    Frame::Message(place) => Piece::Message(place),
                    Frame::Damaged(bytes) => Piece::Bad(format!("{bytes} bytes here are no frame of Heka")),
                });
                Ok(piece.map(|piece| (self.number, piece)))
            }
        }
    }
}

fn next_line(
    lines: &mut dyn BufRead,
    number: &mut u64,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<(u64, Piece)>> {
    let start = buffer.len();
    loop {
        buffer.truncate(start);
        let length = Read::take(&mut *lines, LINE_BYTES_MAX).read_until(b'\n', buffer)?;
        if length == 0 {
            return Ok(None);
        }
        *number += 1;
        if length as u64 == LINE_BYTES_MAX && buffer.last() != Some(&b'\n') {
            lines.skip_until(b'\n')?;
            buffer.truncate(start);
            let why = format!("the line is longer than {LINE_BYTES_MAX} bytes");
            return Ok(Some((*number, Piece::Bad(why))));
        }
        if !buffer[start..].trim_ascii().is_empty() {
            return Ok(Some((*number, Piece::Line(start..buffer.len()))));
        }
    }
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn lines(bytes: &[u8]) -> (Incarnation, Vec<(u64, String)>) {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(bytes).expect("written");
        let mut source = Source::open(file.path()).expect("opened");
        let (mut line, mut found) = (Vec::new(), Vec::new());
        while let Some((number, piece)) = source.next(&mut line).expect("readable") {
            let (Piece::Line(place) | Piece::Message(place)) = piece else {
                panic!("{piece:?}")
            };
            let text = std::str::from_utf8(&line[place]).expect("text");
            found.push((number, text.trim().to_owned()));
        }
        assert_eq!(source.progress(), (bytes.len() as u64, bytes.len() as u64));
        (source.incarnation(), found)
    }

    #[test]
    fn plain_gzip_and_zstd_files_have_the_same_lines_and_identities_of_their_own() {
        let text = b"a\n\nb\r\nc";
        let expected = vec![(1, "a".to_owned()), (3, "b".to_owned()), (4, "c".to_owned())];
        let packed = sample_pings::gzip(text, 6);
        let twice = [packed.clone(), sample_pings::gzip(b"\nd\n", 6)].concat();
        let zstd = zstd::encode_all(text.as_slice(), 3).expect("packed");
        let (plain, packed, zstd) = (lines(text), lines(&packed), lines(&zstd));
        for (_, found) in [&plain, &packed, &zstd] {
            assert_eq!(found, &expected);
        }
        assert!(plain.0 != packed.0 && packed.0 != zstd.0 && plain.0 == lines(text).0);
        assert_eq!(lines(&twice).1.len(), 4, "a second gzip member goes on");
    }

    #[test]
    fn a_file_that_begins_with_a_frame_is_read_by_frames_whatever_it_is_packed_with() {
        let file = b"\x1e\x02\x08\x01\x1fa\x1e\x02\x08\x02\x1f\nb";
        let expected = vec![(1, "a".to_owned()), (2, "b".to_owned())];
        assert_eq!(lines(file).1, expected);
        assert_eq!(lines(&sample_pings::gzip(file, 6)).1, expected);
    }
}
