//! What one transaction writes. Not here: how it is made (`builder.rs`, or the fold itself) and how it is stored.

use std::collections::BTreeMap;

use ping::{ChunkId, SubmissionDate, Timestamp};
use sketch::{Cell, Layout, UserSketch};

use crate::{
    Counters, DimensionSet, ErroredRow, FoldedChunk, Lease, RetriedChunk, SeenRow, Source, SourceCounts,
};

/// Everything that folding some chunks changes: written in one transaction, or not at all.
///
/// Cells name their keys by positions in the tables of this batch, so that a million of them carry no strings. A table
/// may hold entries that no cell uses (they cost nothing) and equal entries (they mean the same).
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The chunks that are folded.
    pub chunks: Vec<FoldedChunk>,
    /// Dimension sets that cells name.
    pub dimension_sets: Vec<DimensionSet>,
    /// Metrics that cells name.
    pub metrics: Vec<String>,
    /// Processes that cells name.
    pub processes: Vec<String>,
    /// Labels that cells name; that of a plain metric is empty.
    pub labels: Vec<String>,
    /// Layouts that cells name.
    pub layouts: Vec<Layout>,
    /// What is added to cells, in any order; several with one address are added up.
    pub cells: BatchCells,
    /// What is merged into user sketches, in any order: each under a set of [`USER_DIMENSIONS`](crate::USER_DIMENSIONS).
    pub users: Vec<(DimensionSet, UserSketch)>,
    /// Copies to write, or to write again with another chunk, position or `counted`.
    pub seen: Vec<SeenRow>,
    /// For every document named in `seen`, all rows that were stored when the batch was folded; a document without any here
    /// had none. What counts stands on these: where several processes write, a store that finds other ones writes nothing
    /// at all. A batch in parts names each document in one part.
    pub known: Vec<SeenRow>,
    /// The leases under which it was folded, each shard once: if one of these shards was claimed since, nothing at all is
    /// written. Empty where nothing is leased. A batch in parts names them in each part, or in some.
    pub fences: Vec<Lease>,
    /// Errored pings to write, known by their records.
    pub errored: Vec<ErroredRow>,
    /// Errored pings that are replayed: their rows go, before `errored` is written. If one of them is not there, some
    /// other batch was faster, and nothing at all is written.
    pub replayed: Vec<ErroredRow>,
    /// Chunks of errored pings whose bodies were tried under a higher cap. If one is not as it says, nothing at all is
    /// written.
    pub retried: Vec<RetriedChunk>,
    /// What is added to the counters.
    pub counters: Counters,
    /// What is added to the counts of errored pings by reason.
    pub errored_by_reason: BTreeMap<String, i64>,
    /// What is added to the counts of refused parts of pings by reason.
    pub refused_by_reason: BTreeMap<String, i64>,
    /// The same of each source and day; its sums are those of the three before.
    pub by_source: BTreeMap<(Source, SubmissionDate), SourceCounts>,
    /// The newest receive time in the chunks; an older one than is known changes nothing.
    pub newest_received: Option<Timestamp>,
    /// The [number of the epochs](crate::Epochs::number) under which it was folded: if it is another one now, nothing at all is written.
    pub epochs: u64,
    /// The rebuild of which it is a part: then nothing of it is in use. Its chunks are folded by the rebuild, and are folded
    /// already; if that is not under way any more, nothing at all is written.
    pub rebuild: Option<u32>,
}

impl Batch {
    /// Whether it takes out, or tries again, what an earlier batch wrote.
    #[must_use]
    pub fn is_replay(&self) -> bool {
        self.replayed_chunks().next().is_some()
    }

    /// The chunks of which it does so.
    pub(crate) fn replayed_chunks(&self) -> impl Iterator<Item = ChunkId> {
        let replayed = self.replayed.iter().map(|row| row.chunk);
        let retried = self.retried.iter().map(|retried| retried.id);
        replayed.chain(retried.filter(|id| !self.folds(*id)))
    }

    fn folds(&self, chunk: ChunkId) -> bool {
        self.chunks.iter().any(|folded| folded.id == chunk)
    }

    /// Whether this is the last part of a batch in parts: only that one names chunks.
    #[must_use]
    pub fn is_last(&self) -> bool {
        !self.chunks.is_empty() || !self.retried.is_empty()
    }

    /// Adds all of another batch.
    pub fn append(&mut self, other: Self) {
        let Self {
            chunks,
            dimension_sets,
            metrics,
            processes,
            labels,
            layouts,
            cells,
            users,
            seen,
            known,
            fences,
            errored,
            replayed,
            retried,
            counters,
            errored_by_reason,
            refused_by_reason,
            by_source,
            newest_received,
            epochs,
            rebuild,
        } = other;
        (self.epochs, self.rebuild) = (epochs, rebuild);
        let shift = CellAddress {
            metric: extend(&mut self.metrics, metrics),
            dimension_set: extend(&mut self.dimension_sets, dimension_sets),
            process: extend(&mut self.processes, processes),
            label: extend(&mut self.labels, labels),
            layout: extend(&mut self.layouts, layouts),
        };
        self.cells.append(&cells, shift);
        self.chunks.extend(chunks);
        self.users.extend(users);
        self.seen.extend(seen);
        self.known.extend(known);
        self.fences.extend(fences);
        self.fences.sort_unstable();
        self.fences.dedup();
        self.errored.extend(errored);
        self.replayed.extend(replayed);
        self.retried.extend(retried);
        self.counters.add(&counters);
        add_counts(&mut self.errored_by_reason, errored_by_reason);
        add_counts(&mut self.refused_by_reason, refused_by_reason);
        for (source, counts) in by_source {
            self.by_source.entry(source).or_default().add(&counts);
        }
        self.newest_received = self.newest_received.max(newest_received);
    }
}

/// Puts a table behind another one; answers where it begins there.
fn extend<T>(table: &mut Vec<T>, added: Vec<T>) -> u32 {
    let start = u32::try_from(table.len()).expect("a batch ends long before 2^32 names");
    table.extend(added);
    start
}

fn add_counts(counts: &mut BTreeMap<String, i64>, added: BTreeMap<String, i64>) {
    for (reason, count) in added {
        *counts.entry(reason).or_default() += count;
    }
}

/// Differences of cells: each is an address and a stored cell of about 25 bytes.
#[derive(Clone, Debug, Default)]
pub struct BatchCells {
    /// Address, and where its bytes begin; they end where the next ones begin.
    starts: Vec<(CellAddress, usize)>,
    bytes: Vec<u8>,
}

/// Positions in the tables of a [`Batch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellAddress {
    /// In `metrics`.
    pub metric: u32,
    /// In `dimension_sets`.
    pub dimension_set: u32,
    /// In `processes`.
    pub process: u32,
    /// In `labels`.
    pub label: u32,
    /// In `layouts`.
    pub layout: u32,
}

impl BatchCells {
    /// Adds `cell` to what the batch adds at `address`. A zero cell is left out.
    pub fn push(&mut self, address: CellAddress, cell: &Cell) {
        if !cell.is_zero() {
            self.starts.push((address, self.bytes.len()));
            cell.encode_into(&mut self.bytes);
        }
    }

    /// Adds all of `other`, whose tables were put behind others by as much as `shift` says.
    fn append(&mut self, other: &Self, shift: CellAddress) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.starts.extend(other.starts.iter().map(|(address, at)| {
            let address = CellAddress {
                metric: address.metric + shift.metric,
                dimension_set: address.dimension_set + shift.dimension_set,
                process: address.process + shift.process,
                label: address.label + shift.label,
                layout: address.layout + shift.layout,
            };
            (address, start + at)
        }));
    }

    /// How many differences there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether nothing is added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Bytes of memory that are in use, for a budget.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.starts.capacity() * size_of::<(CellAddress, usize)>() + self.bytes.capacity()
    }

    /// The address and the stored cell at `position`, in the order they were pushed.
    ///
    /// # Panics
    /// If `position` is not below [`len`](Self::len).
    #[must_use]
    pub fn get(&self, position: usize) -> (CellAddress, &[u8]) {
        let (address, start) = self.starts[position];
        let end = self
            .starts
            .get(position + 1)
            .map_or(self.bytes.len(), |next| next.1);
        (address, &self.bytes[start..end])
    }

    /// All addresses with their stored cells, in the order they were pushed.
    pub fn iter(&self) -> impl Iterator<Item = (CellAddress, &[u8])> {
        (0..self.len()).map(|position| self.get(position))
    }
}
