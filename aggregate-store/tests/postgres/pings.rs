//! Pings in chunks, folded slowly and obviously: which copies count, and what that changes.

use std::collections::BTreeMap;

use aggregate_store::conformance::{chunk_id, folded_chunk, record_id};
use aggregate_store::{Batch, BatchBuilder, CellKey, Counters, Dimension, DimensionSet, SeenRow, Source};
use ping::{ChunkId, DocumentKey, RecordId, Timestamp};
use sketch::{Cell, Layout};

use crate::dice::Dice;

/// A copy received at most so much after another one is a repeat.
const WINDOW: i64 = 100;

/// A copy of a document.
#[derive(Clone, Debug)]
pub(crate) struct Ping {
    pub(crate) document: DocumentKey,
    received: Timestamp,
    record: RecordId,
    pub(crate) chunk: ChunkId,
    position: u32,
}

/// Chunks of pings, many of them copies of few documents.
pub(crate) fn chunks(dice: &mut Dice, many: u64) -> BTreeMap<ChunkId, Vec<Ping>> {
    let mut chunks = BTreeMap::new();
    for plan in 0..many {
        let chunk = chunk_id(7, 1, plan);
        let pings = (0..8).map(|position| Ping {
            document: document(dice.below(30)),
            received: Timestamp::from_micros(i64::try_from(dice.below(2_000)).expect("small")),
            record: record_id(9, plan * 8 + u64::from(position)),
            chunk,
            position,
        });
        chunks.insert(chunk, pings.collect());
    }
    chunks
}

pub(crate) fn document(number: u64) -> DocumentKey {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    DocumentKey::from_bytes(bytes)
}

/// What folding these chunks changes on top of these stored copies of their documents.
pub(crate) fn fold(chunks: &[&Vec<Ping>], stored: Vec<SeenRow>) -> Batch {
    let mut builder = BatchBuilder::new();
    let mut before: BTreeMap<(DocumentKey, RecordId), bool> = BTreeMap::new();
    let mut rows: BTreeMap<DocumentKey, Vec<SeenRow>> = BTreeMap::new();
    for row in &stored {
        before.insert((row.key, row.record), row.counted);
        rows.entry(row.key).or_default().push(row.clone());
    }
    for ping in chunks.iter().copied().flatten() {
        rows.entry(ping.document).or_default().push(SeenRow {
            key: ping.document,
            received: ping.received,
            record: ping.record,
            chunk: ping.chunk,
            position: ping.position,
            counted: false,
        });
    }
    let mut counters = Counters::default();
    for rows in rows.values_mut() {
        rows.sort_by_key(|row| (row.received, row.record));
        let mut last: Option<Timestamp> = None;
        for row in rows {
            row.counted = last.is_none_or(|last| row.received.micros_since(last) > WINDOW);
            last = Some(row.received);
            let counted = before.get(&(row.key, row.record)).copied();
            if counted == Some(row.counted) {
                continue;
            }
            builder.batch.seen.push(row.clone());
            let folded = i64::from(row.counted) - i64::from(counted == Some(true));
            counters.folded += folded;
            counters.repeated += i64::from(!row.counted) - i64::from(counted == Some(false));
            if folded != 0 {
                let value = i128::from(row.record.sequence);
                let bound = i64::try_from(row.record.sequence % 7).expect("small");
                let mut cell = Cell::default();
                cell.add_signed(&Cell::new(1, value, [(bound, 1)]), folded);
                builder.add_cell(&key(row), &cell);
            }
        }
    }
    builder.batch.counters = counters;
    builder.batch.known = stored;
    let ids = chunks.iter().filter_map(|pings| pings.first());
    builder.batch.chunks = ids.map(|ping| folded_chunk(ping.chunk)).collect();
    builder.build()
}

fn key(row: &SeenRow) -> CellKey {
    let number = row.key.as_bytes()[15];
    CellKey {
        metric: format!("M\0{}", number % 5),
        dimensions: DimensionSet::stating(
            Source::telemetry_main(),
            folded_chunk(row.chunk).submission_date,
            &[
                (Dimension::CHANNEL, &format!("channel {}", number % 2)),
                (Dimension::VERSION, "41"),
                (Dimension::BUILD_DATE, "20150601"),
                (Dimension::OS, "Linux"),
                (Dimension::OS_VERSION, "3.1"),
            ],
        ),
        process: "parent".to_owned(),
        label: String::new(),
        layout: Layout::COUNT,
    }
}
