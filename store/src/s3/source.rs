//! What is put, piece by piece: from memory, or read from a file as it is sent.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use disk::{Disk, File};

use crate::{Crc32c, Payload};

/// Bytes to be put, of a length that is known.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Bytes(Bytes),
    File {
        file: Arc<dyn File>,
        len: u64,
        written: Crc32c,
    },
}

impl Source {
    /// # Errors
    /// When the file cannot be opened, or is not as long as announced.
    pub(super) async fn open(payload: Payload, disk: &Arc<dyn Disk>) -> io::Result<Self> {
        match payload {
            Payload::Bytes(bytes) => Ok(Self::Bytes(bytes)),
            Payload::File { path, len, crc } => {
                let disk = Arc::clone(disk);
                service::task::blocking(move || open(&*disk, &path, len, crc)).await
            }
        }
    }

    pub(super) const fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { len, .. } => *len,
        }
    }

    /// The checksum of the bytes as whoever wrote the file took it; none for bytes that never left the memory.
    pub(super) const fn written(&self) -> Option<Crc32c> {
        match self {
            Self::Bytes(_) => None,
            Self::File { written, .. } => Some(*written),
        }
    }

    /// Some of the bytes; the range ends within them.
    ///
    /// # Errors
    /// When the file cannot be read, or has become shorter.
    pub(super) async fn piece(&self, range: Range<u64>) -> io::Result<Bytes> {
        let within = |at: u64| usize::try_from(at).map_err(io::Error::other);
        match self {
            Self::Bytes(bytes) => Ok(bytes.slice(within(range.start)?..within(range.end)?)),
            Self::File { file, .. } => {
                let file = Arc::clone(file);
                let mut bytes = vec![0; within(range.end - range.start)?];
                service::task::blocking(move || {
                    if file.read_at(&mut bytes, range.start)? < bytes.len() {
                        return Err(io::Error::other(
                            "the file to put has become shorter: write it anew",
                        ));
                    }
                    Ok(Bytes::from(bytes))
                })
                .await
            }
        }
    }
}

fn open(disk: &dyn Disk, path: &Path, len: u64, written: Crc32c) -> io::Result<Source> {
    let file = disk.open_read(path)?;
    let found = file.len()?;
    if found != len {
        return Err(io::Error::other(format!(
            "the file to put has {found} bytes, {len} were announced: write it anew"
        )));
    }
    Ok(Source::File {
        file: Arc::from(file),
        len,
        written,
    })
}

#[cfg(test)]
mod tests {
    use disk::RealDisk;

    use super::*;

    #[tokio::test]
    async fn a_file_is_read_piece_by_piece_and_must_stay_as_long_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let (disk, path) = (RealDisk::shared(), folder.path().join("file"));
        std::fs::write(&path, b"0123456789").expect("room");
        let payload = |len| Payload::File {
            path: path.clone(),
            len,
            crc: Crc32c::of(b"0123456789"),
        };
        for len in [9, 11] {
            let error = Source::open(payload(len), &disk)
                .await
                .expect_err("another length");
            assert!(error.to_string().contains("10 bytes"), "{error}");
        }
        let source = Source::open(payload(10), &disk).await.expect("the file is there");
        assert_eq!(source.piece(3..7).await.expect("readable"), b"3456"[..]);
        std::fs::write(&path, b"01234").expect("room");
        let error = source.piece(3..7).await.expect_err("it ends at 5");
        assert!(error.to_string().contains("shorter"), "{error}");
    }
}
