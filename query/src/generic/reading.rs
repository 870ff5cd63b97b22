//! Bins that were counted under their keys, read by the layout that a definition gives. Pure.

use aggregate_store::SeriesRow;
use sketch::{HistogramKind, Layout};

/// Reads rows of keys as rows of this layout where all their samples lie at its bounds. A key that is none proves that another layout counted,
/// too, and which of the other samples are its own cannot be told: such a row stays as it was sent.
pub(crate) fn read_by(layout: Layout, rows: &mut [SeriesRow]) {
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
