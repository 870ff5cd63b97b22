//! Raw pings of a source by the dimensions by which they are counted: from a number back to what it is made of.

use std::sync::Arc;

use aggregate_store::{Dimension as Name, DimensionSet, Filter, Source, Wanted};
use chunk::{RecordRef, records};
use index_schema::{ChunkKind, Condition, Index, IndexEntry, Selection};
use ping::{Dimension, sample_id};
use store::Store;

use crate::error::AggregatorError;
use crate::fold::{FoldSettings, Folder};
use crate::kinds::Kinds;
use crate::limits::{RAW_CHUNKS_MAX, RAW_NAMES_BYTES_MAX, RAW_READ_BYTES_MAX};
use crate::reader::{Reader, broken};
use crate::reading;
use crate::scope::Scope;

/// Index entries that are asked for at a time.
const ENTRIES: usize = 1_000;

/// Which pings are wanted.
#[derive(Clone, Debug)]
pub struct PingsWanted {
    /// The source under which they are counted, or would be.
    pub source: Source,
    /// What must hold of their dimensions: all of these. A ping that cannot be read, or is only stored, has none but its day.
    pub filters: Vec<Filter>,
    /// Only those whose clients are of this sample, from 0 to 99.
    pub sample_id: Option<u8>,
}

/// What takes up pings, one after the other.
pub trait TakePing: Send + 'static {
    /// Takes one up. Whether more are wanted.
    fn take(&mut self, record: &RecordRef<'_>) -> bool;
}

/// How a look for pings ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Whether more may be there: no more was wanted, or as much was read as may be.
    pub is_cut: bool,
    /// Chunks that could not be read, or not to their ends.
    pub unread: u64,
}

/// Finds pings in chunks.
#[derive(Clone, Debug)]
pub struct RawPings {
    store: Arc<dyn Store>,
    index: Arc<dyn Index>,
    settings: FoldSettings,
}

/// How much more may be read.
struct Room {
    bytes: u64,
    chunks: u64,
}

/// What is carried from frame to frame.
struct Walk<T> {
    folder: Folder,
    kinds: Kinds,
    settings: FoldSettings,
    scope: Scope,
    wanted: PingsWanted,
    taker: T,
}

impl RawPings {
    /// In this store, by this index; read as these settings say.
    pub fn new(store: Arc<dyn Store>, index: Arc<dyn Index>, settings: FoldSettings) -> Self {
        Self {
            store,
            index,
            settings,
        }
    }

    /// Hands over the pings that are wanted, day by day, those of a chunk in their order.
    ///
    /// # Errors
    /// When the index or a chunk could not be read.
    pub async fn walk<T: TakePing>(
        &self,
        wanted: PingsWanted,
        taker: T,
    ) -> Result<(T, Looked), AggregatorError> {
        let selection = self.selection(&wanted);
        let mut walk = Walk {
            folder: folder_of(&self.settings),
            kinds: Kinds::default(),
            settings: self.settings.clone(),
            scope: Scope::default(),
            wanted,
            taker,
        };
        let mut reader = Reader::new(Arc::clone(&self.store));
        let (mut after, mut looked) = (None::<String>, Looked::default());
        let mut room = Room {
            bytes: RAW_READ_BYTES_MAX,
            chunks: RAW_CHUNKS_MAX,
        };
        loop {
            let entries = self.index.select(&selection, after.as_deref(), ENTRIES).await?;
            for entry in &entries {
                let read;
                (walk, read) = walk.chunk(&mut reader, entry, &mut room).await;
                match read {
                    Ok(true) => {}
                    Ok(false) => {
                        looked.is_cut = true;
                        return Ok((walk.taker, looked));
                    }
                    Err(AggregatorError::Chunk { chunk, reason }) => {
                        tracing::warn!(%chunk, reason, "a chunk is left out of an answer of raw pings");
                        looked.unread += 1;
                    }
                    Err(error) => return Err(error),
                }
            }
            match entries.last() {
                Some(IndexEntry { key, .. }) if entries.len() == ENTRIES => after = Some(key.clone()),
                _ => return Ok((walk.taker, looked)),
            }
        }
    }

    /// The chunks in which such pings may lie.
    fn selection(&self, wanted: &PingsWanted) -> Selection {
        let mut conditions = Vec::new();
        if let Some((namespace, document_type)) = wanted.source.as_str().split_once('/') {
            let types = match wanted.source.as_str() {
                Source::TELEMETRY_MAIN => {
                    let folded = self.settings.folded.iter();
                    folded.map(|folded| folded.document_type.clone()).collect()
                }
                _ => vec![document_type.to_owned()],
            };
            // A schema that does not tell them apart has them unstated.
            let or_unstated = |mut values: Vec<String>| {
                values.push(String::new());
                Condition::OneOf(values)
            };
            conditions.push((Dimension::SourceName, or_unstated(vec![namespace.to_owned()])));
            conditions.push((Dimension::DocType, or_unstated(types)));
        }
        let days = wanted.filters.iter();
        let days = days.filter(|filter| filter.dimension.as_str() == Name::SUBMISSION_DATE);
        conditions.extend(days.filter_map(|filter| {
            let condition = match &filter.wanted {
                Wanted::AnyOf(days) => Condition::OneOf(days.clone()),
                Wanted::Between { from, to } => Condition::Range {
                    from: from.clone(),
                    to: to.clone(),
                },
                Wanted::AnyItemOf(_) | Wanted::OriginalOsVersion(_) => return None,
            };
            Some((Dimension::SubmissionDate, condition))
        }));
        Selection {
            conditions,
            kind: Some(ChunkKind::Pings),
            ..Selection::default()
        }
    }
}

fn folder_of(settings: &FoldSettings) -> Folder {
    Folder::within(settings.caps).counting(Arc::clone(&settings.strings))
}

impl<T: TakePing> Walk<T> {
    /// Hands over what is wanted of a chunk. Whether more is wanted, and may be read.
    async fn chunk(
        mut self,
        reader: &mut Reader,
        entry: &IndexEntry,
        room: &mut Room,
    ) -> (Self, Result<bool, AggregatorError>) {
        let Some(chunks) = room.chunks.checked_sub(1) else {
            return (self, Ok(false));
        };
        room.chunks = chunks;
        let chunk = match reader.open(entry).await {
            Ok(chunk) => chunk,
            Err(error) => return (self, Err(error)),
        };
        for frame in chunk.frames() {
            let Some(bytes) = room.bytes.checked_sub(frame.raw_len.into()) else {
                return (self, Ok(false));
            };
            room.bytes = bytes;
            if let Err(error) = reader.load(&chunk, *frame).await {
                return (self, Err(error));
            }
            let goes_on;
            (self, goes_on) = reader.with_loaded(self, Self::frame).await;
            match goes_on {
                Ok(true) => {}
                Ok(false) => return (self, Ok(false)),
                Err(error) => return (self, Err(broken(entry.id, &error))),
            }
        }
        (self, Ok(true))
    }

    /// Hands over what is wanted of a frame. Whether more is wanted.
    fn frame(mut self, frame: &[u8]) -> (Self, Result<bool, chunk::RecordError>) {
        for record in records(frame) {
            let record = match record {
                Ok(record) => record,
                Err(error) => return (self, Err(error)),
            };
            if self.is_wanted(&record) && !self.taker.take(&record) {
                return (self, Ok(false));
            }
        }
        (self, Ok(true))
    }

    fn is_wanted(&mut self, record: &RecordRef<'_>) -> bool {
        let Self {
            folder,
            kinds,
            settings,
            scope,
            wanted,
            ..
        } = self;
        if folder.bytes() > RAW_NAMES_BYTES_MAX {
            *folder = folder_of(settings);
        }
        let sent = kinds.sent(record.uri, settings, scope);
        if sent.kind.source != wanted.source {
            return false;
        }
        let is_read = reading::read(folder, settings, record, record.body, &sent) == Ok(true);
        let client = folder.client().filter(|_| is_read);
        let is_of_sample = |sample| client.is_some_and(|client| sample_id(client) == sample);
        if !wanted.sample_id.is_none_or(is_of_sample) {
            return false;
        }
        let set = match is_read {
            true => folder.dimensions(),
            false => DimensionSet::new(wanted.source.clone(), record.submission_date, []),
        };
        let holds = |filter: &Filter| {
            let is_day = filter.dimension.as_str() == Name::SUBMISSION_DATE;
            (is_read || is_day) && filter.holds(&set)
        };
        wanted.filters.iter().all(holds)
    }
}
