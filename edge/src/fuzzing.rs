//! Doors for the fuzzer to readers that nobody else outside needs: of what lies in the log, of bodies and of heads.
//!
//! What does not live here: any logic, and what must hold (crate `fuzz`).

use std::path::PathBuf;
use std::sync::Arc;

use disk::Disk;
use http::HeaderMap;
use http::request::Parts;
use index_schema::proto::{PingRecord, RecordRun};
use ping::{Incarnation, RecordId};
use service::random::SeededRandom;

use crate::OpenError;
use crate::door::{self, DoorLimits, Rejection};
use crate::inflate::{Inflater, Reason};
use crate::log::budget::LogBudget;
use crate::log::frame::{self, FrameKind, Salt};
use crate::log::logged_head::LoggedHead;
use crate::log::open::{LogOptions, open};
use crate::log::recovery::Logged;
use crate::log::runs;
use crate::log::segment::{self, Entry, SegmentReader};

/// The bytes of a segment, frame by frame.
#[derive(Clone, Debug)]
pub struct SegmentBytes {
    salt: Salt,
    /// The file so far.
    pub bytes: Vec<u8>,
}

/// A frame as read: its kind's number, its place, its payload.
pub type ReadFrame = (u8, u64, Vec<u8>);

/// What a log was found to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Sequence and receive time of the pings in no plan that is not done.
    pub waiting: Vec<(u64, i64)>,
    /// The same of those in plans that are not done, by the plan's number.
    pub planned: Vec<(u64, Vec<(u64, i64)>)>,
    /// The number that the next ping gets.
    pub next_sequence: u64,
    /// Pings in chunks.
    pub chunked: u64,
}

/// Kinds of frames, by their numbers here: state, ping, plan, done, copy.
const KINDS: [FrameKind; 5] = [
    FrameKind::State,
    FrameKind::Ping,
    FrameKind::Plan,
    FrameKind::Done,
    FrameKind::Copy,
];

impl SegmentBytes {
    /// A segment with this salt and no frame.
    pub fn new(salt: [u8; 16]) -> Self {
        let salt = Salt::new(salt);
        Self {
            salt,
            bytes: segment::encode_header(salt).to_vec(),
        }
    }

    /// Adds a frame with a right checksum. The kind is one of 0 to 4, as in [`ReadFrame`].
    pub fn push(&mut self, kind: u8, synced: u64, payload: &[u8]) {
        let kind = KINDS[usize::from(kind) % KINDS.len()];
        frame::encode(&mut self.bytes, 0, self.salt, kind, synced, |out| {
            out.extend_from_slice(payload);
        });
    }
}

/// The frames of the last segment of a log, and how many pieces of it are damaged; `None` when its header is no header.
pub fn read_segment(file: &dyn disk::File) -> std::io::Result<Option<(Vec<ReadFrame>, usize)>> {
    let mut header = [0; segment::SEGMENT_HEADER_BYTES as usize];
    let read = file.read_at(&mut header, 0)?;
    let Ok(segment::Header { salt, .. }) = segment::decode_header(&header[..read]) else {
        return Ok(None);
    };
    let (mut reader, mut frames, mut damaged) = (SegmentReader::last(file, salt)?, Vec::new(), 0);
    while let Some(entry) = reader.next()? {
        match entry {
            Entry::Frame { offset, frame } => {
                let kind = KINDS.iter().position(|kind| *kind == frame.kind).unwrap_or(0);
                frames.push((kind as u8, offset, frame.payload.to_vec()));
            }
            Entry::Damage(_) => damaged += 1,
        }
    }
    Ok(Some((frames, damaged)))
}

/// The name of a segment's file.
pub fn segment_path(dir: &std::path::Path, number: u32) -> PathBuf {
    segment::path(dir, number)
}

/// Opens a log as a starting edge does, which begins a new segment; the seed makes that one's salt.
///
/// # Errors
/// As at a start.
pub fn recover(
    disk: &Arc<dyn Disk>,
    dir: PathBuf,
    damaged_dir: PathBuf,
    own: Incarnation,
    seed: u64,
) -> Result<Recovered, OpenError> {
    let options = LogOptions {
        dir,
        damaged_dir,
        segment_bytes: 4_096,
    };
    let random: Arc<dyn service::random::Random> = SeededRandom::new(seed);
    let budget = LogBudget::new(1 << 40, 1 << 30);
    let found = open(&options, disk, &random, own, &budget, &mut |_| 0)?.recovered;
    let of = |ping: &Logged| (ping.sequence, ping.received_us);
    let planned = found.plans.iter().map(|plan| {
        (
            plan.plan.plan,
            plan.pings.iter().map(|(_, ping)| of(ping)).collect(),
        )
    });
    Ok(Recovered {
        waiting: found.waiting.iter().map(of).collect(),
        planned: planned.collect(),
        next_sequence: found.counters.next_sequence,
        chunked: found.counters.chunked,
    })
}

/// The records of a plan's runs.
pub fn ids_of_runs(runs: &[RecordRun]) -> impl Iterator<Item = RecordId> {
    runs::decode(runs)
}

/// The runs of a plan's records.
pub fn runs_of_ids(ids: impl IntoIterator<Item = RecordId>) -> Vec<RecordRun> {
    runs::encode(ids)
}

/// What recovery sees of a logged record; all other fields are empty.
pub fn logged_head(record: &[u8]) -> Option<PingRecord> {
    let mut seen = LoggedHead::default();
    seen.read(record).ok()?;
    Some(PingRecord {
        incarnation: seen.incarnation.into(),
        sequence: seen.sequence,
        received_us: seen.received_us,
        submission_date: seen.submission_date,
        uri: seen.uri.into(),
        ..PingRecord::default()
    })
}

/// A body inflated under a cap, as `content-encoding` headers say; else the reason by which it is stored as an error.
///
/// # Errors
/// The reason.
pub fn inflate(codings: &[&str], body: &[u8], cap: usize) -> Result<Vec<u8>, &'static str> {
    let codings = chunk::Codings::of(codings.iter().copied());
    let mut inflater = Inflater::new();
    let inflated = inflater.inflate(codings, body, cap);
    inflated.map(<[u8]>::to_vec).map_err(Reason::name)
}

/// The checks of the door on a request's head.
///
/// # Errors
/// The first that fails.
pub fn check_head(head: &Parts, body_bytes: u64) -> Result<(), Rejection> {
    door::check::check(head, body_bytes, &DoorLimits::default())
}

/// The headers that are stored.
pub fn stored_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    door::headers::stored(headers)
}
