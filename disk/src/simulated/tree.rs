//! The folders: which names the platter holds, which the page cache shows, and the changes between the two.
//!
//! A change sets one name (made, linked, removed) or two at once (renamed), and reaches the platter whole or not at all, in
//! any company. That is harder than a journaling file system, which keeps their order: code that is right here leans on no
//! order that nobody promises.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Component, Path};

use rand::{Rng, RngExt};

use super::inode::Inode;

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
}

impl Tree {
    pub(super) fn new() -> Self {
        Self {
            files: BTreeMap::new(),
            folders: BTreeMap::from([(ROOT, Folder::default())]),
            pending: Vec::new(),
            next: ROOT + 1,
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

    pub(super) fn new_file(&mut self) -> Id {
        let id = self.new_id();
        self.files.insert(id, Inode::default());
        id
    }

    pub(super) fn new_folder(&mut self) -> Id {
        let id = self.new_id();
        self.folders.insert(id, Folder::default());
        id
    }

    const fn new_id(&mut self) -> Id {
        let id = self.next;
        self.next += 1;
        id
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
