//! Bins read by what a definition says: those that were counted under their keys by its layout, those of categorical histograms by its
//! labels. Pure.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use aggregate_store::SeriesRow;
use sketch::{HistogramKind, Layout};

use super::form::Form;
use super::group::{Bins, Row};

/// What a definition says of bins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The layout of what was counted under its keys.
    Layout(Layout),
    /// Names for the bins of categorical histograms; the last one is of all that lie behind the others.
    Labels(Vec<String>),
}

impl Reading {
    /// Reads rows before they are grouped.
    pub(crate) fn prepare(&self, rows: &mut [SeriesRow]) {
        match self {
            Self::Layout(layout) => read_by(*layout, rows),
            Self::Labels(_) => {
                // How many bins a release had says nothing of what they mean.
                let categorical = rows.iter_mut();
                let categorical = categorical.filter(|row| row.layout.kind == HistogramKind::Categorical);
                categorical.for_each(|row| row.layout = CATEGORICAL);
            }
        }
    }

    /// Reads rows after they are grouped.
    pub(crate) fn complete(&self, rows: &mut [Row]) {
        if let Self::Labels(labels) = self {
            let categorical = rows.iter_mut().filter(|row| row.layout == CATEGORICAL);
            categorical.for_each(|row| name_by(labels, row));
        }
    }
}

/// The one layout under which categorical histograms are grouped.
const CATEGORICAL: Layout = Layout {
    kind: HistogramKind::Categorical,
    min: 0,
    max: 0,
    bin_count: 0,
};

fn name_by(labels: &[String], row: &mut Row) {
    let Bins::Bounds(bins) = &row.bins else { return };
    let mut named: BTreeMap<&str, i128> = BTreeMap::new();
    for (bin, samples) in bins.iter().filter(|(_, samples)| *samples != 0) {
        let at = usize::try_from(*bin).unwrap_or(usize::MAX);
        if let Some(name) = labels.get(at).or_else(|| labels.last()) {
            *named.entry(name).or_default() += samples;
        }
    }
    let mut named: Vec<(String, i128)> = named.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
    // Stable: equals stay ascending by name.
    named.sort_by_key(|(_, samples)| Reverse(*samples));
    (row.bins, row.form, row.layout) = (Bins::Names(named), Form::Category, Layout::CATEGORIES);
}

/// Reads rows of keys as rows of this layout where all their samples lie at its bounds. A key that is none proves that another layout counted,
/// too, and which of the other samples are its own cannot be told: such a row stays as it was sent.
fn read_by(layout: Layout, rows: &mut [SeriesRow]) {
    let bounds = layout.lower_bounds();
    for row in rows
        .iter_mut()
        .filter(|row| row.layout.kind == HistogramKind::Keys)
    {
        let mut bins = row.cell.bins().iter().filter(|(_, samples)| *samples != 0);
        if bins.all(|(bound, _)| bounds.binary_search(bound).is_ok()) {
            row.layout = layout;
        }
    }
}

#[cfg(test)]
mod tests {
    use sketch::Cell;

    use super::*;

    fn row(bins: &[(i64, i128)]) -> SeriesRow {
        let sum = bins
            .iter()
            .map(|(bound, samples)| i128::from(*bound) * samples)
            .sum();
        SeriesRow {
            group: Vec::new(),
            label: String::new(),
            layout: Layout::KEYS,
            plausible: 1,
            newest_build: ping::UNKNOWN.to_owned(),
            cell: Cell::new(1, sum, bins.to_vec()),
        }
    }

    #[test]
    fn keys_are_bins_of_a_layout_where_each_of_them_is_one_of_its_bounds() {
        // By hand: of 1 to 100 in 12 bins the bounds are 0, 1, 10, 20 and so on to 90, and 100.
        let layout = Layout::glean_linear(1, 100, 12);
        let mut rows = [
            row(&[(0, 1), (1, 2), (10, 3), (100, 4)]),
            row(&[(0, 1), (11, 1)]),
            row(&[]),
        ];
        read_by(layout, &mut rows);
        assert_eq!(rows.map(|row| row.layout), [layout, Layout::KEYS, layout]);
    }

    /// What the SDK sends of samples: the largest bound that is not above each, by looking at all of them.
    fn sent(layout: Layout, samples: &[i64]) -> Vec<(i64, i128)> {
        let bounds = layout.lower_bounds();
        let key = |sample: i64| bounds.iter().copied().filter(|bound| *bound <= sample).max();
        let keys: Vec<i64> = samples.iter().filter_map(|sample| key(*sample)).collect();
        let mut bins: Vec<(i64, i128)> = Vec::new();
        for bound in bounds {
            let many = keys.iter().filter(|key| **key == bound).count();
            bins.extend((many > 0).then_some((bound, many as i128)));
        }
        bins
    }

    #[test]
    fn what_one_layout_counted_is_read_by_it_and_by_another_only_if_all_its_keys_are_bounds_there() {
        let (mut own, mut strange) = (0, 0);
        for seed in 1..400_u64 {
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut dice = |sides: i64| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                i64::try_from(state >> 33).unwrap_or(0) % sides
            };
            let mut layout = || {
                let (min, bins) = (dice(5), u32::try_from(3 + dice(40)).unwrap_or(3));
                let max = min + 2 + dice(3_000);
                match dice(2) {
                    0 => Layout::glean_linear(min, max, bins),
                    _ => Layout::exponential(min, max, bins),
                }
            };
            let counted = layout();
            let defined = if seed % 4 == 0 { counted } else { layout() };
            let samples: Vec<i64> = (0..20).map(|_| dice(4_000)).collect();
            let keys = sent(counted, &samples);
            let mut rows = [row(&keys), row(&keys)];
            read_by(counted, &mut rows[..1]);
            read_by(defined, &mut rows[1..]);
            assert_eq!(rows[0].layout, counted, "seed {seed}");
            let there = defined.lower_bounds();
            let fits = keys.iter().all(|(key, _)| there.contains(key));
            let expected = if fits { defined } else { Layout::KEYS };
            assert_eq!(rows[1].layout, expected, "seed {seed}: {counted} {defined}");
            *(if fits { &mut own } else { &mut strange }) += 1;
        }
        assert!(own > 90 && strange > 100, "{own} {strange}");
    }

    #[test]
    fn what_has_a_layout_of_its_own_keeps_it() {
        let mut rows = [row(&[(1, 1)])];
        rows[0].layout = Layout::NUMBER;
        read_by(Layout::glean_linear(1, 100, 12), &mut rows);
        assert_eq!(rows[0].layout, Layout::NUMBER);
    }
}
