//! Where a chunk grows: in memory while it is small, then in a file of the staging folder, removed when dropped.
//!
//! What does not live here: how much room there is, in `staging_room.rs`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use disk::{Disk, File};
use store::{Crc32c, Payload};

/// How large a chunk may grow, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Bytes in memory; above, it goes to a file.
    pub(crate) memory_bytes: u64,
    /// Bytes of the file; 0 for none.
    pub(crate) file_bytes: u64,
}

/// A chunk being written.
#[derive(Debug)]
pub(crate) struct Staging {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    extent: Extent,
    memory: Vec<u8>,
    file: Option<StagedFile>,
    /// Of all bytes so far, as they came.
    crc: Crc32c,
}

/// A chunk that was written.
#[derive(Debug)]
pub(crate) struct Staged {
    payload: Payload,
    /// Removes the file when dropped.
    file: Option<StagedFile>,
}

#[derive(Debug)]
struct StagedFile {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Box<dyn File>,
    len: u64,
}

/// The chunk grew beyond its extent.
#[derive(Debug, thiserror::Error)]
#[error("the chunk takes more room than was taken for it")]
struct BeyondExtent;

/// Whether a chunk could not be written since it grew beyond its extent.
pub(crate) fn is_beyond_extent(error: &io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(<dyn std::error::Error + Send + Sync>::is::<BeyondExtent>)
}

impl Staging {
    /// An empty chunk that may become the file `name` of `dir`. No file of that name may have been there before: what an
    /// earlier one held is not to be trusted.
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: &Path, name: &str, extent: Extent) -> Self {
        Self {
            disk,
            path: dir.join(name),
            extent,
            memory: Vec::new(),
            file: None,
            crc: Crc32c::default(),
        }
    }

    /// The chunk as it can be put.
    pub(crate) fn finish(mut self) -> io::Result<Staged> {
        if self.file.is_some() {
            self.spill()?;
        }
        let payload = match &self.file {
            Some(file) => Payload::File {
                path: file.path.clone(),
                len: file.len,
                crc: self.crc,
            },
            None => Payload::Bytes(Bytes::from(std::mem::take(&mut self.memory))),
        };
        Ok(Staged {
            payload,
            file: self.file,
        })
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(StagedFile {
                file: self.disk.create_new(&self.path)?,
                disk: Arc::clone(&self.disk),
                path: self.path.clone(),
                len: 0,
            }),
        };
        file.file.write_all_at(&self.memory, file.len)?;
        // A sync at the end would hold up those of the log for as long as all of it takes.
        file.file.write_soon();
        file.len += self.memory.len() as u64;
        self.memory.clear();
        Ok(())
    }

    fn len(&self) -> u64 {
        self.memory.len() as u64 + self.file.as_ref().map_or(0, |file| file.len)
    }
}

impl Write for Staging {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Extent {
            memory_bytes,
            file_bytes,
        } = self.extent;
        let len = self.len() + bytes.len() as u64;
        if len > memory_bytes.max(file_bytes) {
            return Err(io::Error::new(io::ErrorKind::StorageFull, BeyondExtent));
        }
        if (self.memory.len() + bytes.len()) as u64 > memory_bytes && !self.memory.is_empty() {
            self.spill()?;
        }
        self.crc = self.crc.and(Crc32c::of(bytes));
        self.memory.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Staged {
    /// What is put.
    pub(crate) fn payload(&self) -> Payload {
        self.payload.clone()
    }

    /// Bytes of its file; 0 when it is in memory.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.file.as_ref().map_or(0, |file| file.len)
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if let Err(error) = self.disk.remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "could not remove a staging file; the next start does");
        }
    }
}
