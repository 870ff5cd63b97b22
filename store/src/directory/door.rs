//! The directory store's shell: keys become paths, file system errors become the door's, blocking calls leave the runtime.
//!
//! What does not live here: the steps of a put and the walk of a listing.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use async_trait::async_trait;
use bytes::Bytes;
use disk::Disk;

use super::folders::Folders;
use super::queue::Queue;
use super::staging::{self, Staging};
use crate::{ListPage, ObjectMeta, Payload, Put, Store, StoreError, check_key};

/// Where file system calls run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocking {
    /// On the runtime's pool for blocking work.
    Pool,
    /// In the task that asks: for simulations, whose order of calls must not depend on threads.
    Inline,
}

/// Objects as files below one folder. A key and a longer key that goes on after a `/` cannot both be there, for a name is
/// a file or a folder. A folder goes with its last object.
#[derive(Clone, Debug)]
pub struct DirectoryStore {
    inner: Arc<Inner>,
    blocking: Blocking,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) root: PathBuf,
    pub(super) staging: Staging,
    pub(super) folders: Folders,
    pub(super) next_staging_name: AtomicU64,
    pub(super) queue: Queue,
}

impl DirectoryStore {
    /// Objects below `root`, made from files in `staging`. Both are made when missing (their parents must be there and
    /// durable); whoever owns the folder empties `staging` at its start. Where the store, or a part of it, lies on another
    /// file system than `staging`, it gets a staging folder of its own, `.highwater-staging`: no segment of a key is called so.
    pub fn new(disk: Arc<dyn Disk>, root: PathBuf, staging: PathBuf, blocking: Blocking) -> Self {
        Self {
            inner: Arc::new(Inner {
                folders: Folders::new(root.clone()),
                disk,
                staging: Staging::new(root.clone(), staging),
                root,
                next_staging_name: AtomicU64::new(0),
                queue: Queue::default(),
            }),
            blocking,
        }
    }

    /// Makes the root, durably, if it is missing. Once that is done it is never made again: a root that is gone later is a
    /// disk that is not mounted, or was moved, and puts fail until it is back.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn make_root(&self) -> io::Result<()> {
        self.inner.folders.ensure(&*self.inner.disk, &self.inner.root)
    }

    /// Puts objects from memory at once, in the calling thread, so that they share their syncs. Each ends as if it were
    /// put alone.
    pub fn put_together(&self, puts: &[(String, Bytes)]) -> Vec<Result<Put, StoreError>> {
        if puts.iter().all(|(key, _)| checked("put", key).is_ok()) {
            return self.inner.put_all(puts);
        }
        let alone = |(key, bytes): &(String, Bytes)| {
            let mut ended = self.inner.put_all(&[(checked("put", key)?, bytes.clone())]);
            ended.pop().expect("one was put")
        };
        puts.iter().map(alone).collect()
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Inner) -> T + Send + 'static) -> T {
        match self.blocking {
            Blocking::Inline => work(&self.inner),
            Blocking::Pool => {
                let inner = Arc::clone(&self.inner);
                service::task::blocking(move || work(&inner)).await
            }
        }
    }
}

#[async_trait]
impl Store for DirectoryStore {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        let key = checked("put", key)?;
        match (payload, self.blocking) {
            (Payload::Bytes(bytes), Blocking::Pool) => Queue::put(&self.inner, key, bytes).await,
            (Payload::Bytes(bytes), Blocking::Inline) => {
                let mut ended = self.inner.put_all(&[(key, bytes)]);
                ended.pop().expect("one was put")
            }
            (Payload::File { path, len, crc }, _) => {
                self.run(move |inner| inner.put_file(&key, &path, len, crc)).await
            }
        }
    }

    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        self.get_range(key, 0..u64::MAX).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        let key = checked("get", key)?;
        let bytes = self.run(move |inner| inner.read(&key, |_| range)).await?;
        Ok(bytes.0)
    }

    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        let key = checked("get", key)?;
        self.run(move |inner| inner.read(&key, |whole| whole.saturating_sub(len)..whole))
            .await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        let key = checked("head", key)?;
        self.run(move |inner| {
            let len = inner.disk.file_len(&inner.path(&key));
            match len.map_err(|error| unchanged("head", &key, &error))? {
                Some(len) => Ok(Some(ObjectMeta { key, len })),
                None => inner.surely_absent("head", &key).map(|()| None),
            }
        })
        .await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.run(move |inner| inner.list(&prefix, after.as_deref(), limit))
            .await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let key = checked("delete", key)?;
        self.run(move |inner| inner.delete(&key)).await
    }
}

impl Inner {
    /// The file that holds the object. Only for checked keys.
    pub(super) fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// The object's bytes in a range chosen by its length, and that length.
    fn read(&self, key: &str, range_of: impl FnOnce(u64) -> Range<u64>) -> Result<(Bytes, u64), StoreError> {
        let path = self.path(key);
        let failed = |error: &io::Error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => StoreError::NotFound { key: key.to_owned() },
            _ => unchanged("get", key, error),
        };
        // A folder of that name is no object, and would open.
        if self
            .disk
            .file_len(&path)
            .map_err(|error| failed(&error))?
            .is_none()
        {
            self.surely_absent("get", key)?;
            return Err(StoreError::NotFound { key: key.to_owned() });
        }
        let read = || {
            let file = self.disk.open_read(&path)?;
            let whole = file.len()?;
            let range = range_of(whole);
            let end = range.end.min(whole);
            let wanted = usize::try_from(end.saturating_sub(range.start)).map_err(io::Error::other)?;
            let mut bytes = vec![0; wanted];
            let read = file.read_at(&mut bytes, range.start)?;
            bytes.truncate(read);
            Ok((Bytes::from(bytes), whole))
        };
        read().map_err(|error| failed(&error))
    }

    /// That no file is there says something only while the store's folder can be read: a disk that is not mounted holds no
    /// object either, and has lost none.
    fn surely_absent(&self, verb: &'static str, key: &str) -> Result<(), StoreError> {
        match self.disk.read_dir(&self.root) {
            Ok(_) => Ok(()),
            Err(error) => {
                let folder = self.root.display();
                let error = io::Error::new(
                    error.kind(),
                    format!("the store's folder {folder} cannot be read: {error}"),
                );
                Err(unchanged(verb, key, &error))
            }
        }
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        let path = self.path(key);
        let folder = folder_of(&path);
        match self.disk.remove_file(&path) {
            Ok(()) => {}
            // It may have been removed by a call whose end is not durable yet: so the folder is synced all the same.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if error.kind() == ErrorKind::NotADirectory => return Ok(()),
            // A folder is no object.
            Err(error) if error.kind() == ErrorKind::IsADirectory => return Ok(()),
            Err(error) if surely_did_nothing(&error) => return Err(unchanged("delete", key, &error)),
            Err(error) => return Err(unclear("delete", key, &error)),
        }
        match self.disk.sync_dir(folder) {
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(unclear("delete", key, &error));
            }
            _ => {}
        }
        self.folders.remove_empty(&*self.disk, folder);
        Ok(())
    }
}

/// The folder a key's file lies in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent()
        .expect("a key has a segment, so its path is longer than the root")
}

/// Whether a failed change of an entry surely changed nothing, as the kernel checks these before it begins.
pub(super) fn surely_did_nothing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::CrossesDevices
            | ErrorKind::TooManyLinks
            | ErrorKind::InvalidFilename
    )
}

pub(super) fn unchanged(action: &'static str, key: &str, cause: &dyn std::fmt::Display) -> StoreError {
    StoreError::Determinate {
        action,
        key: key.to_owned(),
        cause: cause.to_string(),
    }
}

pub(super) fn unclear(action: &'static str, key: &str, cause: &dyn std::fmt::Display) -> StoreError {
    StoreError::Indeterminate {
        action,
        key: key.to_owned(),
        cause: cause.to_string(),
    }
}

fn checked(action: &'static str, key: &str) -> Result<String, StoreError> {
    match check_key(key) {
        Ok(()) if key.split('/').any(|segment| segment == staging::FOLDER) => Err(unchanged(
            action,
            key,
            &format!("`{}` is no segment of a key: take another name", staging::FOLDER),
        )),
        Ok(()) => Ok(key.to_owned()),
        Err(error) => Err(unchanged(action, key, &error)),
    }
}
