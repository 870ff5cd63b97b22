//! Whether a log still lies where its names say: what they lead to now is compared with what is held open.
//!
//! A log whose folder was removed, moved, or covered by a mount can be written and read through its open files for as long as
//! the process lives, and the next process does not find it. So is one whose files something else cut short: they are compared
//! with how long they were. And a data directory whose file `lock` is not the one that was
//! locked may be taken by another process at any time.
//!
//! What does not live here: when it is looked, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use disk::{Disk, File, FileIdentity};

use super::chain::{Reader, Readers};
use super::segment;

/// Segments that one look compares, the last one among them; of more the others take turns.
const SEGMENTS_A_LOOK: usize = 256;

/// What does not lead any more to where it led when the log was opened, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lost {
    /// The data directory is the same, the file that locks it is another, or gone.
    Lock,
    /// The data directory.
    Root,
    /// The log's folder.
    Folder,
    /// The folder is the same; a segment in it is shorter than it was.
    Cut,
    /// The folder is the same; a segment in it is another file, or gone.
    Segment,
}

/// The names of an open log, and of what it lies in.
#[derive(Debug)]
pub(crate) struct Names {
    disk: Arc<dyn Disk>,
    root: Held,
    /// None where nothing was locked.
    lock: Option<Held>,
    folder: Held,
    /// What the last look found.
    found: AtomicU8,
    segments: Mutex<Segments>,
}

/// A name with what it led to, which is held open so that nothing else gets its identity.
#[derive(Debug)]
struct Held {
    path: PathBuf,
    file: Box<dyn File>,
}

/// What is known of the names of segments.
#[derive(Debug, Default)]
struct Segments {
    /// Those whose names do not lead to them, and those that were cut.
    lost: BTreeMap<u32, Lost>,
    /// Where the next look goes on.
    next: u32,
}

impl Lost {
    const ALL: [Self; 5] = [Self::Lock, Self::Root, Self::Folder, Self::Cut, Self::Segment];

    /// What is so, as a part of a sentence.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Lock => {
                "the file `lock` of the data directory is not the one that this process locked: another process may use the \
                 directory"
            }
            Self::Root => "another folder, or none, is where the data directory was",
            Self::Folder => "another folder, or none, is where the log was",
            Self::Cut => {
                "files of the log were cut short by something else (logrotate's copytruncate?), and what was cut off is in none of \
                 them any more"
            }
            Self::Segment => "files of the log are gone, or others are in their places",
        }
    }
}

impl Names {
    /// Those of the log in the folder `dir`, as they are now; it lies in a data directory.
    ///
    /// # Errors
    /// Those of the file system.
    pub(crate) fn hold(disk: &Arc<dyn Disk>, dir: &Path) -> io::Result<Self> {
        let root = match dir.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let lock = root.join(service::lock::FILE);
        let lock = match Held::open(disk, &lock) {
            Ok(held) => Some(held),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            disk: Arc::clone(disk),
            root: Held::open(disk, root)?,
            lock,
            folder: Held::open(disk, dir)?,
            found: AtomicU8::new(0),
            segments: Mutex::default(),
        })
    }

    /// What is lost, as the last look found it.
    pub(crate) fn lost(&self) -> Option<Lost> {
        let found = usize::from(self.found.load(Ordering::SeqCst));
        found.checked_sub(1).map(|at| Lost::ALL[at])
    }

    /// Whether paths in the log's folder lead elsewhere, so that nothing may be opened, renamed or removed by them.
    pub(crate) fn lead_elsewhere(&self) -> bool {
        matches!(self.lost(), Some(Lost::Lock | Lost::Root | Lost::Folder))
    }

    /// The same as of now: within a second more may go wrong than can be made good. Blocks on the disk.
    pub(crate) fn lead_elsewhere_now(&self) -> bool {
        if let Ok(Some(lost)) = self.look_around() {
            self.note(Some(lost));
        }
        self.lead_elsewhere()
    }

    /// Whether the name of this segment leads elsewhere, or its file was cut.
    pub(crate) fn is_lost(&self, segment: u32) -> bool {
        self.segments().lost.contains_key(&segment)
    }

    /// Looks at all names, and answers what is lost. What the file system does not tell is taken as it was. Blocks on the
    /// disk.
    pub(crate) fn look(&self, readers: &Readers) -> Option<Lost> {
        let found = match self.look_around() {
            Ok(None) => {
                self.look_at_segments(readers);
                self.segments().lost.values().min().copied()
            }
            Ok(lost) => lost,
            Err(error) => {
                tracing::debug!(%error, "could not look whether the log is where it was");
                self.lost()
            }
        };
        self.note(found);
        found
    }

    fn note(&self, found: Option<Lost>) {
        let at = found.and_then(|lost| Lost::ALL.iter().position(|other| *other == lost));
        let number = at.map_or(0, |at| at as u8 + 1);
        self.found.store(number, Ordering::SeqCst);
    }

    /// Whether the data directory is where it was, as of now; not known counts as yes. Blocks on the disk.
    pub(crate) fn root_is_there(&self) -> bool {
        self.root.is_there(&self.disk).unwrap_or(true)
    }

    fn look_around(&self) -> io::Result<Option<Lost>> {
        // Where the directory is another one, so is its lock: then the own one says nothing.
        if !self.root.is_there(&self.disk)? {
            return Ok(Some(Lost::Root));
        }
        if let Some(lock) = &self.lock
            && !lock.is_there(&self.disk)?
        {
            return Ok(Some(Lost::Lock));
        }
        let is_there = self.folder.is_there(&self.disk)?;
        Ok((!is_there).then_some(Lost::Folder))
    }

    fn look_at_segments(&self, readers: &Readers) {
        let open: Vec<(u32, Reader)> = {
            let readers = readers.read().unwrap_or_else(PoisonError::into_inner);
            let last = readers.last_key_value().map(|(number, _)| *number);
            let mut segments = self.segments();
            // Those that hold nothing more have no reader: nobody needs their names.
            segments.lost.retain(|number, _| readers.contains_key(number));
            let turn = readers
                .range(segments.next..)
                .chain(readers.range(..segments.next));
            let turn: Vec<u32> = turn
                .map(|(number, _)| *number)
                .take(SEGMENTS_A_LOOK - 1)
                .collect();
            segments.next = turn.last().map_or(0, |number| number.saturating_add(1));
            let looked_at: BTreeSet<u32> = turn
                .into_iter()
                .chain(last)
                .chain(segments.lost.keys().copied())
                .collect();
            let reader = |number: &u32| Some((*number, readers.get(number)?.clone()));
            looked_at.iter().filter_map(reader).collect()
        };
        for (number, reader) in open {
            let path = segment::path(&self.folder.path, number);
            let Ok(lost) = lost_segment(&self.disk, &path, &reader) else {
                continue;
            };
            // Its name is taken away after its reader.
            let readers = readers.read().unwrap_or_else(PoisonError::into_inner);
            let mut segments = self.segments();
            match lost.filter(|_| readers.contains_key(&number)) {
                None => {
                    segments.lost.remove(&number);
                }
                Some(lost) => {
                    if segments.lost.insert(number, lost) != Some(lost) {
                        tell(&path, lost);
                    }
                }
            }
        }
    }

    fn segments(&self) -> MutexGuard<'_, Segments> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn open(disk: &Arc<dyn Disk>, path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: disk.hold(path)?,
        })
    }

    fn is_there(&self, disk: &Arc<dyn Disk>) -> io::Result<bool> {
        leads_to(disk, &self.path, self.file.as_ref())
    }
}

fn tell(path: &Path, lost: Lost) {
    match lost {
        Lost::Cut => {
            tracing::error!(path = %path.display(), "a file of the log is shorter than it was: something else cut it");
        }
        _ => tracing::error!(path = %path.display(), "a file of the log is gone, or another is in its place"),
    }
}

fn lost_segment(disk: &Arc<dyn Disk>, path: &Path, reader: &Reader) -> io::Result<Option<Lost>> {
    if !leads_to(disk, path, reader.file.as_ref())? {
        return Ok(Some(Lost::Segment));
    }
    Ok(reader.is_cut()?.then_some(Lost::Cut))
}

fn leads_to(disk: &Arc<dyn Disk>, path: &Path, file: &dyn File) -> io::Result<bool> {
    let now: Option<FileIdentity> = disk.identity(path)?;
    Ok(now == Some(file.identity()?))
}
