//! The folders: which names the platter holds, which the page cache shows, and the changes between the two.
//!
//! A change sets one name (made, linked, removed) or two at once (renamed), and reaches the platter whole or not at all, in
//! any company. That is harder than a journaling file system, which keeps their order: code that is right here leans on no
//! order that nobody promises.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use rand::{Rng, RngExt};

use super::inode::Inode;
use crate::FileIdentity;

/// What a name leads to: a file or a folder.
pub(super) type Id = u64;
/// The folder `/`.
const ROOT: Id = 0;
const NAME_BYTES: usize = 255;
/// How likely an unsynced change survives a power cut; drawn for each file, and once for the names. The ends are in it, as
/// most losses show when all of one kind is lost and all of another kept.
const CHANCES: [f64; 5] = [0.0, 0.05, 0.5, 0.95, 1.0];

#[derive(Clone, Debug, Default)]
struct Folder {
    durable: BTreeMap<OsString, Id>,
    cached: BTreeMap<OsString, Id>,
}

/// A name set to what it leads to from now on.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) folder: Id,
    pub(super) name: OsString,
    pub(super) to: Option<Id>,
}

/// Names that change at one instant.
type Change = Vec<Slot>;

/// Files, folders and names.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    files: BTreeMap<Id, Inode>,
    folders: BTreeMap<Id, Folder>,
    pending: Vec<Change>,
    next: Id,
    /// The file system of what lies on another than `/` does.
    devices: BTreeMap<Id, u64>,
    /// What was there before a file system was mounted.
    covered: BTreeMap<PathBuf, Id>,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self {
            files: BTreeMap::new(),
            folders: BTreeMap::from([(ROOT, Folder::default())]),
            pending: Vec::new(),
            next: ROOT + 1,
            devices: BTreeMap::new(),
            covered: BTreeMap::new(),
        }
    }

    /// What the path leads to.
    pub(super) fn lookup(&self, path: &Path) -> io::Result<Id> {
        let mut at = ROOT;
        for component in path.components() {
            match component {
                Component::RootDir | Component::CurDir => {}
                Component::Normal(name) => at = self.entry(at, name)?.ok_or(ErrorKind::NotFound)?,
                Component::ParentDir | Component::Prefix(_) => return Err(ErrorKind::InvalidInput.into()),
            }
        }
        Ok(at)
    }

    /// The folder a path's last name is in, that name, and what it leads to now.
    pub(super) fn place(&self, path: &Path) -> io::Result<(Id, OsString, Option<Id>)> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(ErrorKind::InvalidInput.into());
        };
        if name.len() > NAME_BYTES {
            return Err(ErrorKind::InvalidFilename.into());
        }
        let folder = self.lookup(parent)?;
        Ok((folder, name.to_owned(), self.entry(folder, name)?))
    }

    fn entry(&self, folder: Id, name: &OsStr) -> io::Result<Option<Id>> {
        let folder = self.folders.get(&folder).ok_or(ErrorKind::NotADirectory)?;
        Ok(folder.cached.get(name).copied())
    }

    /// The names in a folder, sorted, with whether each is a folder.
    pub(super) fn entries(&self, folder: Id) -> io::Result<Vec<(OsString, bool)>> {
        let entries = &self.folders.get(&folder).ok_or(ErrorKind::NotADirectory)?.cached;
        let entries = entries.iter();
        Ok(entries
            .map(|(name, id)| (name.clone(), self.is_folder(*id)))
            .collect())
    }

    pub(super) fn is_folder(&self, id: Id) -> bool {
        self.folders.contains_key(&id)
    }

    pub(super) fn file(&self, id: Id) -> io::Result<&Inode> {
        self.files.get(&id).ok_or_else(|| ErrorKind::IsADirectory.into())
    }

    pub(super) fn file_mut(&mut self, id: Id) -> io::Result<&mut Inode> {
        self.files
            .get_mut(&id)
            .ok_or_else(|| ErrorKind::IsADirectory.into())
    }

    /// A file without a name, on the file system of this folder.
    pub(super) fn new_file(&mut self, folder: Id) -> Id {
        let id = self.new_id(self.device(folder));
        self.files.insert(id, Inode::default());
        id
    }

    /// A folder without a name, on the file system of this one.
    pub(super) fn new_folder(&mut self, folder: Id) -> Id {
        let id = self.new_id(self.device(folder));
        self.folders.insert(id, Folder::default());
        id
    }

    fn new_id(&mut self, device: u64) -> Id {
        let id = self.next;
        self.next += 1;
        if device != 0 {
            self.devices.insert(id, device);
        }
        id
    }

    fn device(&self, id: Id) -> u64 {
        self.devices.get(&id).copied().unwrap_or(0)
    }

    /// Ids are never given again, so this is kinder than a real file system only to who compares with what it does not hold.
    pub(super) fn identity(&self, id: Id) -> FileIdentity {
        FileIdentity {
            device: self.device(id),
            inode: id,
        }
    }

    /// Whether a name can lead from one to the other.
    pub(super) fn check_device(&self, one: Id, other: Id) -> io::Result<()> {
        match self.device(one) == self.device(other) {
            true => Ok(()),
            false => Err(ErrorKind::CrossesDevices.into()),
        }
    }

    /// A new, empty file system at a folder, for good.
    pub(super) fn mount(&mut self, path: &Path) -> io::Result<()> {
        let below = self.lookup(path)?;
        self.entries(below)?;
        let id = self.new_id(self.next);
        self.folders.insert(id, Folder::default());
        self.covered.insert(path.to_owned(), below);
        self.lead(path, Some(id))
    }

    /// What was there before.
    pub(super) fn unmount(&mut self, path: &Path) -> io::Result<()> {
        let below = self.covered.remove(path).ok_or(ErrorKind::InvalidInput)?;
        self.lead(path, Some(below))
    }

    /// Takes a name away, for good, and with a folder's all names below it.
    pub(super) fn remove_all(&mut self, path: &Path) -> io::Result<()> {
        let (parent, name, top) = self.place(path)?;
        let mut gone = vec![top.ok_or(ErrorKind::NotFound)?];
        while let Some(id) = gone.pop() {
            if let Some(folder) = self.folders.get_mut(&id) {
                gone.extend(std::mem::take(folder).cached.into_values());
            }
            // What was still on its way to the platter does not arrive.
            self.pending.retain(|change| {
                let arrives =
                    |slot: &Slot| slot.folder != id && !(slot.folder == parent && slot.name == name);
                change.iter().all(arrives)
            });
        }
        self.lead(path, None)
    }

    /// Has a path lead elsewhere, at once and durably.
    fn lead(&mut self, path: &Path, to: Option<Id>) -> io::Result<()> {
        let (folder, name, _) = self.place(path)?;
        let slot = Slot { folder, name, to };
        self.set(&slot, |folder| &mut folder.cached);
        self.set(&slot, |folder| &mut folder.durable);
        Ok(())
    }

    /// Changes names at one instant, in the page cache.
    pub(super) fn change(&mut self, change: Change) {
        for slot in &change {
            self.set(slot, |folder| &mut folder.cached);
        }
        self.pending.push(change);
    }

    fn set(&mut self, slot: &Slot, side: impl FnOnce(&mut Folder) -> &mut BTreeMap<OsString, Id>) {
        let folder = self
            .folders
            .get_mut(&slot.folder)
            .expect("folders are never removed");
        let entries = side(folder);
        match slot.to {
            Some(id) => entries.insert(slot.name.clone(), id),
            None => entries.remove(&slot.name),
        };
    }

    /// Brings a folder's names to the platter, and with them what else changed at the same instants, or before at the
    /// same names.
    pub(super) fn sync_folder(&mut self, folder: Id, open: &BTreeMap<Id, usize>) {
        let mut due: BTreeSet<(Id, OsString)> = BTreeSet::new();
        let (mut kept, mut written) = (Vec::new(), Vec::new());
        for change in std::mem::take(&mut self.pending).into_iter().rev() {
            let touches =
                |slot: &Slot| slot.folder == folder || due.contains(&(slot.folder, slot.name.clone()));
            if change.iter().any(touches) {
                due.extend(change.iter().map(|slot| (slot.folder, slot.name.clone())));
                written.push(change);
            } else {
                kept.push(change);
            }
        }
        kept.reverse();
        self.pending = kept;
        for slot in written.iter().rev().flatten() {
            self.set(slot, |folder| &mut folder.durable);
        }
        if written.iter().flatten().any(|slot| slot.to.is_none()) {
            self.forget_nameless(open);
        }
    }

    /// Forgets files that no name can lead to any more, before or after a crash.
    fn forget_nameless(&mut self, open: &BTreeMap<Id, usize>) {
        let entries = self.folders.values();
        let mut named: BTreeSet<Id> = entries
            .flat_map(|folder| folder.durable.values().chain(folder.cached.values()))
            .copied()
            .collect();
        named.extend(self.pending.iter().flatten().filter_map(|slot| slot.to));
        self.files
            .retain(|id, _| named.contains(id) || open.contains_key(id));
    }

    /// Bytes taken by files that have a name or are open.
    pub(super) fn used_bytes(&self, open: &BTreeMap<Id, usize>) -> u64 {
        let named = self.folders.values().flat_map(|folder| folder.cached.values());
        let counted: BTreeSet<Id> = named.chain(open.keys()).copied().collect();
        let files = counted.iter().filter_map(|id| self.files.get(id));
        files.map(Inode::len).sum()
    }

    /// The tree as found after a power cut.
    pub(super) fn after_power_cut(&self, rng: &mut impl Rng) -> Self {
        let mut found = self.clone();
        let names = CHANCES[rng.random_range(0..CHANCES.len())];
        for change in std::mem::take(&mut found.pending) {
            if rng.random_bool(names) {
                for slot in &change {
                    found.set(slot, |folder| &mut folder.durable);
                }
            }
        }
        for folder in found.folders.values_mut() {
            folder.cached.clone_from(&folder.durable);
        }
        found.forget_nameless(&BTreeMap::new());
        for file in found.files.values_mut() {
            let chance = CHANCES[rng.random_range(0..CHANCES.len())];
            *file = file.after_power_cut(rng, chance);
        }
        found
    }
}
