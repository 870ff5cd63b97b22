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

    #[test]
    fn what_has_a_layout_of_its_own_keeps_it() {
        let mut rows = [row(&[(1, 1)])];
        rows[0].layout = Layout::NUMBER;
        read_by(Layout::glean_linear(1, 100, 12), &mut rows);
        assert_eq!(rows[0].layout, Layout::NUMBER);
    }
}
