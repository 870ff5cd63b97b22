//! The file system of this machine behind the door. What a Linux file system promises is taken as it is: `fdatasync` for
//! a file's bytes and length, `fsync` of the folder for its entries.
//!
//! What does not live here: any policy. Nothing is retried but an interrupted call, nothing is synced unasked.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Advice, CWD, FallocateFlags, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::group::RealGroup;
use crate::{Disk, File, FileIdentity, Group};

/// The file system of this machine.
#[derive(Clone, Copy, Debug)]
pub struct RealDisk;

impl RealDisk {
    /// The file system of this machine, to be handed to many.
    pub fn shared() -> Arc<dyn Disk> {
        Arc::new(Self)
    }
}

impl Disk for RealDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        match fs::create_dir(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            other => other,
        }
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        open_folder(path)?.sync_all()
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let mut options = OpenOptions::new();
        opened(options.read(true).write(true).create_new(true).open(path))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        opened(OpenOptions::new().read(true).write(true).open(path))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn File>> {
        opened(OpenOptions::new().read(true).open(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Some network file systems do not know the flag. A name that stays in the old place is whole, too.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                fs::hard_link(from, to)?;
                fs::remove_file(from)
            }
            result => Ok(result?),
        }
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        // link(2) never replaces: a taken name is EEXIST.
        fs::hard_link(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
        let mut entries = fs::read_dir(path)?
            .map(|entry| {
                let entry = entry?;
                let (path, kind) = (entry.path(), entry.file_type()?);
                // What a link leads to counts; one that leads nowhere is no folder.
                let is_folder = kind.is_dir() || (kind.is_symlink() && path.is_dir());
                Ok((path, is_folder))
            })
            .collect::<io::Result<Vec<_>>>()?;
        entries.sort_by(|a, b| a.0.file_name().cmp(&b.0.file_name()));
        Ok(entries)
    }

    fn file_len(&self, path: &Path) -> io::Result<Option<u64>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            // Links that lead to each other lead to no file.
            Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn identity(&self, path: &Path) -> io::Result<Option<FileIdentity>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(identity_of(&metadata))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// By `O_PATH`, which needs no right to read.
    fn hold(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let path_only = OFlags::PATH.bits().cast_signed();
        opened(OpenOptions::new().read(true).custom_flags(path_only).open(path))
    }

    fn group(&self, path: &Path) -> io::Result<Box<dyn Group>> {
        Ok(Box::new(RealGroup::begin(path)?))
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        let room = rustix::fs::statvfs(path)?;
        Ok(room.f_bavail.saturating_mul(room.f_frsize))
    }
}

fn identity_of(metadata: &fs::Metadata) -> FileIdentity {
    FileIdentity {
        device: metadata.dev(),
        inode: metadata.ino(),
    }
}

/// Only a folder will do: syncing a file that took the folder's name would promise nothing about its entries.
pub(crate) fn open_folder(path: &Path) -> io::Result<fs::File> {
    let directory_only = OFlags::DIRECTORY.bits().cast_signed();
    OpenOptions::new()
        .read(true)
        .custom_flags(directory_only)
        .open(path)
}

/// A file of this machine.
#[derive(Debug)]
struct RealFile(fs::File);

fn opened(result: io::Result<fs::File>) -> io::Result<Box<dyn File>> {
    Ok(Box::new(RealFile(result?)))
}

impl File for RealFile {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.0.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// By `POSIX_FADV_DONTNEED`: Linux begins to write what is dirty, and drops what is clean from its cache.
    fn write_soon(&self) {
        // Without it, all is written when it is synced.
        let _ = rustix::fs::fadvise(&self.0, 0, None, Advice::DontNeed);
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        if len == 0 {
            return Ok(());
        }
        loop {
            match rustix::fs::fallocate(&self.0, FallocateFlags::empty(), 0, len) {
                Ok(()) => return Ok(()),
                Err(Errno::INTR) => {}
                // Some network and overlay file systems cannot reserve: there, room is what zeros were written to.
                Err(Errno::OPNOTSUPP) => return self.write_zeros_up_to(len),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        Ok(identity_of(&self.0.metadata()?))
    }
}

impl RealFile {
    fn write_zeros_up_to(&self, len: u64) -> io::Result<()> {
        static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
        let mut at = self.len()?;
        while at < len {
            let take = (len - at).min(ZEROS.len() as u64);
            let zeros = usize::try_from(take).map_or(&ZEROS[..], |take| &ZEROS[..take]);
            self.0.write_all_at(zeros, at)?;
            at += take;
        }
        Ok(())
    }
}
