//! A file to import: its identity, and its lines, whatever it is packed with.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use ping::Incarnation;
use sha2::{Digest, Sha256};

/// Longest line: the largest body and as much again for what stands around it.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// An open file.
pub(super) struct Source {
    lines: Box<dyn BufRead + Send>,
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
        let lines: Box<dyn BufRead + Send> = if start.starts_with(&[0x1f, 0x8b]) {
            Box::new(BufReader::with_capacity(1 << 20, MultiGzDecoder::new(bytes)))
        } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Box::new(BufReader::with_capacity(
                1 << 20,
                zstd::Decoder::with_buffer(bytes)?,
            ))
        } else {
            Box::new(bytes)
        };
        Ok(Self {
            lines,
            incarnation,
            read,
            len,
            number: 0,
        })
    }

    /// Whose records the file's lines are.
    pub(super) const fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Bytes of the file, and how many of them were read.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.read.load(Ordering::Relaxed), self.len)
    }

    /// Appends the next line that is not blank to `buffer`. Answers its number (the first line has 1) and its place there.
    /// A line that is too long comes cut.
    pub(super) fn next_line(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<(u64, Range<usize>)>> {
        let start = buffer.len();
        loop {
            buffer.truncate(start);
            let mut lines = self.lines.by_ref().take(LINE_BYTES_MAX);
            let length = lines.read_until(b'\n', buffer)?;
            if length == 0 {
                return Ok(None);
            }
            self.number += 1;
            if length as u64 == LINE_BYTES_MAX && buffer.last() != Some(&b'\n') {
                self.lines.skip_until(b'\n')?;
            }
            if !buffer[start..].trim_ascii().is_empty() {
                return Ok(Some((self.number, start..buffer.len())));
            }
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
        while let Some((number, place)) = source.next_line(&mut line).expect("readable") {
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
}
