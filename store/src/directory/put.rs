//! How an object becomes durable: its bytes are synced under a staging name, the folders of its key made and synced, the
//! file renamed to its key (which never replaces), and that folder synced. Before the rename nothing is visible, so a
//! failure is determinate; after it, indeterminate.
//!
//! Objects in memory that are put at one time share their syncs. A file that is put keeps its name and gets a second one; for a
//! store on another file system it is copied there, which is synced like bytes from memory.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use bytes::Bytes;
use disk::File;

use super::door::{Inner, folder_of, surely_did_nothing, unchanged, unclear};
use super::folders::Made;
use super::staging::STAGED;
use crate::{Crc32c, Put, StoreError};

/// An object of this size is on its way to the disk before its group is synced: a sync that has much to write holds up
/// those of others, and the log's are waited for by clients. Small ones are written together.
const WRITTEN_SOON_BYTES: usize = 64 << 10;

/// What is read and written at a time when a file is copied to another file system.
const COPIED_AT_ONCE_BYTES: usize = 1 << 20;

/// How a put stands before its folder is synced.
type Named = Result<Put, StoreError>;

impl Inner {
    /// Puts objects from memory, each as if it were alone.
    pub(super) fn put_all(&self, puts: &[(String, Bytes)]) -> Vec<Result<Put, StoreError>> {
        match self.put_together(puts) {
            Ok(ended) => ended,
            // Nothing was put. One that cannot be put must not hold up the others.
            Err(_) if puts.len() > 1 => puts
                .iter()
                .flat_map(|put| self.put_all(std::slice::from_ref(put)))
                .collect(),
            Err(error) => {
                self.note_lost(&error);
                puts.iter()
                    .map(|(key, _)| Err(unchanged("put", key, &self.named(&error))))
                    .collect()
            }
        }
    }

    /// A folder that was known is not there: which of them are is looked for anew.
    fn note_lost(&self, error: &io::Error) {
        if error.kind() == ErrorKind::NotFound {
            self.folders.forget();
        }
    }

    /// An error that names the store's folder: on its own, "Not a directory" helps nobody.
    fn named(&self, error: &io::Error) -> String {
        let (root, said) = (self.root.display().to_string(), error.to_string());
        if said.contains(&root) {
            said
        } else {
            format!("{root}: {said}")
        }
    }

    /// Puts objects and shares their syncs. After an error surely nothing was put.
    fn put_together(&self, puts: &[(String, Bytes)]) -> io::Result<Vec<Result<Put, StoreError>>> {
        let removals = self.folders.removals();
        let mut made = Made::default();
        self.folders.make(&*self.disk, &self.root, &mut made)?;
        let mut group = self.disk.group(&self.root)?;
        let mut staged = Vec::with_capacity(puts.len());
        for (key, bytes) in puts {
            self.folders
                .make(&*self.disk, folder_of(&self.path(key)), &mut made)?;
            staged.push(self.stage(folder_of(&self.path(key)), bytes)?);
        }
        let files: Vec<&dyn File> = staged.iter().map(|staged| staged.file.as_ref()).collect();
        group.sync(&files, &made.parents())?;
        self.folders.keep(made, removals);
        let mut crossing = Vec::new();
        let mut named: Vec<(PathBuf, Named)> = Vec::with_capacity(puts.len());
        for (at, ((key, _), staged)) in puts.iter().zip(staged).enumerate() {
            let (path, staged_in) = (self.path(key), folder_of(&staged.path).to_owned());
            let renamed = self.rename(&path, staged);
            if crosses(&renamed) {
                crossing.push((at, staged_in));
            }
            named.push((path, self.visible(key, renamed)));
        }
        let mut folders: Vec<&Path> = named
            .iter()
            .filter(|(_, named)| named.is_ok())
            .map(|(path, _)| folder_of(path))
            .collect();
        folders.sort_unstable();
        folders.dedup();
        if let Err(error) = group.sync(&[], &folders) {
            for ((key, _), (_, named)) in puts.iter().zip(&mut named) {
                not_durable(key, named, &error);
            }
        }
        if self.folders.removals() != removals {
            for ((key, _), (path, named)) in puts.iter().zip(&mut named) {
                self.keep_anew(key, path, named);
            }
        }
        let mut ended: Vec<Named> = named.into_iter().map(|(_, named)| named).collect();
        for (at, staged_in) in crossing {
            // Its folder has a staging folder nearer to it now. That ends: at the latest the one in the folder itself will do.
            let key = &puts[at].0;
            let target = self.path(key);
            let deeper = self
                .staging
                .go_deeper(&*self.disk, folder_of(&target), &staged_in);
            ended[at] = match deeper {
                Ok(true) => self.put_all(&puts[at..=at]).pop().expect("one was put"),
                Ok(false) => continue,
                Err(error) => Err(unchanged("put", key, &self.named(&error))),
            };
        }
        Ok(ended)
    }

    /// Syncs all folders of an object that is visible, for some were removed and made anew meanwhile.
    fn keep_anew(&self, key: &str, path: &Path, named: &mut Named) {
        if named.is_ok()
            && let Err(error) = self.folders.sync_all(&*self.disk, folder_of(path))
        {
            not_durable(key, named, &error);
        }
    }

    /// Gives staged bytes their name.
    fn rename(&self, path: &Path, mut staged: Staged<'_>) -> io::Result<()> {
        let renamed = self.disk.rename_new(&staged.path, path);
        staged.is_named = renamed.is_ok();
        renamed
    }

    /// Puts a file by giving it a second name.
    pub(super) fn put_file(&self, key: &str, path: &Path, len: u64, crc: Crc32c) -> Result<Put, StoreError> {
        let determinate = |error: io::Error| unchanged("put", key, &error);
        let (target, removals) = (self.path(key), self.folders.removals());
        self.folders
            .ensure(&*self.disk, folder_of(&target))
            .inspect_err(|error| self.note_lost(error))
            .map_err(determinate)?;
        if self.disk.file_len(&target).map_err(determinate)?.is_none() {
            self.sync_whole(path, len).map_err(|error| of_file(key, &error))?;
        }
        let mut linked = self.disk.hard_link(path, &target);
        if crosses(&linked) {
            linked = self.copy(key, path, (len, crc), &target)?;
        }
        let mut named = self.visible(key, linked);
        if named.is_ok()
            && let Err(error) = self.disk.sync_dir(folder_of(&target))
        {
            not_durable(key, &mut named, &error);
        }
        if self.folders.removals() != removals {
            self.keep_anew(key, &target, &mut named);
        }
        named
    }

    /// Copies a file, which is synced, to the file system of a name, and gives the copy that name; answers how that ended.
    /// After an error nothing was changed; of the file, where it cannot be read as it was written.
    fn copy(
        &self,
        key: &str,
        path: &Path,
        (len, crc): (u64, Crc32c),
        target: &Path,
    ) -> Result<io::Result<()>, StoreError> {
        let determinate = |error: io::Error| unchanged("put", key, &error);
        let folder = folder_of(target);
        let from = self.disk.open_read(path).map_err(|error| of_file(key, &error))?;
        if folder_of(path) == self.staging.of(folder) {
            self.staging
                .go_deeper(&*self.disk, folder, folder_of(path))
                .map_err(determinate)?;
        }
        loop {
            let copied = self.stage_by(folder, |to| copy_whole(from.as_ref(), to, len));
            let (staged, copied) = copied.map_err(|failure| match failure {
                CopyFailure::Source(error) => of_file(key, &error),
                CopyFailure::Target(error) => determinate(error),
            })?;
            if copied != crc {
                let error = io::Error::other("it does not read as it was written: write it anew");
                return Err(of_file(key, &error));
            }
            staged.file.sync().map_err(determinate)?;
            let staged_in = folder_of(&staged.path).to_owned();
            let renamed = self.rename(target, staged);
            let goes_on = || {
                self.staging
                    .go_deeper(&*self.disk, folder, &staged_in)
                    .map_err(determinate)
            };
            if !crosses(&renamed) || !goes_on()? {
                return Ok(renamed);
            }
        }
    }

    /// What a change that makes an object visible means for the put. The object that is there already may be one whose
    /// folder nobody lived to sync: it is synced before that is answered. Its bytes were synced before it had its name.
    fn visible(&self, key: &str, changed: io::Result<()>) -> Named {
        match changed {
            Ok(()) => Ok(Put::Created),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Put::AlreadyThere),
            Err(error) if surely_did_nothing(&error) => {
                self.folders.forget();
                Err(unchanged("put", key, &self.named(&error)))
            }
            Err(error) => Err(unclear("put", key, &self.named(&error))),
        }
    }

    /// Writes the bytes under a fresh staging name, for a name in `folder`.
    fn stage(&self, folder: &Path, bytes: &Bytes) -> io::Result<Staged<'_>> {
        let (staged, ()) = self.stage_by(folder, |file| {
            file.write_all_at(bytes, 0)?;
            if bytes.len() >= WRITTEN_SOON_BYTES {
                file.write_soon();
            }
            Ok::<_, io::Error>(())
        })?;
        Ok(staged)
    }

    /// Writes under a fresh staging name, which need not become durable.
    fn stage_by<T, E: From<io::Error>>(
        &self,
        folder: &Path,
        write: impl FnOnce(&dyn File) -> Result<T, E>,
    ) -> Result<(Staged<'_>, T), E> {
        let staging = self.staging.of(folder);
        let staged = loop {
            let number = self.next_staging_name.fetch_add(1, Ordering::Relaxed);
            let path = staging.join(format!("{STAGED}{number}"));
            match self.disk.create_new(&path) {
                Ok(file) => {
                    break Staged {
                        inner: self,
                        path,
                        file,
                        is_named: false,
                    };
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) if error.kind() == ErrorKind::NotFound => self.disk.create_dir(&staging)?,
                Err(error) => return Err(error.into()),
            }
        };
        let written = write(staged.file.as_ref())?;
        Ok((staged, written))
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
            let advice = "its bytes may be lost though they can still be read";
            io::Error::new(error.kind(), format!("its sync failed ({error}); {advice}"))
        })
    }
}

/// Whether a name was not given because it lies on another file system.
fn crosses(renamed: &io::Result<()>) -> bool {
    renamed
        .as_ref()
        .is_err_and(|error| error.kind() == ErrorKind::CrossesDevices)
}

/// Why a file was not copied.
enum CopyFailure {
    /// It could not be read.
    Source(io::Error),
    /// The copy could not be written.
    Target(io::Error),
}

impl From<io::Error> for CopyFailure {
    fn from(error: io::Error) -> Self {
        Self::Target(error)
    }
}

/// Copies so many bytes; their checksum as they were read.
fn copy_whole(from: &dyn File, to: &dyn File, len: u64) -> Result<Crc32c, CopyFailure> {
    let mut piece = vec![0; COPIED_AT_ONCE_BYTES];
    let (mut at, mut crc) = (0, Crc32c::default());
    while at < len {
        let wanted = usize::try_from(len - at).map_or(piece.len(), |left| left.min(piece.len()));
        let read = from
            .read_at(&mut piece[..wanted], at)
            .map_err(CopyFailure::Source)?;
        if read == 0 {
            let shorter = io::Error::other("the file to put became shorter: write it anew");
            return Err(CopyFailure::Source(shorter));
        }
        crc = crc.and(Crc32c::of(&piece[..read]));
        to.write_all_at(&piece[..read], at)?;
        to.write_soon();
        at += read as u64;
    }
    Ok(crc)
}

/// The file to put cannot be relied on.
fn of_file(key: &str, error: &io::Error) -> StoreError {
    StoreError::File {
        key: key.to_owned(),
        cause: error.to_string(),
    }
}

/// The folder of a visible object could not be synced.
fn not_durable(key: &str, named: &mut Named, error: &io::Error) {
    *named = match named {
        Ok(Put::Created) => Err(unclear("put", key, error)),
        Ok(Put::AlreadyThere) => Err(unchanged("put", key, error)),
        Err(_) => return,
    };
}

/// Bytes under a staging name, which is removed unless it was changed into that of a key.
struct Staged<'a> {
    inner: &'a Inner,
    path: PathBuf,
    file: Box<dyn File>,
    is_named: bool,
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if self.is_named {
            return;
        }
        if let Err(error) = self.inner.disk.remove_file(&self.path) {
            tracing::debug!(%error, "a staging file of the directory store stays until the next start");
        }
    }
}
