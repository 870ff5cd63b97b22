//! Sums of decoded cells: bins are added at places, without being looked for.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use sketch::Cell;

use super::decoded::{Change, Decoded, Kind, StretchCell};
use super::finder::CellIds;
use super::groups::SetInfo;
use super::limits::DENSE_SUMS_MAX;
use crate::build_date::Builds;

/// The sum of some cells, and what their builds say.
#[derive(Default)]
pub(super) struct Sum {
    pub(super) cell: Cell,
    pub(super) builds: Builds,
}

/// Sums by group and kind.
pub(super) struct DenseSums<'a> {
    decoded: &'a Decoded,
    /// By the place of each kind: that of the first one in whose rows it is; none if it was not asked for.
    kinds: Vec<Option<u32>>,
    rows: HashMap<(usize, u32), usize, RandomState>,
    totals: Vec<Total>,
    /// The samples of each row by the places of bounds.
    samples: Vec<i64>,
}

#[derive(Default)]
struct Total {
    count: i64,
    sum: i128,
    builds: Builds,
}

/// The sums would take more memory than they may.
pub(super) struct TooWide;

impl<'a> DenseSums<'a> {
    /// Nothing yet, of the kinds that are wanted. Rows are told apart by what `row` makes of a kind.
    pub(super) fn of(
        decoded: &'a Decoded,
        is_wanted: impl Fn(&Kind) -> bool,
        row: impl Fn(&Kind) -> Kind,
    ) -> Self {
        let mut first: HashMap<Kind, u32, RandomState> = HashMap::default();
        let kinds = (0..)
            .zip(decoded.stretch.kinds())
            .map(|(place, kind)| is_wanted(kind).then(|| *first.entry(row(kind)).or_insert(place)));
        Self {
            decoded,
            kinds: kinds.collect(),
            rows: HashMap::default(),
            totals: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// Adds a cell of a set, if it is wanted.
    pub(super) fn add(&mut self, cell: &StretchCell<'_>, set: SetInfo) -> Result<(), TooWide> {
        let Some(kind) = self.kinds[cell.kind as usize] else {
            return Ok(());
        };
        let width = self.decoded.stretch.bounds().len();
        let rows = self.totals.len();
        let row = *self.rows.entry((set.group, kind)).or_insert(rows);
        if row == rows {
            if (rows + 1) * width > DENSE_SUMS_MAX {
                return Err(TooWide);
            }
            self.totals.push(Total::default());
            self.samples.resize((rows + 1) * width, 0);
        }
        let total = &mut self.totals[row];
        total.count = total.count.wrapping_add(cell.count);
        total.sum = total.sum.wrapping_add(cell.sum);
        total.builds.note(set.build, set.day, cell.count);
        let samples = &mut self.samples[row * width..(row + 1) * width];
        for (place, added) in cell.bins {
            // Of four billion cells with four billion samples each it would not overflow.
            samples[*place as usize] += i64::from(*added);
        }
        Ok(())
    }

    /// The sums by group and kind.
    pub(super) fn end(self) -> impl Iterator<Item = ((usize, Kind), Sum)> {
        let Self {
            decoded,
            rows,
            totals,
            samples,
            ..
        } = self;
        let bounds = decoded.stretch.bounds();
        let mut ascending: Vec<usize> = (0..bounds.len()).collect();
        ascending.sort_unstable_by_key(|place| bounds[*place]);
        let mut bins: Vec<(i64, i128)> = Vec::with_capacity(bounds.len());
        let mut totals: Vec<Option<Total>> = totals.into_iter().map(Some).collect();
        rows.into_iter().filter_map(move |((group, kind), row)| {
            let total = totals[row].take()?;
            let samples = &samples[row * bounds.len()..(row + 1) * bounds.len()];
            bins.clear();
            let met = ascending.iter().filter(|place| samples[**place] != 0);
            bins.extend(met.map(|place| (bounds[*place], i128::from(samples[*place]))));
            let sum = Sum {
                cell: Cell::new(total.count, total.sum, bins.iter().copied()),
                builds: total.builds,
            };
            Some(((group, decoded.stretch.kinds()[kind as usize]), sum))
        })
    }
}

/// What was added to cells since they were decoded, by their keys.
pub(super) struct Added<'a> {
    by_key: HashMap<CellIds, Vec<&'a [u8]>, RandomState>,
    sets: HashSet<u32, RandomState>,
}

impl<'a> Added<'a> {
    /// Of the metric with this id.
    pub(super) fn of(metric: i64, changes: &'a [Change]) -> Self {
        let mut added = Self {
            by_key: HashMap::default(),
            sets: HashSet::default(),
        };
        for change in changes {
            let ids = CellIds {
                metric,
                dimension_set: change.dimension_set.into(),
                process: change.process.into(),
                label: change.label.into(),
                layout: change.layout.into(),
            };
            added.by_key.entry(ids).or_default().push(&change.added);
            added.sets.insert(change.dimension_set);
        }
        added
    }

    /// Whether something was added to a cell of this set.
    pub(super) fn has(&self, set: u32) -> bool {
        self.sets.contains(&set)
    }

    /// What was added to a cell; it is not among the rest then.
    pub(super) fn take(&mut self, ids: &CellIds) -> Option<Vec<&'a [u8]>> {
        self.by_key.remove(ids)
    }

    /// What was added to cells that were not there before.
    pub(super) fn rest(self) -> impl Iterator<Item = (CellIds, Vec<&'a [u8]>)> {
        self.by_key.into_iter()
    }
}
