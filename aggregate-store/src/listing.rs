//! Which values have cells: a small table that back ends keep with the cells, so that lists of channels, dates and filters
//! need no scan. It counts cells, and so is a function of them, whatever was added and taken back. Not here: how it is
//! stored and asked.

use std::collections::{BTreeMap, HashMap};

pub(crate) const METRIC: i64 = 1;
pub(crate) const APPLICATION: i64 = 2;
pub(crate) const ARCHITECTURE: i64 = 3;
pub(crate) const OS: i64 = 4;
pub(crate) const PROCESS: i64 = 5;
pub(crate) const E10S: i64 = 6;
pub(crate) const BUILD_DATE: i64 = 7;
pub(crate) const SUBMISSION_DATE: i64 = 8;

/// A dimension set as it is stored: its id, and the ids of its values.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SetIds {
    pub(crate) id: u32,
    pub(crate) channel: u32,
    pub(crate) version: u32,
    pub(crate) submission_date: u32,
    pub(crate) build_date: u32,
    pub(crate) application: u32,
    pub(crate) architecture: u32,
    pub(crate) os: u32,
    pub(crate) os_version: u32,
    pub(crate) e10s: u32,
}

/// Channel, version, kind, value, detail.
pub(crate) type Row = (u32, u32, i64, u32, u32);

/// By how much the counts of cells change.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    by_metric: HashMap<(u32, u32, u32), i64>,
    by_process: HashMap<(u32, u32), (SetIds, i64)>,
}

impl Listing {
    /// Notes that a cell has come (+1) or gone (−1).
    pub(crate) fn count(&mut self, set: &SetIds, metric: u32, process: u32, change: i64) {
        *self
            .by_metric
            .entry((set.channel, set.version, metric))
            .or_default() += change;
        self.by_process.entry((set.id, process)).or_insert((*set, 0)).1 += change;
    }

    /// All changes, ascending.
    pub(crate) fn changes(self) -> BTreeMap<Row, i64> {
        let Self {
            by_metric,
            by_process,
        } = self;
        let mut changes = BTreeMap::new();
        for ((channel, version, metric), change) in by_metric {
            changes.insert((channel, version, METRIC, metric, 0), change);
        }
        for ((_, process), (set, change)) in by_process {
            let values = [
                (APPLICATION, set.application, 0),
                (ARCHITECTURE, set.architecture, 0),
                (OS, set.os, set.os_version),
                (PROCESS, process, 0),
                (E10S, set.e10s, 0),
                (BUILD_DATE, set.build_date, 0),
                (SUBMISSION_DATE, set.submission_date, 0),
            ];
            for (kind, value, detail) in values {
                let row = (set.channel, set.version, kind, value, detail);
                *changes.entry(row).or_default() += change;
            }
        }
        changes
    }
}
