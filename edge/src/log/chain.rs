//! The chain of segments: opening the next one, the spare that waits for it, and removing those that hold nothing more.
//!
//! A segment is written under the spare's name, synced, renamed, and its folder synced: what bears a segment's name is
//! whole. Segments are removed oldest first, one at a time, with the folder synced after each: a segment that a power
//! cut brings back was the oldest, and done. One with damage that could not be set aside stays until it could, and so do
//! those behind it.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use disk::{Disk, File};
use index_schema::proto::LogState;
use prost::Message;
use service::random::Random;

use super::budget::LogBudget;
use super::damage::Damaged;
use super::frame::{self, FrameKind, Salt};
use super::names::Names;
use super::position::Position;
use super::segment::{self, SEGMENT_HEADER_BYTES};
use super::spare::Spare;

/// The open files of all segments, for reading at any place.
pub(crate) type Readers = Arc<RwLock<BTreeMap<u32, Reader>>>;

/// An open segment.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    /// Its file.
    pub(crate) file: Arc<dyn File>,
    /// Its salt.
    pub(crate) salt: Salt,
    /// Its file is at least so long, by what is reserved, or written and synced.
    length: Arc<AtomicU64>,
}

impl Reader {
    /// A segment whose file is as long as it should be.
    pub(crate) fn new(file: Arc<dyn File>, salt: Salt) -> io::Result<Self> {
        let length = Arc::new(AtomicU64::new(file.len()?));
        Ok(Self { file, salt, length })
    }

    /// Whether its file is shorter than it was: something else cut it.
    pub(crate) fn is_cut(&self) -> io::Result<bool> {
        // Raised after the file is longer, lowered before it is shorter.
        let before = self.length.load(Ordering::SeqCst);
        let now = self.file.len()?;
        Ok(now < before.min(self.length.load(Ordering::SeqCst)))
    }
}

/// All segments, the last of which is written to.
#[derive(Debug)]
pub(crate) struct Chain {
    disk: Arc<dyn Disk>,
    random: Arc<dyn Random>,
    dir: PathBuf,
    names: Arc<Names>,
    damaged_dir: PathBuf,
    segment_bytes: u64,
    segments: BTreeMap<u32, Segment>,
    readers: Readers,
    budget: Arc<LogBudget>,
    /// Whether a removal may not be durable yet.
    removal_unsynced: bool,
    /// Whether a file may bear the next segment's name, of a try to open it that failed; also after it was removed, until a
    /// folder's sync says that it is gone for good.
    next_may_be_there: bool,
    spare: Spare,
}

/// One segment.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Its file and salt; none when its header is damaged.
    pub(crate) reader: Option<Reader>,
    /// Bytes up to the end of its frames.
    pub(crate) used: u64,
    /// Pings in it that wait, and plans in it that are not done.
    pub(crate) live: u64,
    /// Bytes it opened with.
    pub(crate) opened_with: u64,
    /// Where the frames end that were found behind those, to be carried into the next segment; 0 when there are none.
    pub(crate) carried_end: u64,
    /// Whether its file can be written over when it holds nothing more: this process made it, and no write or sync of it
    /// failed, after which its length could not be relied on.
    pub(crate) is_sound: bool,
    /// Damage of it that could not be set aside: until it is, the segment is not removed.
    pub(crate) unkept: Vec<Range<u64>>,
}

impl Chain {
    /// The chain of the segments found in the first of these folders, whose names are held; none is open for writing yet. The
    /// second is for what is damaged.
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        random: Arc<dyn Random>,
        (dir, damaged_dir, names): (PathBuf, PathBuf, Arc<Names>),
        segment_bytes: u64,
        segments: BTreeMap<u32, Segment>,
        budget: Arc<LogBudget>,
    ) -> Self {
        let spare = Spare::new(Arc::clone(&disk), &dir, segment_bytes, Arc::clone(&budget));
        let readers = segments
            .iter()
            .filter_map(|(number, segment)| Some((*number, segment.reader.clone()?)))
            .collect();
        let readers = Arc::new(RwLock::new(readers));
        Self {
            disk,
            random,
            dir,
            names,
            damaged_dir,
            segment_bytes,
            segments,
            readers,
            budget,
            removal_unsynced: false,
            next_may_be_there: false,
            spare,
        }
    }

    /// The open files.
    pub(crate) fn readers(&self) -> Readers {
        Arc::clone(&self.readers)
    }

    /// Whether it lies where its names say.
    pub(crate) const fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// The number of the last segment; 0 when there is none.
    pub(crate) fn last(&self) -> u32 {
        self.segments.last_key_value().map_or(0, |(number, _)| *number)
    }

    /// Where the last segment's frames end; 0 when there is none.
    pub(crate) fn last_used(&self) -> u64 {
        self.segments.last_key_value().map_or(0, |(_, last)| last.used)
    }

    /// The last segment's file, salt and where its frames end.
    pub(crate) fn current(&self) -> (Reader, u64) {
        let (_, last) = self
            .segments
            .last_key_value()
            .expect("a log is opened by opening a segment");
        (last.reader.clone().expect("it was opened for writing"), last.used)
    }

    /// The budget that the chain keeps up to date.
    pub(crate) const fn budget(&self) -> &Arc<LogBudget> {
        &self.budget
    }

    /// Whether nothing was added to the last segment yet.
    pub(crate) fn is_fresh(&self) -> bool {
        self.segments
            .last_key_value()
            .is_some_and(|(_, last)| last.used == last.opened_with)
    }

    /// How long a segment gets before the next one is opened.
    pub(crate) const fn segment_bytes(&self) -> u64 {
        self.segment_bytes
    }

    /// Opens the next segment, with `carried` frames after its state, and answers where these lie.
    ///
    /// When this fails nothing of it counts: the next try takes the same number, and replaces what there may be.
    pub(crate) fn open_next(
        &mut self,
        state: &LogState,
        carried: &[(FrameKind, Vec<u8>)],
    ) -> io::Result<Vec<Position>> {
        if self.names.lead_elsewhere_now() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "the log's folder is not where it was",
            ));
        }
        let number = self
            .last()
            .checked_add(1)
            .ok_or_else(|| io::Error::other("its segments are numbered up to the highest number there is"))?;
        if state.encoded_len() > frame::PAYLOAD_BYTES_MAX {
            return Err(io::Error::other(
                "too many imported files are remembered: no frame holds them",
            ));
        }
        let path = segment::path(&self.dir, number);
        if self.next_may_be_there {
            // It would keep the room of a segment that nobody counts.
            match self.disk.remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let salt = Salt::new(self.random.bits());
        let (content, places) = first_content(salt, state, carried);
        let file = match self.spare.take() {
            Err(error) if disk::is_want_of_room(&error) => {
                // The last segment may lie there as long as it was reserved.
                self.cut_last(|last| last.used.max(last.carried_end));
                self.spare.take()?
            }
            taken => taken?,
        };
        file.write_all_at(&content, 0)?;
        file.sync()?;
        drop(file);
        let was_there = std::mem::replace(&mut self.next_may_be_there, true);
        if let Err(error) = self.disk.rename(self.spare.path(), &path) {
            if disk::is_want_of_room(&error) {
                self.spare.put_back();
                self.next_may_be_there = was_there; // Nothing was renamed.
            }
            return Err(error);
        }
        self.disk.sync_dir(&self.dir)?;
        let reader = Reader::new(Arc::from(self.disk.open(&path)?), salt)?;
        self.next_may_be_there = false;
        self.spare.taken();
        self.cut_last(|last| last.used);
        let length = content.len() as u64;
        self.write_readers().insert(number, reader.clone());
        self.segments.insert(
            number,
            Segment {
                reader: Some(reader),
                used: length,
                live: 0,
                opened_with: length,
                carried_end: 0,
                is_sound: true,
                unkept: Vec::new(),
            },
        );
        self.publish_used();
        self.ready_spare();
        Ok(places
            .into_iter()
            .map(|(offset, length)| Position::new(number, offset, length))
            .collect())
    }

    /// Whether the next segment may be there though opening it failed: then it voids what is added to this one.
    pub(crate) const fn next_may_be_there(&self) -> bool {
        self.next_may_be_there
    }

    /// Notes that the last segment's frames now end at `used`.
    pub(crate) fn grow(&mut self, used: u64) {
        if let Some(mut last) = self.segments.last_entry() {
            let last = last.get_mut();
            last.used = used;
            if let Some(reader) = &last.reader {
                reader.length.fetch_max(used, Ordering::SeqCst);
            }
        }
        self.publish_used();
    }

    /// Notes that a write or a sync of the last segment failed.
    pub(crate) fn spoil(&mut self) {
        if let Some(mut last) = self.segments.last_entry() {
            let last = last.get_mut();
            last.is_sound = false;
            if let Some(reader) = &last.reader {
                reader.length.fetch_min(last.used, Ordering::SeqCst);
            }
        }
    }

    /// Notes that entries of segments pin them.
    pub(crate) fn pin(&mut self, number: u32, count: u64) {
        if let Some(segment) = self.segments.get_mut(&number) {
            segment.live += count;
        }
    }

    /// Notes that entries of segments are settled.
    pub(crate) fn release(&mut self, released: &[(u32, u64)]) {
        for (number, count) in released {
            if let Some(segment) = self.segments.get_mut(number) {
                segment.live = segment.live.saturating_sub(*count);
            }
        }
    }

    /// Notes that damage of a segment could not be set aside.
    pub(crate) fn set_unkept(&mut self, number: u32, range: Range<u64>) {
        if let Some(segment) = self.segments.get_mut(&number) {
            segment.unkept.push(range);
        }
    }

    /// Pieces that could not be set aside.
    pub(crate) fn unkept(&self) -> u64 {
        self.segments
            .values()
            .map(|segment| segment.unkept.len() as u64)
            .sum()
    }

    /// Removes segments from the oldest on, as long as they hold nothing live, nor damage that cannot be set aside; one of
    /// them becomes the spare. The last one stays.
    pub(crate) fn remove_settled(&mut self) -> io::Result<()> {
        loop {
            let oldest = self.segments.first_key_value();
            let is_settled =
                oldest.is_some_and(|(number, oldest)| oldest.live == 0 && *number != self.last());
            // What bears their names elsewhere is not theirs.
            if !(is_settled || self.removal_unsynced) || self.names.lead_elsewhere_now() {
                return Ok(());
            }
            if self.removal_unsynced {
                let synced = self.disk.sync_dir(&self.dir);
                self.spare.folder_synced(&synced);
                synced?;
                self.removal_unsynced = false;
                self.publish_used();
                self.ready_spare();
            }
            match self.segments.first_key_value() {
                Some((number, oldest)) if oldest.live == 0 && *number != self.last() => {
                    let (number, kept) = (
                        *number,
                        (oldest.is_sound && !self.names.is_lost(*number)).then_some(oldest.used),
                    );
                    if !self.set_aside(number) {
                        return Ok(()); // Tried again after the next done mark.
                    }
                    self.remove_oldest(number, kept)?;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Sets aside what could not be before, in pieces, or, where there is no room for these, by moving the whole segment,
    /// which takes none; answers whether nothing of it is left.
    fn set_aside(&mut self, number: u32) -> bool {
        let Some(segment) = self.segments.get_mut(&number) else {
            return true;
        };
        if segment.unkept.is_empty() {
            return true;
        }
        // What has a reader and no name counts as lost. Nothing of it is read any more.
        self.readers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&number);
        let (path, damaged) = (
            segment::path(&self.dir, number),
            Damaged::new(self.disk.as_ref(), &self.damaged_dir),
        );
        let in_pieces = self.disk.open_read(&path).and_then(|file| {
            segment.unkept.iter().try_for_each(|range| {
                damaged
                    .keep_quietly(number, file.as_ref(), range.clone())
                    .map(drop)
            })
        });
        match in_pieces.or_else(|_| damaged.move_file(&path)) {
            Ok(()) => {
                tracing::error!(
                    segment = number,
                    "the damage of a log segment is set aside by now: the segment goes"
                );
                segment.unkept.clear();
                true
            }
            Err(error) => {
                tracing::debug!(segment = number, %error, "the damage of a log segment cannot be set aside still");
                false
            }
        }
    }

    /// Takes the name of the oldest segment away, which nobody reads any more. If bytes of it are given, it may become the
    /// spare.
    fn remove_oldest(&mut self, number: u32, used: Option<u64>) -> io::Result<()> {
        let path = segment::path(&self.dir, number);
        // First the reader: what has one and no name counts as lost.
        self.write_readers().remove(&number);
        let removed = match used.map_or(Ok(false), |used| self.spare.keep(&path, used)) {
            Ok(false) => self.disk.remove_file(&path),
            kept => kept.map(|_| ()),
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.removal_unsynced = true;
        self.segments.remove(&number);
        metrics::counter!(crate::metrics::SEGMENTS_REMOVED).increment(1);
        Ok(())
    }

    /// Makes the spare if it is not there.
    pub(crate) fn ready_spare(&mut self) {
        if !self.names.lead_elsewhere_now() {
            self.spare.make_ready();
        }
    }

    /// Gives back the preallocated room of the last segment behind this length. What lies there is void, so nothing depends
    /// on this.
    fn cut_last(&self, length: impl FnOnce(&Segment) -> u64) {
        let Some((number, last)) = self.segments.last_key_value() else {
            return;
        };
        let Some(reader) = &last.reader else {
            return;
        };
        // One that something else cut would get its length back, and nobody would see it.
        if reader.is_cut().unwrap_or(false) {
            return;
        }
        let length = length(last).max(SEGMENT_HEADER_BYTES);
        reader.length.fetch_min(length, Ordering::SeqCst);
        if let Err(error) = reader.file.set_len(length) {
            tracing::warn!(segment = number, %error, "could not give back the unused end of a log segment");
        }
    }

    fn publish_used(&self) {
        self.budget
            .set_used(self.segments.values().map(|segment| segment.used).sum());
    }

    fn write_readers(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<u32, Reader>> {
        self.readers.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a segment opens with, and where the carried frames lie in it.
fn first_content(
    salt: Salt,
    state: &LogState,
    carried: &[(FrameKind, Vec<u8>)],
) -> (Vec<u8>, Vec<(u64, usize)>) {
    let carried_bytes: usize = carried
        .iter()
        .map(|(_, payload)| frame::frame_length(payload.len()))
        .sum();
    let length = SEGMENT_HEADER_BYTES as usize + frame::frame_length(state.encoded_len()) + carried_bytes;
    let mut content = Vec::with_capacity(length);
    content.extend_from_slice(&segment::encode_header(salt));
    frame::encode(&mut content, 0, salt, FrameKind::State, length as u64, |out| {
        out.extend_from_slice(&state.encode_to_vec());
    });
    let mut places = Vec::with_capacity(carried.len());
    for (kind, payload) in carried {
        let offset = content.len() as u64;
        let bytes = frame::encode(&mut content, 0, salt, *kind, length as u64, |out| {
            out.extend_from_slice(payload);
        });
        places.push((offset, bytes));
    }
    debug_assert_eq!(content.len(), length, "computed before it was written");
    (content, places)
}
