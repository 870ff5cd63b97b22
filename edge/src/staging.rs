//! Where a chunk grows: in memory while it is small, then in a file of the staging folder, removed when dropped.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use disk::{Disk, File};
use store::{Crc32c, Payload};

/// A chunk up to this size stays in memory: as many of them as there may be seals under way.
const MEMORY_BYTES: usize = 1 << 20;

/// A chunk being written.
#[derive(Debug)]
pub(crate) struct Staging {
    disk: Arc<dyn Disk>,
    path: PathBuf,
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
    _file: Option<StagedFile>,
}

#[derive(Debug)]
struct StagedFile {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Box<dyn File>,
    len: u64,
}

impl Staging {
    /// An empty chunk that may become the file `name` of `dir`.
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: &Path, name: &str) -> Self {
        Self {
            disk,
            path: dir.join(name),
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
            _file: self.file,
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
}

impl Write for Staging {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.memory.len() + bytes.len() > MEMORY_BYTES && !self.memory.is_empty() {
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
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if let Err(error) = self.disk.remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "could not remove a staging file; the next start does");
        }
    }
}
