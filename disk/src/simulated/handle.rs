//! An open file of the simulated disk. It stays readable and writable when its name goes, as on Linux.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::disk::{SimulatedDisk, State};
use super::faults::SyncKind;
use super::tree::Id;
use crate::{File, FileIdentity};

#[derive(Debug)]
pub(super) struct SimulatedFile {
    disk: SimulatedDisk,
    id: Id,
    path: PathBuf,
    writable: bool,
}

impl SimulatedFile {
    /// A file that was just counted as open.
    pub(super) fn boxed(disk: &SimulatedDisk, id: Id, path: &Path, writable: bool) -> Box<dyn File> {
        Box::new(Self {
            disk: disk.clone(),
            id,
            path: path.to_owned(),
            writable,
        })
    }

    fn change(&self, change: impl FnOnce(&mut State) -> io::Result<()>) -> io::Result<()> {
        if !self.writable {
            return Err(ErrorKind::PermissionDenied.into());
        }
        self.disk.operate(change)
    }

    /// How far the file may grow up to `len`.
    fn reachable(&self, state: &State, len: u64) -> io::Result<u64> {
        let now = state.tree.file(self.id)?.len();
        if len <= now || state.faults.capacity.is_none() {
            return Ok(len);
        }
        Ok(len.min(now.saturating_add(state.free_bytes())))
    }
}

impl File for SimulatedFile {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.change(|state| {
            let end = offset + bytes.len() as u64;
            let reachable = self.reachable(state, end)?;
            let lost = usize::try_from(end - reachable).map_or(bytes.len(), |lost| lost.min(bytes.len()));
            let late = lost > 0 && state.draws();
            let file = state.tree.file_mut(self.id)?;
            if lost == 0 || late {
                file.write(bytes, offset);
                file.set_unplaced(late);
                return Ok(());
            }
            file.write(&bytes[..bytes.len() - lost], offset);
            Err(ErrorKind::StorageFull.into())
        })
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.disk.look(|state| {
            if state.faults.read_fails(&self.path) {
                return Err(io::Error::other("the disk cannot read this"));
            }
            Ok(state.tree.file(self.id)?.read(buffer, offset))
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.operate(|state| {
            if state.faults.sync_is_omitted(&self.path, SyncKind::File) {
                return Ok(());
            }
            if state.tree.file_mut(self.id)?.take_unplaced() {
                let mut rng = ChaCha8Rng::seed_from_u64(state.power.operations());
                state.tree.file_mut(self.id)?.fail_sync(&mut rng);
                return Err(ErrorKind::StorageFull.into());
            }
            if state.faults.sync_fails(&self.path, SyncKind::File) {
                let mut rng = ChaCha8Rng::seed_from_u64(state.power.operations());
                state.tree.file_mut(self.id)?.fail_sync(&mut rng);
                return Err(io::Error::other("the file's sync failed"));
            }
            state.tree.file_mut(self.id)?.sync();
            Ok(())
        })
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.change(|state| {
            let reachable = self.reachable(state, len)?;
            let file = state.tree.file_mut(self.id)?;
            if reachable > file.len() {
                file.grow(reachable);
            }
            if reachable < len {
                return Err(ErrorKind::StorageFull.into());
            }
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(|state| {
            state.tree.file_mut(self.id)?.set_len(len);
            Ok(())
        })
    }

    fn len(&self) -> io::Result<u64> {
        self.disk.look(|state| Ok(state.tree.file(self.id)?.len()))
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        self.disk.look(|state| Ok(state.tree.identity(self.id)))
    }
}

impl Drop for SimulatedFile {
    fn drop(&mut self) {
        let mut state = self.disk.lock();
        if let Some(times) = state.open.get_mut(&self.id) {
            *times -= 1;
            if *times == 0 {
                state.open.remove(&self.id);
            }
        }
    }
}
