//! The spare: room for the next segment, taken while there is some, so that a full disk can still drain.
//!
//! It is made only while as much again stays free behind it: chunks need room, too, and only they give any back. Where there
//! is less, the log takes no pings. Where it fails for another reason than room, the log cannot be written. What a reservation got that failed is given back.
//!
//! Best it is a segment that holds nothing more: what is written over bytes that were written before is synced without
//! the file system's journal, and their blocks are not freed, which a file system mounted with `discard` has the disk do
//! while syncs wait. Its old frames are void by the next segment's salt.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::{Disk, File};

use super::budget::{LogBudget, NextSegment};
use crate::metrics as names;

/// The name under which the next segment waits.
const SPARE: &str = "spare";

/// The file that becomes the next segment. Whether it is ready stands in the budget.
#[derive(Debug)]
pub(crate) struct Spare {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    path: PathBuf,
    segment_bytes: u64,
    budget: Arc<LogBudget>,
    state: State,
    /// What was told of it last, once until that changes: it is tried again at every submission.
    told: NextSegment,
}

/// What is known of the file with the spare's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing: another process left it, or a write or sync of it failed, after which neither its bytes nor its length can
    /// be relied on, or it was handed out.
    Unknown,
    /// It is not there.
    Absent,
    /// It lies there, reserved.
    Reserved,
    /// A segment lies there that holds nothing more; a power cut may give it its old name back.
    Renamed,
    /// The same, for good.
    Written,
}

impl Spare {
    /// The spare of the log in `dir`; what an earlier process left is not used.
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: &Path, segment_bytes: u64, budget: Arc<LogBudget>) -> Self {
        Self {
            disk,
            dir: dir.to_path_buf(),
            path: dir.join(SPARE),
            segment_bytes,
            budget,
            state: State::Unknown,
            told: NextSegment::Ready,
        }
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives a segment that holds nothing more, with so many bytes used, the spare's name; answers whether it did. Before
    /// [`Self::folder_synced`] it is of unknown state: until the folder is synced, a power cut gives it its old name back, and
    /// then its old bytes must be there. All of its room is reserved before the spare that may lie there gives up its own.
    pub(crate) fn keep(&mut self, segment: &Path, used: u64) -> io::Result<bool> {
        // One that is mostly unwritten is no gain, and a longer one would take more room than is counted.
        if self.state == State::Written || used > self.segment_bytes || used < self.segment_bytes / 2 {
            return Ok(false);
        }
        // Without a spare, chunks need the room first.
        if self.state != State::Reserved && !self.has_room_for(self.segment_bytes) {
            return Ok(false);
        }
        let reserved = self.disk.open(segment);
        if reserved
            .and_then(|file| file.allocate(self.segment_bytes))
            .is_err()
        {
            return Ok(false);
        }
        match self.disk.rename(segment, &self.path) {
            Ok(()) => self.state = State::Renamed,
            Err(error) => {
                self.lose(&error);
                return Err(error);
            }
        }
        Ok(true)
    }

    /// The folder is synced, or that failed: then it is not known what bears the spare's name, and another is made in its
    /// place.
    pub(crate) fn folder_synced(&mut self, synced: &io::Result<()>) {
        match (self.state, synced) {
            (State::Renamed, Ok(())) => self.be_ready(State::Written),
            (State::Renamed, Err(error)) => self.lose(error),
            _ => {}
        }
    }

    fn be_ready(&mut self, state: State) {
        self.state = state;
        self.told = NextSegment::Ready;
        self.budget.set_next_segment(NextSegment::Ready);
    }

    fn lose(&mut self, error: &io::Error) {
        self.state = State::Unknown;
        self.budget.set_next_segment(NextSegment::without(error));
    }

    /// Hands the spare out, made now if need be. Until it is said to be [`Self::taken`], it is of unknown state.
    pub(crate) fn take(&mut self) -> io::Result<Box<dyn File>> {
        let handed_out = self.open_or_allocate();
        self.state = State::Unknown;
        if let Err(error) = &handed_out {
            self.lose(error);
        }
        handed_out
    }

    /// What was handed out could not be renamed for want of room, and no sync of it failed: it lies there still.
    pub(crate) fn put_back(&mut self) {
        self.be_ready(State::Reserved);
    }

    /// What was handed out bears another name by now.
    pub(crate) const fn taken(&mut self) {
        self.state = State::Absent;
    }

    /// Makes the spare if it is not there. Without room for it the log takes no pings until there is. While one segment
    /// follows another the spare is on its way, and submissions are taken on: they go into the segment just opened.
    pub(crate) fn make_ready(&mut self) {
        if matches!(self.state, State::Reserved | State::Written) {
            return;
        }
        match self.remove().and_then(|()| self.allocate_beside_chunks()) {
            Ok(()) => self.be_ready(State::Reserved),
            Err(error) => {
                self.lose(&error);
                self.tell(&error);
            }
        }
    }

    fn tell(&mut self, error: &io::Error) {
        let now = NextSegment::without(error);
        if std::mem::replace(&mut self.told, now) == now {
            return;
        }
        if now == NextSegment::NoRoom {
            tracing::warn!(%error, "no room for the log's next segment: submissions are refused with 507 until there is");
        } else {
            tracing::error!(%error, "could not make the log's next segment: submissions are refused with 503 until it works");
            metrics::counter!(names::LOG_FAILURES).increment(1);
        }
    }

    fn open_or_allocate(&mut self) -> io::Result<Box<dyn File>> {
        if matches!(self.state, State::Unknown | State::Renamed) {
            self.remove()?;
        }
        match self.disk.open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.allocate(),
            other => other,
        }
    }

    /// Asks for the room before it is taken, for what is taken meanwhile a chunk may lack.
    fn allocate_beside_chunks(&mut self) -> io::Result<()> {
        if !self.has_room_for(self.segment_bytes.saturating_mul(2)) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.allocate().map(drop)
    }

    /// Whether so many bytes are free. Where nobody knows, it is tried.
    fn has_room_for(&self, bytes: u64) -> bool {
        self.disk.free_bytes(&self.dir).map_or(true, |free| free >= bytes)
    }

    fn allocate(&mut self) -> io::Result<Box<dyn File>> {
        let file = self.disk.create_new(&self.path)?;
        if let Err(error) = file.allocate(self.segment_bytes) {
            // A part may be reserved, and by it a full disk would stay full.
            drop(file);
            if let Err(error) = self.remove() {
                tracing::warn!(%error, path = %self.path.display(), "could not give back the room that the log's next segment got; tried again");
            }
            return Err(error);
        }
        Ok(file)
    }

    fn remove(&mut self) -> io::Result<()> {
        self.state = State::Unknown;
        match self.disk.remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => {
                self.state = State::Absent;
                Ok(())
            }
        }
    }
}
