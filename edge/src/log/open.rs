//! Opening a log: reads all segments, sets aside what is damaged, and opens a new segment.
//!
//! What the last segment's own frames do not vouch for may lie in the page cache only: it is carried into the new
//! segment, under the same record ids, and the old one is cut there.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::{Disk, File};
use ping::Incarnation;
use prost::Message;
use service::random::Random;

use super::budget::LogBudget;
use super::chain::{Chain, Segment};
use super::counters::Counters;
use super::damage::Damaged;
use super::find::{Found, find, vouched_length};
use super::frame::FrameKind;
use super::logged_head::LoggedHead;
use super::names::Names;
use super::position::Position;
use super::recovery::{Recovered, Replay, ReplayError};
use super::segment::{self, Entry, SegmentReader};
use super::starts::Starts;

/// Where a log lies, and how it is cut.
#[derive(Clone, Debug)]
pub(crate) struct LogOptions {
    /// The folder of segments.
    pub(crate) dir: PathBuf,
    /// The folder for what is damaged.
    pub(crate) damaged_dir: PathBuf,
    /// How long a segment gets before the next one is opened.
    pub(crate) segment_bytes: u64,
}

/// An opened log.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The segments, the last of which is new.
    pub(crate) chain: Chain,
    /// What the log holds.
    pub(crate) recovered: Recovered,
}

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk answered with an error.
    #[error("write-ahead log: could not {action} {path}: {source}; check the disk, its room and permissions", path = path.display())]
    Disk {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A segment has a version that is not known here. It is never touched.
    #[error(
        "write-ahead log: {path} has format version {version}, this program knows {known}: use a newer highwater, or move the file out of the folder to set it aside",
        path = path.display(), known = segment::SEGMENT_VERSION
    )]
    Newer {
        /// The segment.
        path: PathBuf,
        /// Its version.
        version: u16,
    },
    /// The log ends before what is remembered of it: its newest segments, or all of them, are gone.
    #[error(
        "write-ahead log: {dir} {found}, but it was started {remembered} times: pings that were answered with 200 are \
         missing, and record numbers would be given twice. Put the missing files back. If they are lost for good, move \
         the folder away and remove the file `identity` beside it: the pings in them are given up, and the log begins \
         anew under an identity of its own",
        dir = dir.display(),
        found = if *found == 0 { "holds no segment".to_owned() } else { format!("ends at start {found}") }
    )]
    Gone {
        /// The folder of segments.
        dir: PathBuf,
        /// The last start that the log knows.
        found: u64,
        /// How often it was started.
        remembered: u64,
    },
    /// The log belongs to another data directory.
    #[error("write-ahead log: {0}")]
    Foreign(String),
}

type Carried = Vec<(FrameKind, Vec<u8>)>;

/// Opens the log of incarnation `own`. `place` says for each ping where it is kept.
pub(crate) fn open(
    options: &LogOptions,
    disk: &Arc<dyn Disk>,
    random: &Arc<dyn Random>,
    own: Incarnation,
    budget: &Arc<LogBudget>,
    place: &mut dyn FnMut(&LoggedHead) -> u32,
) -> Result<Opened, OpenError> {
    for dir in [&options.dir, &options.damaged_dir] {
        make_dir(disk.as_ref(), dir)?;
    }
    let names =
        Names::hold(disk, &options.dir).map_err(|source| disk_error("hold on to", &options.dir, source))?;
    let damaged = Damaged::new(disk.as_ref(), &options.damaged_dir);
    damaged
        .remove_drafts()
        .map_err(|source| disk_error("remove drafts from", &options.damaged_dir, source))?;
    let found = find(disk.as_ref(), &options.dir, &damaged)?;
    let mut replay = Replay::new(own);
    let (mut segments, mut carried) = (BTreeMap::new(), Carried::new());
    for (at, segment) in found.iter().enumerate() {
        let vouched = found
            .get(at + 1)
            .and_then(|next| vouched_length(segment.number, next));
        let last = at + 1 == found.len();
        let read = read_segment(segment, vouched, last, &damaged, &mut replay, place)?;
        let reader = segment.reader.clone();
        if let (Some(tail), Some(reader)) = (read.tail, &reader) {
            keep_tail(&damaged, options, segment.number, reader.file.as_ref(), tail);
        }
        segments.insert(
            segment.number,
            Segment {
                reader,
                used: read.used,
                live: 0,
                opened_with: read.used,
                carried_end: read.carried_end,
                is_sound: false,
                unkept: read.unkept,
            },
        );
        carried.extend(read.carried);
    }
    let starts = Starts::beside(&options.dir, own);
    let counters = count_start(&replay, &starts, disk.as_ref(), &options.dir, &damaged)?;
    let mut chain = Chain::new(
        Arc::clone(disk),
        Arc::clone(random),
        (options.dir.clone(), options.damaged_dir.clone(), Arc::new(names)),
        options.segment_bytes,
        segments,
        Arc::clone(budget),
    );
    let used = chain.last_used();
    let state = counters.to_state(own, chain.last(), used);
    let places = chain
        .open_next(&state, &carried)
        .map_err(|source| disk_error("open the next segment in", &options.dir, source))?;
    if let Err(error) = starts.remember(disk.as_ref(), counters.boot) {
        // The log itself knows; this is asked only when the log is gone. And a full disk must not stop a start.
        tracing::warn!(%error, path = %starts.path().display(), "the log's start could not be remembered beside it");
    }
    apply(
        &mut replay,
        FrameKind::State,
        &state.encode_to_vec(),
        Position::new(chain.last(), 0, 0),
        place,
    )?;
    for ((kind, payload), position) in carried.iter().zip(places) {
        if !apply(&mut replay, *kind, payload, position, place)?
            && !damaged.keep_bytes(position.segment, position.offset(), payload)
        {
            chain.set_unkept(position.segment, whole(position));
        }
    }
    let recovered = replay.finish();
    pin(&mut chain, &recovered);
    chain
        .remove_settled()
        .map_err(|source| disk_error("remove settled segments from", &options.dir, source))?;
    Ok(Opened { chain, recovered })
}

/// The counters with which this start begins; refused when the log lacks its end, unless damage that was set aside
/// explains it.
fn count_start(
    replay: &Replay,
    starts: &Starts,
    disk: &dyn Disk,
    dir: &Path,
    damaged: &Damaged<'_>,
) -> Result<Counters, OpenError> {
    let remembered = starts
        .remembered(disk)
        .map_err(|source| disk_error("read", starts.path(), source))?;
    let mut counters = replay.counters().clone();
    if counters.boot < remembered && !damaged.is_met() {
        return Err(OpenError::Gone {
            dir: dir.to_path_buf(),
            found: counters.boot,
            remembered,
        });
    }
    counters.start(remembered);
    Ok(counters)
}

/// What reading one segment came to.
#[derive(Debug, Default)]
struct Read {
    /// Where its frames end.
    used: u64,
    /// Of the last one, what is to be carried on.
    carried: Carried,
    /// And where that ends.
    carried_end: u64,
    /// Of the last one, what lies behind that, was written, and is no frame.
    tail: Option<Range<u64>>,
    /// Damage that could not be set aside.
    unkept: Vec<Range<u64>>,
}

/// Reads one segment into the replay.
fn read_segment(
    found: &Found,
    vouched: Option<u64>,
    last: bool,
    damaged: &Damaged<'_>,
    replay: &mut Replay,
    place: &mut dyn FnMut(&LoggedHead) -> u32,
) -> Result<Read, OpenError> {
    let mut read = Read {
        unkept: found.unkept.clone(),
        ..Read::default()
    };
    let Some(open) = &found.reader else {
        return Ok(read);
    };
    let failed = |source| disk_error("read", Path::new(&format!("segment {}", found.number)), source);
    let file = open.file.as_ref();
    let mut reader = match vouched {
        Some(length) => SegmentReader::closed(file, open.salt, length),
        None => SegmentReader::last(file, open.salt).map_err(failed)?,
    };
    let synced = reader.synced();
    while let Some(entry) = reader.next().map_err(failed)? {
        let damage = match entry {
            Entry::Frame { offset, frame } if last && offset >= synced => {
                read.carried.push((frame.kind, frame.payload.to_vec()));
                continue;
            }
            Entry::Frame { offset, frame } => {
                let position = Position::new(found.number, offset, frame.length);
                if apply(replay, frame.kind, frame.payload, position, place)? {
                    continue;
                }
                whole(position)
            }
            Entry::Damage(range) => range,
        };
        if !damaged.keep(found.number, file, damage.clone()) {
            read.unkept.push(damage);
        }
    }
    read.used = if last { synced } else { reader.offset() };
    read.carried_end = if last { reader.offset() } else { 0 };
    read.tail = if last {
        reader.torn_tail().map_err(failed)?
    } else {
        None
    };
    Ok(read)
}

/// Keeps a copy of what is cut off behind the last frame. Most often a power cut tore it, and nobody was told of it; so this
/// is no reason not to start.
fn keep_tail(damaged: &Damaged<'_>, options: &LogOptions, segment: u32, file: &dyn File, tail: Range<u64>) {
    let (start, bytes) = (tail.start, tail.end - tail.start);
    match damaged.keep_tail(segment, file, tail, options.segment_bytes.saturating_mul(2)) {
        Ok(kept) => tracing::warn!(
            segment, start, bytes, kept = %kept.display(),
            "cut what was written behind the log's last whole frame, as a power cut leaves it; a copy is kept, which is needed only \
             if there was none"
        ),
        Err(error) => tracing::warn!(
            segment, start, bytes, %error,
            "cut what was written behind the log's last whole frame, as a power cut leaves it; no copy could be kept"
        ),
    }
}

/// The bytes of a frame.
fn whole(position: Position) -> Range<u64> {
    position.offset()..position.offset() + u64::from(position.length)
}

/// Takes a frame; answers whether it was understood.
fn apply(
    replay: &mut Replay,
    kind: FrameKind,
    payload: &[u8],
    position: Position,
    place: &mut dyn FnMut(&LoggedHead) -> u32,
) -> Result<bool, OpenError> {
    match replay.apply(kind, payload, position, place) {
        Ok(()) => Ok(true),
        Err(error @ ReplayError::OtherIncarnation { .. }) => Err(OpenError::Foreign(error.to_string())),
        Err(error @ ReplayError::Payload(_)) => {
            tracing::error!(%error, segment = position.segment, "left out an entry of the write-ahead log");
            Ok(false)
        }
    }
}

/// Pins the segments of everything that is not settled.
fn pin(chain: &mut Chain, recovered: &Recovered) {
    let planned = recovered
        .plans
        .iter()
        .flat_map(|plan| plan.pings.iter().map(|(_, ping)| ping));
    let pings = recovered
        .waiting
        .iter()
        .chain(planned)
        .map(|ping| ping.position.segment);
    let plans = recovered.plans.iter().map(|plan| plan.segment);
    for segment in pings.chain(plans) {
        chain.pin(segment, 1);
    }
}

fn make_dir(disk: &dyn Disk, dir: &Path) -> Result<(), OpenError> {
    disk.create_dir(dir)
        .map_err(|source| disk_error("make", dir, source))?;
    match dir.parent() {
        Some(parent) => disk
            .sync_dir(parent)
            .map_err(|source| disk_error("sync", parent, source)),
        None => Ok(()),
    }
}

pub(crate) fn disk_error(action: &'static str, path: &Path, source: io::Error) -> OpenError {
    OpenError::Disk {
        action,
        path: path.to_path_buf(),
        source,
    }
}
