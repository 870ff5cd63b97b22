//! The simulated disk: its state, and what a test may do to it.
//!
//! What does not live here: the door, in `door.rs`.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::faults::{Faults, SyncKind};
use super::handle::SimulatedFile;
use super::power::{Moment, Power};
use super::tree::{Id, Tree};
use crate::{Disk, File};

/// Room on a disk of which nothing else was said: 1 TiB.
const CAPACITY_BYTES: u64 = 1 << 40;

/// A file system in memory that forgets what was not synced. It begins with the folder `/`; clones share it.
///
/// A file whose bytes were synced is gone after a power cut if its name was not; a name that was removed, or renamed, may
/// come back; of a write of many sectors any may be lost; a later change may survive an earlier one.
#[derive(Clone, Debug)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) tree: Tree,
    pub(super) power: Power,
    pub(super) faults: Faults,
    /// How often each file is open.
    pub(super) open: BTreeMap<Id, usize>,
}

impl State {
    pub(super) fn free_bytes(&self) -> u64 {
        let capacity = self.faults.capacity.unwrap_or(CAPACITY_BYTES);
        capacity.saturating_sub(self.tree.used_bytes(&self.open))
    }

    /// A full disk takes no new files and folders.
    pub(super) fn check_room(&self) -> io::Result<()> {
        if self.is_full() {
            return Err(ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    /// A full disk may have room for a further name of a file, or not: a folder's block may be full, too.
    pub(super) fn check_room_for_a_name(&self) -> io::Result<()> {
        if self.is_full() && self.draws() {
            return Err(ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.faults.capacity.is_some() && self.free_bytes() == 0
    }

    /// One of two ways in which a file system may do this operation; the same operations draw the same.
    pub(super) fn draws(&self) -> bool {
        ChaCha8Rng::seed_from_u64(self.power.operations()).random_bool(0.5)
    }
}

impl Default for SimulatedDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl SimulatedDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::holding(Tree::new())
    }

    fn holding(tree: Tree) -> Self {
        let state = State {
            tree,
            power: Power::default(),
            faults: Faults::default(),
            open: BTreeMap::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// This disk as the door that others take.
    pub fn shared(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }

    /// The disk as found after a power cut at this moment: all that was synced, and of the rest a part that the seed
    /// chooses. The found disk has no faults; this one stays as it is.
    pub fn crash(&self, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        Self::holding(self.lock().tree.after_power_cut(&mut rng))
    }

    /// The disk as found after the process was killed at this moment: all that was written is there, and what was not
    /// synced still is not. The found disk has no faults; this one stays as it is.
    pub fn kill(&self) -> Self {
        Self::holding(self.lock().tree.clone())
    }

    /// Operations that change or sync something, so far. Reading is not counted: a power cut before a read finds the same
    /// disk as one after the change before it.
    pub fn operations(&self) -> u64 {
        self.lock().power.operations()
    }

    /// From this operation on (counted as by [`Self::operations`], the first is 1) everything fails, reading too, on
    /// open files too. The moment says whether that one operation still takes effect.
    pub fn fail_at(&self, operation: u64, moment: Moment) {
        self.lock().power.cut_at(operation, moment);
    }

    /// From now on everything fails.
    pub fn power_off(&self) {
        self.lock().power.turn_off();
    }

    /// Whether the power is off.
    pub fn is_off(&self) -> bool {
        self.lock().power.is_off()
    }

    /// The chosen syncs fail. Of what a file's sync should have written a part is written, the rest never: its pages count as
    /// clean, and a later sync succeeds without them. A folder's failed sync may be tried again, as journals are.
    pub fn fail_syncs(&self, choose: impl FnMut(&Path, SyncKind) -> bool + Send + 'static) {
        self.lock().faults.failing_syncs = Some(Box::new(choose));
    }

    /// The chosen syncs do nothing and report success, so that a test can show what each sync is for.
    pub fn omit_syncs(&self, choose: impl FnMut(&Path, SyncKind) -> bool + Send + 'static) {
        self.lock().faults.omitted_syncs = Some(Box::new(choose));
    }

    /// Reads of the chosen files fail.
    pub fn fail_reads(&self, choose: impl FnMut(&Path) -> bool + Send + 'static) {
        self.lock().faults.failing_reads = Some(Box::new(choose));
    }

    /// From now on another file system, empty, is mounted at a folder, also after a power cut. What was there is back when
    /// it is unmounted.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn mount(&self, path: &Path) -> io::Result<()> {
        self.lock().tree.mount(path)
    }

    /// Takes away what was mounted there.
    ///
    /// # Errors
    /// When nothing was.
    pub fn unmount(&self, path: &Path) -> io::Result<()> {
        self.lock().tree.unmount(path)
    }

    /// A file, or a folder with all that is in it, loses its name at once and for good, as by somebody else's `rm -rf`. What
    /// is open lives on.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove_all(&self, path: &Path) -> io::Result<()> {
        self.lock().tree.remove_all(path)
    }

    /// Files may take this many bytes together. What does not fit is found at the write, of which a part is done then, or
    /// only at the sync; a reservation takes what there is before it fails; and a full disk takes no new files, and new
    /// names of files only sometimes.
    pub fn set_capacity(&self, bytes: u64) {
        self.lock().faults.capacity = Some(bytes);
    }

    /// Nothing can be changed or synced from now on, as on a file system that met an error and became read-only.
    pub fn be_read_only(&self) {
        self.lock().faults.is_read_only = true;
    }

    /// Bytes that files take together by now.
    pub fn used_bytes(&self) -> u64 {
        let state = self.lock();
        state.tree.used_bytes(&state.open)
    }

    /// No faults any more. Power that is off stays off.
    pub fn heal(&self) {
        self.lock().faults = Faults::default();
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic inside is a broken test, which ends anyway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One counted operation.
    pub(super) fn operate<T>(&self, operation: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.lock();
        state.power.begin()?;
        let result = if state.faults.is_read_only {
            Err(ErrorKind::ReadOnlyFilesystem.into())
        } else {
            operation(&mut state)
        };
        state.power.end(result)
    }

    /// A look at the disk.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.lock();
        state.power.check()?;
        look(&mut state)
    }

    pub(super) fn open_file(&self, path: &Path, writable: bool) -> io::Result<Box<dyn File>> {
        let id = self.look(|state| {
            let id = state.tree.lookup(path)?;
            state.tree.file(id)?;
            *state.open.entry(id).or_default() += 1;
            Ok(id)
        })?;
        Ok(SimulatedFile::boxed(self, id, path, writable))
    }
}
