//! How an object becomes durable: its bytes are synced under a staging name, the folders of its key made and synced, the
//! file linked to its key (which never replaces), and that folder synced. Before the link nothing is visible, so a failure
//! is determinate; after it, indeterminate.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::door::{Inner, folder_of, surely_did_nothing, unchanged, unclear};
use crate::{Payload, Put, StoreError};

impl Inner {
    pub(super) fn put(&self, key: &str, payload: &Payload) -> Result<Put, StoreError> {
        let determinate = |error: io::Error| unchanged("put", key, &error);
        let target = self.path(key);
        self.folders
            .ensure(&*self.disk, folder_of(&target))
            .map_err(determinate)?;
        if self.disk.file_len(&target).map_err(determinate)?.is_some() {
            return self.already_there(key, &target);
        }
        let staged;
        let source = match payload {
            Payload::Bytes(bytes) => {
                staged = self.stage(bytes).map_err(determinate)?;
                staged.path.as_path()
            }
            Payload::File { path, len } => {
                self.sync_whole(path, *len).map_err(determinate)?;
                path.as_path()
            }
        };
        self.link(key, source, &target)
    }

    fn link(&self, key: &str, source: &Path, target: &Path) -> Result<Put, StoreError> {
        match self.disk.hard_link(source, target) {
            Ok(()) => match self.disk.sync_dir(folder_of(target)) {
                Ok(()) => Ok(Put::Created),
                Err(error) => Err(unclear("put", key, &error)),
            },
            Err(error) if error.kind() == ErrorKind::AlreadyExists => self.already_there(key, target),
            Err(error) if surely_did_nothing(&error) => {
                self.folders.forget();
                Err(unchanged("put", key, &error))
            }
            Err(error) => Err(unclear("put", key, &error)),
        }
    }

    /// The object that is there may be one whose folder nobody lived to sync: only a durable one is answered. Its bytes
    /// were synced before they were linked.
    fn already_there(&self, key: &str, target: &Path) -> Result<Put, StoreError> {
        match self.disk.sync_dir(folder_of(target)) {
            Ok(()) => Ok(Put::AlreadyThere),
            Err(error) => Err(unchanged("put", key, &error)),
        }
    }

    /// Writes and syncs the bytes under a fresh staging name. The name itself need not be durable.
    fn stage(&self, bytes: &Bytes) -> io::Result<Staged<'_>> {
        let (staged, file) = loop {
            let number = self.next_staging_name.fetch_add(1, Ordering::Relaxed);
            let path = self.staging.join(format!("put-{number}"));
            match self.disk.create_new(&path) {
                Ok(file) => break (Staged { inner: self, path }, file),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) if error.kind() == ErrorKind::NotFound => self.disk.create_dir(&self.staging)?,
                Err(error) => return Err(error),
            }
        };
        file.write_all_at(bytes, 0)?;
        file.sync()?;
        Ok(staged)
    }

    fn sync_whole(&self, path: &Path, len: u64) -> io::Result<()> {
        let file = self.disk.open_read(path)?;
        let found = file.len()?;
        if found != len {
            return Err(io::Error::other(format!(
                "the file to put has {found} bytes, {len} were announced: write it anew"
            )));
        }
        file.sync().map_err(|error| {
            let advice = "its bytes may be lost though they can still be read: write the file anew before the next put";
            io::Error::new(error.kind(), format!("{error}; {advice}"))
        })
    }
}

/// A staging name, removed when the put ends, however it ends.
struct Staged<'a> {
    inner: &'a Inner,
    path: PathBuf,
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.inner.disk.remove_file(&self.path) {
            tracing::debug!(%error, "a staging file of the directory store stays until the next start");
        }
    }
}
