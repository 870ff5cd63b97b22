//! Many syncs on this machine's file system in one call of the kernel.
//!
//! `syncfs` writes all that is dirty on a file system, whoever wrote it: one flush of the disk in place of one a file. It
//! tells of any failed write since the folder was opened (Linux 5.8 and later), and of no older one. So it is used for many
//! things at once only; a few are synced one by one, and wait for nobody else's data. So is what lies on another file system.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::LazyLock;

use crate::real::open_folder;
use crate::{File, Group};

/// From so many files and folders on, the whole file system is synced.
const MANY: usize = 8;

/// The first Linux whose `syncfs` tells of failed writes.
const SYNCFS_TELLS: (u32, u32) = (5, 8);

/// A group on this machine's file system.
#[derive(Debug)]
pub(crate) struct RealGroup {
    /// A folder, opened before anything of the group was written: `syncfs` tells it of failures since.
    folder: fs::File,
}

impl RealGroup {
    pub(crate) fn begin(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            folder: open_folder(folder)?,
        })
    }
}

impl Group for RealGroup {
    fn sync(&mut self, files: &[&dyn File], folders: &[&Path]) -> io::Result<()> {
        let mut one_by_one = (files.to_vec(), folders.to_vec());
        if files.len() + folders.len() >= MANY && *KERNEL_TELLS {
            let device = self.folder.metadata()?.dev();
            // What cannot be told is synced by itself, which tells why.
            let elsewhere =
                |found: io::Result<u64>| found.is_err() || found.is_ok_and(|found| found != device);
            one_by_one
                .0
                .retain(|file| elsewhere(file.identity().map(|identity| identity.device)));
            one_by_one
                .1
                .retain(|folder| elsewhere(fs::metadata(folder).map(|metadata| metadata.dev())));
            rustix::fs::syncfs(&self.folder)?;
            // A file system without a journal flushes the disk's cache before it writes its last blocks: this flushes
            // them out of it.
            self.folder.sync_all()?;
        }
        let (files, folders) = one_by_one;
        files.iter().try_for_each(|file| file.sync())?;
        folders
            .iter()
            .try_for_each(|folder| open_folder(folder)?.sync_all())
    }
}

static KERNEL_TELLS: LazyLock<bool> = LazyLock::new(|| {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    version_of(&release).is_some_and(|version| version >= SYNCFS_TELLS)
});

/// The first two numbers of a kernel's release.
fn version_of(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernels_version_is_read_from_its_release() {
        assert_eq!(version_of("6.1.0-13-amd64\n"), Some((6, 1)));
        assert_eq!(version_of("5.10.0"), Some((5, 10)));
        assert!(version_of("5.10").unwrap() > SYNCFS_TELLS && version_of("5.4.1").unwrap() < SYNCFS_TELLS);
        assert_eq!(version_of(""), None);
    }
}
