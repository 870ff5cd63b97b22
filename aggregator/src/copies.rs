//! Which copy of a document counts. Pure.
//!
//! Copies of one document are ordered by (receive time, record id). A copy is a repeat exactly if the one before it in
//! that order was received at most the window earlier, whether or not that one counted. So what counts is a function
//! of the copies that are stored, never of the order in which they were folded; and a copy that turns up late can make
//! at most one other a repeat, the one after it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use aggregate_store::SeenRow;
use foldhash::fast::RandomState;
use ping::{ChunkId, DocumentKey, RecordId, Timestamp};

use crate::scope::key_in_epoch;

/// About what a row takes in memory.
const ROW_BYTES: usize = 2 * size_of::<Row>();

/// The copies that a batch knows of: those stored, and those it adds.
#[derive(Debug)]
pub(crate) struct Copies {
    window_micros: i64,
    by_document: HashMap<DocumentKey, Vec<Row>, RandomState>,
    /// Stored copies of epochs that do not hold their days: they decide nothing, and are known.
    beside: HashMap<DocumentKey, Vec<SeenRow>, RandomState>,
    rows: usize,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    received: Timestamp,
    record: RecordId,
    place: RecordPosition,
    epoch: u32,
    counted: bool,
    /// Whether it counted when it was loaded; `None` when it is new.
    stored: Option<bool>,
}

impl Row {
    const fn order(&self) -> (Timestamp, RecordId) {
        (self.received, self.record)
    }

    const fn former(&self) -> Former {
        Former {
            place: self.place,
            record: self.record,
            received: self.received,
            epoch: self.epoch,
        }
    }

    /// Whether it counts, and a copy before it that was received then makes it a repeat.
    fn yields_to(&self, received: Timestamp, window_micros: i64) -> bool {
        self.counted && self.received.micros_since(received) <= window_micros
    }

    /// Whether it differs from what is stored.
    fn changed(&self) -> bool {
        self.stored != Some(self.counted)
    }

    fn seen(&self, key: DocumentKey, counted: bool) -> SeenRow {
        SeenRow {
            key: key_in_epoch(key, self.epoch),
            received: self.received,
            record: self.record,
            chunk: self.place.chunk,
            position: self.place.position,
            counted,
        }
    }
}

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RecordPosition {
    /// The chunk.
    pub(crate) chunk: ChunkId,
    /// The record's position in it; the first has 0.
    pub(crate) position: u32,
}

/// A copy that counted until a new one came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Former {
    /// Where it should lie.
    pub(crate) place: RecordPosition,
    /// Which record it is.
    pub(crate) record: RecordId,
    /// When it was received.
    pub(crate) received: Timestamp,
    /// The epoch in which it counts.
    pub(crate) epoch: u32,
}

/// What a new copy changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Whether it counts.
    pub(crate) counts: bool,
    /// The copy that counted until now and is a repeat from now on.
    pub(crate) displaced: Option<Former>,
}

impl Copies {
    /// Knows of nothing yet. A copy received at most `window` after another one is a repeat.
    pub(crate) fn new(window: Duration) -> Self {
        Self {
            window_micros: i64::try_from(window.as_micros()).unwrap_or(i64::MAX),
            by_document: HashMap::default(),
            beside: HashMap::default(),
            rows: 0,
        }
    }

    /// Whether the stored copies of a document were loaded.
    pub(crate) fn knows(&self, document: &DocumentKey) -> bool {
        self.by_document.contains_key(document)
    }

    /// Takes in all stored copies of these documents, which were not known before, each with the epoch in which it lies; `None`
    /// where that does not hold its day.
    pub(crate) fn load(
        &mut self,
        documents: &[DocumentKey],
        stored: Vec<(DocumentKey, Option<u32>, SeenRow)>,
    ) {
        for document in documents {
            self.by_document.entry(*document).or_default();
        }
        self.rows += documents.len() + stored.len();
        for (document, epoch, row) in stored {
            let Some(epoch) = epoch else {
                self.beside.entry(document).or_default().push(row);
                continue;
            };
            let rows = self.by_document.entry(document).or_default();
            rows.push(Row {
                epoch,
                received: row.received,
                record: row.record,
                place: RecordPosition {
                    chunk: row.chunk,
                    position: row.position,
                },
                counted: row.counted,
                stored: Some(row.counted),
            });
        }
        for document in documents {
            if let Some(rows) = self.by_document.get_mut(document) {
                rows.sort_by_key(|row| (row.received, row.record));
            }
        }
    }

    /// Where the copy should lie that a new copy would make a repeat although it counts. Takes nothing in.
    pub(crate) fn displaced_by(
        &self,
        document: DocumentKey,
        received: Timestamp,
        record: RecordId,
    ) -> Option<Former> {
        let rows = self.by_document.get(&document)?;
        let at = rows.binary_search_by(|row| row.order().cmp(&(received, record)));
        let next = rows.get(at.err()?)?;
        next.yields_to(received, self.window_micros)
            .then(|| next.former())
    }

    /// Takes in a new copy of a document that was loaded. A record that is known already is a repeat of itself.
    pub(crate) fn take(
        &mut self,
        document: DocumentKey,
        received: Timestamp,
        record: RecordId,
        (place, epoch): (RecordPosition, u32),
    ) -> Verdict {
        let window = self.window_micros;
        let rows = self.by_document.entry(document).or_default();
        let Err(at) = rows.binary_search_by(|row| row.order().cmp(&(received, record))) else {
            return Verdict {
                counts: false,
                displaced: None,
            };
        };
        let counts = at == 0 || received.micros_since(rows[at - 1].received) > window;
        let next = rows.get_mut(at).filter(|next| next.yields_to(received, window));
        let displaced = next.map(|next| {
            next.counted = false;
            next.former()
        });
        let row = Row {
            received,
            record,
            place,
            epoch,
            counted: counts,
            stored: None,
        };
        if rows.is_empty() {
            // Most documents have one copy, and a list makes room for four.
            rows.reserve_exact(1);
        }
        rows.insert(at, row);
        self.rows += 1;
        Verdict { counts, displaced }
    }

    /// The rows to write.
    pub(crate) fn changed(&self) -> Vec<SeenRow> {
        let mut changed = Vec::new();
        for (key, rows) in &self.by_document {
            let rows = rows.iter().filter(|row| row.changed());
            changed.extend(rows.map(|row| row.seen(*key, row.counted)));
        }
        changed
    }

    /// All rows, as they were loaded, of the documents of which there is something to write.
    pub(crate) fn known(&self) -> Vec<SeenRow> {
        let mut known = Vec::new();
        for (key, rows) in &self.by_document {
            let changed = rows.iter().filter(|row| row.changed());
            let changed: HashSet<DocumentKey> = changed.map(|row| key_in_epoch(*key, row.epoch)).collect();
            if !changed.is_empty() {
                let stored = rows.iter().filter_map(|row| Some(row.seen(*key, row.stored?)));
                let beside = self.beside.get(key).into_iter().flatten().cloned();
                known.extend(stored.chain(beside).filter(|row| changed.contains(&row.key)));
            }
        }
        known
    }

    /// About how much memory the copies take.
    pub(crate) const fn bytes(&self) -> usize {
        self.rows * ROW_BYTES
    }
}
