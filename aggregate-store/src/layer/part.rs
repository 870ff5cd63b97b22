//! A batch that is held: checked as a commit would, its copies in order, and what is asked often counted once. Its
//! tables and cells are shared, never copied. Pure.

use std::collections::HashSet;

use ping::{ChunkId, DocumentKey};
use sketch::{Layout, has_positive_count};

use crate::{AggregateError, Batch, CellAddress, DimensionSet, SeenRow};

/// About what a name takes beside its text, and a row of each kind.
const NAME_BYTES: usize = 32;
const SET_BYTES: usize = 400;
const USERS_BYTES: usize = 600;
const ERRORED_BYTES: usize = 160;
const CHUNK_BYTES: usize = 400;
/// What even an empty batch is taken for: so that the budget bounds their number, too.
const PART_BYTES: usize = 16 << 10;

/// A batch that is held.
#[derive(Debug)]
pub(crate) struct Part {
    batch: Batch,
    sets: Vec<SetCells>,
    is_plain: bool,
    bytes: usize,
}

/// The cells of one dimension set in a part.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SetCells {
    /// How many there are.
    pub(crate) cells: u32,
    /// The position of one of them, if there is any.
    pub(crate) example: u32,
}

/// The full name of a held cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CellName<'a> {
    pub(crate) metric: &'a str,
    pub(crate) dimensions: &'a DimensionSet,
    pub(crate) process: &'a str,
    pub(crate) label: &'a str,
    pub(crate) layout: Layout,
}

impl Part {
    /// Holds a batch.
    ///
    /// # Errors
    /// [`AggregateError::Batch`] for everything that a commit would refuse.
    pub(crate) fn new(mut batch: Batch) -> Result<Self, AggregateError> {
        check_numbers(&batch)?;
        let (sets, is_plain) = look_at_cells(&batch)?;
        // Stable: of two rows of one copy the later one is valid.
        batch.seen.sort_by_key(|row| (row.key, row.record));
        // It is of no use here: what is held and what is stored have one writer.
        batch.known = Vec::new();
        let bytes = memory_bytes(&batch) + sets.len() * size_of::<SetCells>();
        Ok(Self {
            batch,
            sets,
            is_plain,
            bytes,
        })
    }

    /// What is held.
    pub(crate) const fn batch(&self) -> &Batch {
        &self.batch
    }

    /// About how much memory it takes.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether all its cells only add: then they cannot make one another zero.
    pub(crate) const fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Its chunks.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = ChunkId> {
        self.batch.chunks.iter().map(|chunk| chunk.id)
    }

    /// Its rows of copies of a document.
    pub(crate) fn seen_of(&self, document: &DocumentKey) -> &[SeenRow] {
        let rows = &self.batch.seen;
        let from = rows.partition_point(|row| row.key < *document);
        let len = rows[from..].partition_point(|row| row.key == *document);
        &rows[from..from + len]
    }

    /// The dimension sets that have cells.
    pub(crate) fn sets(&self) -> impl Iterator<Item = (&DimensionSet, SetCells)> {
        let sets = self.batch.dimension_sets.iter().zip(self.sets.iter().copied());
        sets.filter(|(_, cells)| cells.cells > 0)
    }

    /// The full name of the cell at this address of this part.
    pub(crate) fn name(&self, address: CellAddress) -> CellName<'_> {
        let batch = &self.batch;
        CellName {
            metric: &batch.metrics[address.metric as usize],
            dimensions: &batch.dimension_sets[address.dimension_set as usize],
            process: &batch.processes[address.process as usize],
            label: &batch.labels[address.label as usize],
            layout: batch.layouts[address.layout as usize],
        }
    }
}

/// Numbers that the database can hold, and no chunk twice.
pub(crate) fn check_numbers(batch: &Batch) -> Result<(), AggregateError> {
    let mut chunks = HashSet::new();
    if !batch.chunks.iter().all(|chunk| chunks.insert(chunk.id)) {
        return Err(AggregateError::Batch("a chunk is in it twice"));
    }
    let seen = batch.seen.iter().map(|row| (row.chunk, row.record.sequence));
    let errored = batch.errored.iter().map(|row| (row.chunk, row.record.sequence));
    let folded = batch.chunks.iter().map(|chunk| (chunk.id, chunk.records));
    let mut numbers = seen
        .chain(errored)
        .chain(folded)
        .flat_map(|(chunk, number)| [chunk.boot, chunk.plan, number]);
    if numbers.any(|number| i64::try_from(number).is_err()) {
        return Err(AggregateError::Batch("a number in it is above 2^63 - 1"));
    }
    Ok(())
}

/// The cells by dimension sets, and whether all of them only add.
fn look_at_cells(batch: &Batch) -> Result<(Vec<SetCells>, bool), AggregateError> {
    let mut sets = vec![SetCells::default(); batch.dimension_sets.len()];
    let mut is_plain = true;
    for (position, (address, value)) in (0..).zip(batch.cells.iter()) {
        let is_inside = (address.dimension_set as usize) < sets.len()
            && (address.metric as usize) < batch.metrics.len()
            && (address.process as usize) < batch.processes.len()
            && (address.label as usize) < batch.labels.len()
            && (address.layout as usize) < batch.layouts.len();
        if !is_inside {
            return Err(AggregateError::Batch(
                "a cell names a position beyond a table's end",
            ));
        }
        let set = &mut sets[address.dimension_set as usize];
        set.cells += 1;
        set.example = position;
        is_plain &= has_positive_count(value);
    }
    Ok((sets, is_plain))
}

fn memory_bytes(batch: &Batch) -> usize {
    let names = |names: &[String]| names.iter().map(|name| NAME_BYTES + name.len()).sum::<usize>();
    PART_BYTES
        + batch.cells.memory_bytes()
        + names(&batch.metrics)
        + names(&batch.processes)
        + names(&batch.labels)
        + batch.layouts.len() * size_of::<Layout>()
        + batch.dimension_sets.len() * SET_BYTES
        + batch.users.len() * USERS_BYTES
        + batch.seen.capacity() * size_of::<SeenRow>()
        + batch.errored.len() * ERRORED_BYTES
        + batch.chunks.len() * CHUNK_BYTES
}
