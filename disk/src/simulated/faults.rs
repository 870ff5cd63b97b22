//! What goes wrong while the power is on: syncs that fail or lie, reads that fail, a full disk.

use std::fmt;
use std::path::Path;

/// What is synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SyncKind {
    /// A file's bytes and length; the path is the one it was opened by.
    File,
    /// A folder's entries.
    Folder,
}

type ChooseSync = Box<dyn FnMut(&Path, SyncKind) -> bool + Send>;
type ChooseRead = Box<dyn FnMut(&Path) -> bool + Send>;

#[derive(Default)]
pub(super) struct Faults {
    pub(super) failing_syncs: Option<ChooseSync>,
    pub(super) omitted_syncs: Option<ChooseSync>,
    pub(super) failing_reads: Option<ChooseRead>,
    pub(super) capacity: Option<u64>,
    pub(super) is_read_only: bool,
    /// A sync of the group failed to which the next files belong.
    pub(super) group_failed: bool,
}

impl Faults {
    pub(super) fn sync_fails(&mut self, path: &Path, kind: SyncKind) -> bool {
        let chosen = self
            .failing_syncs
            .as_mut()
            .is_some_and(|choose| choose(path, kind));
        chosen || self.group_failed
    }

    pub(super) fn sync_is_omitted(&mut self, path: &Path, kind: SyncKind) -> bool {
        self.omitted_syncs
            .as_mut()
            .is_some_and(|choose| choose(path, kind))
    }

    pub(super) fn read_fails(&mut self, path: &Path) -> bool {
        self.failing_reads.as_mut().is_some_and(|choose| choose(path))
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults")
            .field("failing_syncs", &self.failing_syncs.is_some())
            .field("omitted_syncs", &self.omitted_syncs.is_some())
            .field("failing_reads", &self.failing_reads.is_some())
            .field("capacity", &self.capacity)
            .field("is_read_only", &self.is_read_only)
            .finish_non_exhaustive()
    }
}
