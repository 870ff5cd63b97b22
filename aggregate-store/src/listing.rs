//! Which values have cells: a small table that back ends keep with the cells, so that lists of channels, dates and filters
//! need no scan. It counts cells, and so is a function of them, whatever was added and taken back. Not here: how it is
//! stored and asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::Listed;

/// In place of a dimension: the metric of a cell.
pub(crate) const METRIC: i64 = -1;
/// In place of a dimension: the process of a cell.
pub(crate) const PROCESS: i64 = -2;
/// In place of a dimension: the day of submission, whose value is a number.
pub(crate) const SUBMISSION_DATE: i64 = -3;

/// A dimension set as it is stored: its id, and the ids of its names and values.
#[derive(Clone, Debug, Default)]
pub(crate) struct SetIds {
    pub(crate) id: u32,
    pub(crate) source: u32,
    pub(crate) submission_date: u32,
    /// Channel and version; the id of [`ping::UNKNOWN`] where they are not stated.
    pub(crate) channel: u32,
    pub(crate) version: u32,
    /// Dimensions that are listed, with value and detail: all but channel and version; the detail of `os` is its version, which
    /// has no row of its own; an unstated one of the standard dimensions is listed as [`ping::UNKNOWN`].
    pub(crate) listed: Vec<(u32, u32, u32)>,
}

/// Source, channel, version, dimension, value, detail.
pub(crate) type Row = (u32, u32, u32, i64, u32, u32);

/// By how much the counts of cells change.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    by_metric: HashMap<(u32, u32, u32, u32), i64>,
    by_process: HashMap<(u32, u32), (Arc<SetIds>, i64)>,
}

impl Listing {
    /// Notes that a cell has come (+1) or gone (−1).
    pub(crate) fn count(&mut self, set: &Arc<SetIds>, metric: u32, process: u32, change: i64) {
        *self
            .by_metric
            .entry((set.source, set.channel, set.version, metric))
            .or_default() += change;
        self.by_process
            .entry((set.id, process))
            .or_insert_with(|| (Arc::clone(set), 0))
            .1 += change;
    }

    /// All changes, ascending.
    pub(crate) fn changes(self) -> BTreeMap<Row, i64> {
        let Self {
            by_metric,
            by_process,
        } = self;
        let mut changes = BTreeMap::new();
        for ((source, channel, version, metric), change) in by_metric {
            changes.insert((source, channel, version, METRIC, metric, 0), change);
        }
        for ((_, process), (set, change)) in by_process {
            let of_cell = [(PROCESS, process, 0), (SUBMISSION_DATE, set.submission_date, 0)];
            let of_set = set
                .listed
                .iter()
                .map(|&(dimension, value, detail)| (dimension.into(), value, detail));
            for (dimension, value, detail) in of_cell.into_iter().chain(of_set) {
                let row = (set.source, set.channel, set.version, dimension, value, detail);
                *changes.entry(row).or_default() += change;
            }
        }
        changes
    }
}

/// The `limit` keys with the greatest numbers, and how many are left out.
pub(crate) fn cut<K: Ord>(numbers: BTreeMap<K, i64>, limit: usize) -> (BTreeSet<K>, u64) {
    let left_out = numbers.len().saturating_sub(limit);
    if left_out == 0 {
        return (numbers.into_keys().collect(), 0);
    }
    let mut ranked: Vec<(K, i64)> = numbers.into_iter().collect();
    // Stable: of equals the first names stay.
    ranked.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    ranked.truncate(limit);
    (ranked.into_iter().map(|(key, _)| key).collect(), left_out as u64)
}

/// The last `limit` of some values.
pub(crate) fn last<T>(values: BTreeSet<T>, limit: usize) -> Listed<T> {
    let left_out = values.len().saturating_sub(limit);
    Listed {
        values: values.into_iter().skip(left_out).collect(),
        left_out: left_out as u64,
    }
}
