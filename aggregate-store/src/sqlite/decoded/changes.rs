//! What a transaction added.

use std::collections::{BTreeSet, HashSet};

use super::super::limits::DECODED_BYTES_MAX;
use super::super::sets::SetRow;

/// What was added to one cell.
#[derive(Clone, Debug)]
pub(in super::super) struct Change {
    pub(in super::super) dimension_set: u32,
    pub(in super::super) process: u32,
    pub(in super::super) label: u32,
    pub(in super::super) layout: u32,
    /// A stored cell.
    pub(in super::super) added: Box<[u8]>,
}

/// All that a transaction added to what may be kept.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Changes {
    /// Metrics whose cells it changed.
    pub(in super::super) metrics: BTreeSet<u32>,
    /// What it added to metrics whose cells are kept.
    pub(in super::super) added: Vec<(u32, Change)>,
    /// Sets that it made.
    pub(in super::super) sets: Vec<SetRow>,
    /// The metrics of which additions are noted.
    noted: HashSet<u32>,
    bytes: usize,
}

impl Changes {
    /// Nothing yet; additions are noted of these metrics only.
    pub(in super::super) fn of(noted: HashSet<u32>) -> Self {
        Self {
            noted,
            ..Self::default()
        }
    }

    /// Notes what is added to a cell of a metric. More than there is room for is noted of no metric.
    pub(in super::super) fn note(&mut self, metric: u32, change: impl FnOnce() -> Change) {
        self.metrics.insert(metric);
        if !self.noted.contains(&metric) {
            return;
        }
        let change = change();
        self.bytes += change.bytes();
        self.added.push((metric, change));
        if self.bytes > DECODED_BYTES_MAX / 2 {
            self.noted.clear();
            self.added = Vec::new();
        }
    }
}

impl Change {
    /// Memory that it takes.
    pub(in super::super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.added.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(bytes: usize) -> Change {
        Change {
            dimension_set: 1,
            process: 2,
            label: 3,
            layout: 4,
            added: vec![0; bytes].into(),
        }
    }

    #[test]
    fn additions_are_noted_of_some_metrics_and_not_without_end() {
        let mut changes = Changes::of(HashSet::from([7]));
        changes.note(7, || change(10));
        changes.note(8, || unreachable!("nobody asked for it"));
        assert_eq!((changes.added.len(), changes.metrics.len()), (1, 2));
        changes.note(7, || change(DECODED_BYTES_MAX / 2));
        changes.note(7, || unreachable!("there is no room"));
        assert_eq!((changes.added.len(), changes.metrics.len()), (0, 2));
    }
}
