//! The door over the tree: each operation as Linux ends it, error kinds included.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::disk::SimulatedDisk;
use super::faults::SyncKind;
use super::handle::SimulatedFile;
use super::inode::Inode;
use super::tree::Slot;
use crate::{Disk, File, FileIdentity, Group};

impl Disk for SimulatedDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.operate(|state| {
            let (folder, name, taken) = state.tree.place(path)?;
            match taken {
                Some(id) if state.tree.is_folder(id) => Ok(()),
                Some(_) => Err(ErrorKind::AlreadyExists.into()),
                None => {
                    state.check_room()?;
                    let to = Some(state.tree.new_folder(folder));
                    state.tree.change(vec![Slot { folder, name, to }]);
                    Ok(())
                }
            }
        })
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.operate(|state| {
            let folder = state.tree.lookup(path)?;
            state.tree.entries(folder)?;
            if state.faults.sync_is_omitted(path, SyncKind::Folder) {
                return Ok(());
            }
            if state.faults.sync_fails(path, SyncKind::Folder) {
                return Err(io::Error::other("the folder's sync failed"));
            }
            state.tree.sync_folder(folder, &state.open);
            Ok(())
        })
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let id = self.operate(|state| {
            let (folder, name, taken) = state.tree.place(path)?;
            if taken.is_some() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            state.check_room()?;
            let id = state.tree.new_file(folder);
            state.tree.change(vec![Slot {
                folder,
                name,
                to: Some(id),
            }]);
            *state.open.entry(id).or_default() += 1;
            Ok(id)
        })?;
        Ok(SimulatedFile::boxed(self, id, path, true))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.open_file(path, true)
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.open_file(path, false)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operate(|state| {
            let (from_folder, from_name, source) = state.tree.place(from)?;
            let (to_folder, to_name, target) = state.tree.place(to)?;
            state.tree.check_device(from_folder, to_folder)?;
            let source = source.ok_or(ErrorKind::NotFound)?;
            if [Some(source), target]
                .into_iter()
                .flatten()
                .any(|id| state.tree.is_folder(id))
            {
                return Err(ErrorKind::IsADirectory.into());
            }
            if target.is_none() {
                state.check_room_for_a_name()?;
            }
            // Two names of one file: rename(2) does nothing then.
            if target != Some(source) {
                state.tree.change(vec![
                    Slot {
                        folder: from_folder,
                        name: from_name,
                        to: None,
                    },
                    Slot {
                        folder: to_folder,
                        name: to_name,
                        to: Some(source),
                    },
                ]);
            }
            Ok(())
        })
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operate(|state| {
            let (from_folder, from_name, source) = state.tree.place(from)?;
            let (to_folder, to_name, target) = state.tree.place(to)?;
            state.tree.check_device(from_folder, to_folder)?;
            let source = source.ok_or(ErrorKind::NotFound)?;
            if target.is_some() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            if state.tree.is_folder(source) {
                return Err(ErrorKind::IsADirectory.into());
            }
            state.check_room_for_a_name()?;
            state.tree.change(vec![
                Slot {
                    folder: from_folder,
                    name: from_name,
                    to: None,
                },
                Slot {
                    folder: to_folder,
                    name: to_name,
                    to: Some(source),
                },
            ]);
            Ok(())
        })
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operate(|state| {
            let source = state.tree.lookup(from)?;
            let (folder, name, taken) = state.tree.place(to)?;
            if taken.is_some() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            state.tree.check_device(source, folder)?;
            if state.tree.is_folder(source) {
                return Err(ErrorKind::PermissionDenied.into());
            }
            state.check_room()?;
            state.tree.change(vec![Slot {
                folder,
                name,
                to: Some(source),
            }]);
            Ok(())
        })
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.operate(|state| {
            let (folder, name, taken) = state.tree.place(path)?;
            if state.tree.is_folder(taken.ok_or(ErrorKind::NotFound)?) {
                return Err(ErrorKind::IsADirectory.into());
            }
            state.tree.change(vec![Slot {
                folder,
                name,
                to: None,
            }]);
            Ok(())
        })
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.operate(|state| {
            let (folder, name, taken) = state.tree.place(path)?;
            // Its names end with that of it; a file that is open has none besides.
            if !state.tree.entries(taken.ok_or(ErrorKind::NotFound)?)?.is_empty() {
                return Err(ErrorKind::DirectoryNotEmpty.into());
            }
            let to = None;
            state.tree.change(vec![Slot { folder, name, to }]);
            Ok(())
        })
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
        self.look(|state| {
            let entries = state.tree.entries(state.tree.lookup(path)?)?.into_iter();
            Ok(entries
                .map(|(name, is_folder)| (path.join(name), is_folder))
                .collect())
        })
    }

    fn file_len(&self, path: &Path) -> io::Result<Option<u64>> {
        self.look(|state| match state.tree.lookup(path) {
            Ok(id) => Ok(state.tree.file(id).ok().map(Inode::len)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn identity(&self, path: &Path) -> io::Result<Option<FileIdentity>> {
        self.look(|state| match state.tree.lookup(path) {
            Ok(id) => Ok(Some(state.tree.identity(id))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn hold(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let id = self.look(|state| {
            let id = state.tree.lookup(path)?;
            *state.open.entry(id).or_default() += 1;
            Ok(id)
        })?;
        Ok(SimulatedFile::boxed(self, id, path, false))
    }

    fn group(&self, path: &Path) -> io::Result<Box<dyn Group>> {
        self.look(|state| {
            let folder = state.tree.lookup(path)?;
            state.tree.entries(folder).map(drop)
        })?;
        Ok(Box::new(SimulatedGroup(self.clone())))
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        self.look(|state| {
            state.tree.lookup(path)?;
            Ok(state.free_bytes())
        })
    }
}

/// Syncs one by one: the power may fail between any two. When one fails, what the others still had to write counts as clean, too,
/// as after a `syncfs` that fails.
#[derive(Debug)]
struct SimulatedGroup(SimulatedDisk);

impl Group for SimulatedGroup {
    fn sync(&mut self, files: &[&dyn File], folders: &[&Path]) -> io::Result<()> {
        let mut synced = Ok(());
        for file in files {
            let one = file.sync();
            if synced.is_ok() && one.is_err() {
                self.0.lock().faults.group_failed = true;
                synced = one;
            }
        }
        self.0.lock().faults.group_failed = false;
        synced?;
        folders.iter().try_for_each(|folder| self.0.sync_dir(folder))
    }
}
