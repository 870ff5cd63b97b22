//! Gathering: the pings of one partition, read back from the log, inflated, and written as a chunk. Blocks.
//!
//! What does not live here: why these pings, and what becomes of the chunk.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chunk::{ChunkHead, ChunkLimits, ChunkWriter, Codings, FrameEncoder, RecordHead, WriteError};
use index_schema::ChunkKind;
use index_schema::proto::PingRecord;
use ping::{ChunkId, ClientHash, Incarnation, RecordId, SubmissionDate, Timestamp};

use crate::inflate::{Inflater, Reason};
use crate::limits::HEAD_BYTES_MAX;
use crate::log::handle::{Log, ReadError};
use crate::log::position::Position;
use crate::metrics as names;
use crate::partition_key::PartitionKey;
use crate::privacy::NumberedRules;
use crate::rewrite::Rewriter;
use crate::staging::{Staged, Staging};
use crate::staging_room::TakenRoom;

/// The name that stands in chunks.
const WRITER: &str = concat!("highwater ", env!("CARGO_PKG_VERSION"));

/// Bodies that inflate to more than this take turns: so many seals at once stay within a bounded memory.
const LARGE_BODY_BYTES: usize = 8 << 20;

/// What gathering needs, used again from chunk to chunk.
pub(crate) struct Gatherer {
    inflater: Inflater,
    rewriter: Rewriter,
    encoder: Option<FrameEncoder>,
    inflated_max: usize,
    limits: ChunkLimits,
    /// Held while a large body is in memory.
    large: Arc<Mutex<()>>,
}

/// What is to be gathered.
pub(crate) struct Order<'a> {
    /// The identity of the chunk.
    pub(crate) id: ChunkId,
    /// Its kind and partition.
    pub(crate) key: &'a PartitionKey,
    /// Its pings, as far as they fit.
    pub(crate) positions: &'a [Position],
    /// The time of sealing.
    pub(crate) sealed: Timestamp,
    /// The chunk ends at so many bytes, if not earlier.
    pub(crate) stored_bytes: u64,
    /// By which pings are rewritten, if any are.
    pub(crate) rules: Option<&'a NumberedRules>,
}

/// What became of the pings.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// The chunk, unless no ping went into it.
    pub(crate) chunk: Option<GatheredChunk>,
    /// Pings that belong into the partition's chunks of the other kind.
    pub(crate) moved: Vec<Position>,
    /// Pings that can no longer be read, with what is there instead.
    pub(crate) damaged: Vec<(Position, Vec<u8>)>,
    /// Pings that did not fit.
    pub(crate) rest: Vec<Position>,
}

/// A chunk that is not in the store yet.
#[derive(Debug)]
pub(crate) struct GatheredChunk {
    /// Its bytes.
    pub(crate) staged: Staged,
    /// Their number.
    pub(crate) stored_bytes: u64,
    /// The digest of its records.
    pub(crate) digest: [u8; 16],
    /// Its records, in order.
    pub(crate) ids: Vec<RecordId>,
    /// Where they lie in the log.
    pub(crate) positions: Vec<Position>,
    /// The room that it takes until it is put.
    pub(crate) room: Option<TakenRoom>,
}

/// Why nothing was gathered. It may work another time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GatherError {
    /// The log could not be read.
    #[error(transparent)]
    Read(std::io::Error),
    /// The chunk could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What became of one ping.
enum Added {
    Yes(RecordId),
    Moved,
    Damaged(Vec<u8>),
    Full(WriteError),
}

/// The turn to have a large body in memory, held from the first one to the chunk's end.
struct LargeBodyPermit<'l> {
    large: &'l Mutex<()>,
    held: Option<MutexGuard<'l, ()>>,
}

/// A ping as it goes into a chunk.
struct Fitting<'a> {
    head: RecordHead,
    body: &'a [u8],
}

impl Gatherer {
    /// A gatherer whose bodies inflate to at most `inflated_max` bytes.
    pub(crate) fn new(inflated_max: usize, limits: ChunkLimits, large: Arc<Mutex<()>>) -> Self {
        Self {
            inflater: Inflater::new(),
            rewriter: Rewriter::default(),
            encoder: None,
            inflated_max,
            limits,
            large,
        }
    }

    /// Gathers pings into a chunk until all are in it or a limit is reached.
    pub(crate) fn gather(
        &mut self,
        log: &Log,
        order: &Order<'_>,
        staging: Staging,
    ) -> Result<Gathered, GatherError> {
        let mut writer = self.begin(order, staging)?;
        let large = Arc::clone(&self.large);
        let mut turn = LargeBodyPermit {
            large: &large,
            held: None,
        };
        let (mut gathered, mut ids, mut positions) = (Gathered::default(), Vec::new(), Vec::new());
        for (at, position) in order.positions.iter().enumerate() {
            match self.add(log, order, *position, &mut turn, &mut writer)? {
                Added::Yes(id) => {
                    ids.push(id);
                    positions.push(*position);
                }
                Added::Moved => gathered.moved.push(*position),
                Added::Damaged(bytes) => gathered.damaged.push((*position, bytes)),
                Added::Full(_) if !ids.is_empty() => {
                    gathered.rest = order.positions[at..].to_vec();
                    break;
                }
                Added::Full(error) => return Err(error.into()),
            }
        }
        if ids.is_empty() {
            let (_, encoder) = writer.abandon();
            self.encoder = Some(encoder);
            return Ok(gathered);
        }
        let finished = writer.finish(order.sealed)?;
        if turn.held.is_some() {
            self.rewriter.shrink();
        }
        // The buffers of an encoder that had a large body stay large: let go of them.
        self.encoder = turn.held.is_none().then_some(finished.encoder);
        gathered.chunk = Some(GatheredChunk {
            staged: finished.sink.finish().map_err(WriteError::Io)?,
            stored_bytes: finished.stored_bytes,
            digest: finished.record_digest,
            ids,
            positions,
            room: None,
        });
        Ok(gathered)
    }

    fn begin(&mut self, order: &Order<'_>, staging: Staging) -> Result<ChunkWriter<Staging>, WriteError> {
        let head = ChunkHead {
            id: order.id,
            kind: order.key.kind(),
            partition: order.key.partition(),
            writer: WRITER.to_owned(),
            replaces: Vec::new(),
        };
        let encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => FrameEncoder::new()?,
        };
        let limits = ChunkLimits {
            stored_bytes: self.limits.stored_bytes.min(order.stored_bytes),
            ..self.limits
        };
        ChunkWriter::with(staging, head, encoder, limits)
    }

    /// Reads, inflates and appends one ping.
    fn add(
        &mut self,
        log: &Log,
        order: &Order<'_>,
        position: Position,
        turn: &mut LargeBodyPermit<'_>,
        writer: &mut ChunkWriter<Staging>,
    ) -> Result<Added, GatherError> {
        let record = match log.read(position) {
            Ok(record) => record,
            Err(ReadError::Disk(error)) => return Err(GatherError::Read(error)),
            Err(ReadError::Damaged { bytes, .. }) => return Ok(Added::Damaged(bytes)),
        };
        let (codings, small) = (codings_of(&record), self.inflated_max.min(LARGE_BODY_BYTES));
        let sent = record.body.clone();
        let mut inflated = self.inflater.inflate(codings, &sent, small);
        if inflated == Err(Reason::INFLATED_TOO_LARGE) && self.inflated_max > small {
            turn.wait();
            inflated = self.inflater.inflate(codings, &sent, self.inflated_max);
        }
        let inflated = inflated.and_then(|body| within_a_record(&record, body));
        let rules = order
            .rules
            .and_then(|numbered| Some((numbered, numbered.of_ping(&record.uri)?)));
        let kind = order.key.kind();
        let Some(mut fitting) = fit(kind, record, &sent, inflated) else {
            if let Err(reason) = inflated {
                metrics::counter!(names::PINGS_ERRORED, "reason" => reason.name()).increment(1);
            }
            return Ok(Added::Moved);
        };
        if let Some(rules) = rules {
            fitting.body = self
                .rewriter
                .rewrite(rules, kind, &mut fitting.head, fitting.body);
        }
        match writer.append(&fitting.head, fitting.body) {
            Ok(()) => Ok(Added::Yes(fitting.head.id)),
            Err(error @ WriteError::Full(_)) => Ok(Added::Full(error)),
            Err(error) => Err(error.into()),
        }
    }
}

impl LargeBodyPermit<'_> {
    fn wait(&mut self) {
        let large = self.large;
        self.held
            .get_or_insert_with(|| large.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The body, if a record of a chunk holds it beside its head.
fn within_a_record<'a>(record: &PingRecord, body: &'a [u8]) -> Result<&'a [u8], Reason> {
    if record.uri.len() + body.len() + HEAD_BYTES_MAX > chunk::limits::RECORD_RAW_BYTES_MAX {
        return Err(Reason::RecordTooLarge);
    }
    Ok(body)
}

/// The ping as it goes into a chunk of this kind; `None` when it belongs into one of the other.
fn fit<'a>(
    kind: ChunkKind,
    record: PingRecord,
    sent: &'a [u8],
    inflated: Result<&'a [u8], Reason>,
) -> Option<Fitting<'a>> {
    match (kind, inflated) {
        (ChunkKind::Pings, Ok(body)) => Some(Fitting {
            head: head_of(record, None),
            body,
        }),
        (ChunkKind::Errors, Err(reason)) => Some(Fitting {
            head: head_of(record, Some(reason)),
            body: sent,
        }),
        _ => None,
    }
}

fn head_of(record: PingRecord, error: Option<Reason>) -> RecordHead {
    let received = Timestamp::from_micros(record.received_us);
    RecordHead {
        id: RecordId {
            incarnation: Incarnation::from_slice(&record.incarnation).expect("checked when it was logged"),
            sequence: record.sequence,
        },
        received,
        submission_date: SubmissionDate::from_yyyymmdd(record.submission_date)
            .unwrap_or_else(|| received.submission_date()),
        uri: record.uri,
        headers: record.headers,
        received_bytes: record.received_bytes,
        error: error.map(|reason| reason.name().to_owned()),
        client_hash: ClientHash::from_slice(&record.client_hash),
    }
}

fn codings_of(record: &PingRecord) -> Codings {
    let values = record
        .headers
        .iter()
        .filter(|header| header.name == "content-encoding");
    Codings::of(values.map(|header| header.value.as_str()))
}
