//! The answer to "how is this metric distributed, by date and label": cells in, the original's JSON out. Pure.

use std::collections::BTreeMap;

use serde::Serialize;
use sketch::{Cell, HistogramKind, Layout};

use crate::definitions::{Bins, Definition, Kind};

/// What was folded for one date, label and layout, under the filters of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// Build date or submission date, as the query's clock says.
    pub date: String,
    /// Key of a keyed metric; else empty.
    pub label: String,
    /// The layout that the pings stated.
    pub layout: Layout,
    /// The newest build date among these pings.
    pub newest_build: String,
    /// The sum.
    pub cell: Cell,
}

/// An answer, with exactly the original's fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Lower bounds, or labels, of the bins.
    pub buckets: Buckets,
    /// The kind's word.
    pub kind: &'static str,
    /// What the metric measures.
    pub description: String,
    /// One entry for each date and label, in that order.
    pub data: Vec<DataPoint>,
    /// Layouts of the metric that were left out; a header names them.
    #[serde(skip)]
    pub other_layouts: Vec<Layout>,
}

/// Bins as the original writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Buckets {
    /// By lower bound.
    Bounds(Vec<i64>),
    /// By label.
    Labels(Vec<String>),
}

/// One date and label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DataPoint {
    /// The date.
    pub date: String,
    /// The label, empty for a metric without keys.
    pub label: String,
    /// Counts by bin; for a flag three of them, though it has two bins.
    pub histogram: Vec<i64>,
    /// Sum of the measured values.
    pub sum: i64,
    /// Submissions that contributed.
    pub count: i64,
}

/// Shapes series into an answer.
///
/// With a definition its bins are shown, whatever layouts the pings had: counts at other lower bounds are left out, as
/// the original did, while sum and count keep all. Without one, the layout of the newest build is shown alone.
pub fn answer(definition: Option<Definition>, series: Vec<Series>) -> Answer {
    if let Some(definition) = definition {
        return shape(definition, series, Vec::new());
    }
    let newest = newest_builds(&series);
    let shown = newest
        .iter()
        .max_by_key(|(layout, build)| (*build, *layout))
        .map(|(layout, _)| *layout);
    let others = newest.into_keys().filter(|layout| Some(*layout) != shown);
    let others = others.collect();
    let kept = series.into_iter().filter(|one| Some(one.layout) == shown);
    shape(
        definition_of_layout(shown.unwrap_or(Layout::COUNT)),
        kept.collect(),
        others,
    )
}

/// The newest build of each layout; `None`, which is older than any, when no build stated its date.
fn newest_builds(series: &[Series]) -> BTreeMap<Layout, Option<String>> {
    let mut newest: BTreeMap<Layout, Option<String>> = BTreeMap::new();
    for one in series {
        let is_date = one.newest_build.bytes().all(|byte| byte.is_ascii_digit());
        let build = is_date.then(|| one.newest_build.clone());
        let known = newest.entry(one.layout).or_default();
        *known = known.take().max(build);
    }
    newest
}

fn shape(definition: Definition, series: Vec<Series>, other_layouts: Vec<Layout>) -> Answer {
    let Definition {
        kind,
        bins,
        description,
    } = definition;
    let bounds = bounds_of_values(kind, &bins);
    let mut points: BTreeMap<(String, String), Cell> = BTreeMap::new();
    for one in series {
        points.entry((one.date, one.label)).or_default().add(&one.cell);
    }
    let data = points
        .into_iter()
        .filter(|(_, cell)| !cell.is_zero())
        .map(|((date, label), cell)| DataPoint {
            date,
            label,
            histogram: bounds.iter().map(|bound| saturate(cell.bin(*bound))).collect(),
            sum: saturate(cell.sum()),
            count: cell.count(),
        })
        .collect();
    let buckets = match bins {
        Bins::Bounds(bounds) => Buckets::Bounds(bounds),
        Bins::Labels(labels) => Buckets::Labels(labels),
    };
    Answer {
        buckets,
        kind: kind.name(),
        description,
        data,
        other_layouts,
    }
}

/// What a ping's own layout says when no definition does.
fn definition_of_layout(layout: Layout) -> Definition {
    let kind = match layout.kind {
        HistogramKind::Exponential => Kind::Exponential,
        HistogramKind::Linear => Kind::Linear,
        HistogramKind::Boolean => return Definition::boolean(""),
        HistogramKind::Flag => {
            return Definition {
                kind: Kind::Flag,
                bins: Bins::Bounds(vec![0, 1]),
                description: String::new(),
            };
        }
        HistogramKind::Count => return Definition::numeric(Kind::Count, Layout::COUNT, ""),
        HistogramKind::Categorical => Kind::Categorical,
    };
    Definition::numeric(kind, layout, "")
}

/// The lower bounds that the values of `histogram` stand for: those of the bins, but three for a flag.
fn bounds_of_values(kind: Kind, bins: &Bins) -> Vec<i64> {
    match bins {
        Bins::Bounds(_) if kind == Kind::Flag => vec![0, 1, 2],
        Bins::Bounds(bounds) => bounds.clone(),
        Bins::Labels(labels) => (0..).take(labels.len()).collect(),
    }
}

/// A sum as answers bear it: held at the ends of 64 bits.
pub fn saturate(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(
        date: &str,
        layout: Layout,
        build: &str,
        count: i64,
        sum: i128,
        bins: &[(i64, i128)],
    ) -> Series {
        let cell = Cell::new(count, sum, bins.iter().copied());
        Series {
            date: date.to_owned(),
            label: String::new(),
            layout,
            newest_build: build.to_owned(),
            cell,
        }
    }

    #[test]
    fn bins_off_the_definitions_layout_are_left_out_but_sum_and_count_keep_all() {
        let definition = Definition {
            kind: Kind::Linear,
            bins: Bins::Bounds(vec![0, 1, 6]),
            description: "d".to_owned(),
        };
        let one = series(
            "20170130",
            Layout::linear(1, 10, 4),
            "20170130",
            2,
            17,
            &[(1, 3), (5, 9), (6, 1)],
        );
        let answer = answer(Some(definition), vec![one]);
        assert_eq!(answer.data[0].histogram, [0, 3, 1]);
        assert_eq!((answer.data[0].sum, answer.data[0].count), (17, 2));
    }

    #[test]
    fn without_a_definition_the_newest_layout_is_shown_and_the_other_named() {
        let (old, new) = (Layout::linear(1, 3, 4), Layout::linear(1, 2, 3));
        let rows = vec![
            series("20170101", old, "20170101", 1, 1, &[(1, 1)]),
            series("20170102", new, "20170102", 1, 2, &[(2, 1)]),
        ];
        let answer = answer(None, rows);
        assert_eq!(answer.buckets, Buckets::Bounds(vec![0, 1, 2]));
        assert_eq!(answer.other_layouts, [old]);
        assert_eq!(answer.data.len(), 1);
    }

    #[test]
    fn a_build_without_a_date_is_older_than_any() {
        let (unknown, dated) = (Layout::linear(1, 3, 4), Layout::linear(1, 2, 3));
        let rows = vec![
            series("20170101", unknown, "UNKNOWN", 1, 1, &[(1, 1)]),
            series("20170101", dated, "20170102", 1, 2, &[(2, 1)]),
        ];
        assert_eq!(answer(None, rows).other_layouts, [unknown]);
    }

    #[test]
    fn a_flag_has_two_bins_and_three_values() {
        let flag = Layout {
            kind: HistogramKind::Flag,
            min: 1,
            max: 2,
            bin_count: 3,
        };
        let answer = answer(None, vec![series("20170101", flag, "20170101", 2, 0, &[(0, 2)])]);
        assert_eq!(answer.buckets, Buckets::Bounds(vec![0, 1]));
        assert_eq!(answer.data[0].histogram, [2, 0, 0]);
    }

    #[test]
    fn what_lies_above_the_spill_is_left_out_of_a_categorical_answer() {
        let labels = vec!["a".to_owned(), "b".to_owned(), "spill".to_owned()];
        let definition = Definition {
            kind: Kind::Categorical,
            bins: Bins::Labels(labels),
            description: String::new(),
        };
        let layout = Layout {
            kind: HistogramKind::Categorical,
            min: 1,
            max: 50,
            bin_count: 51,
        };
        let answer = answer(
            Some(definition),
            vec![series("d", layout, "d", 6, 0, &[(0, 1), (1, 2), (2, 3), (3, 4)])],
        );
        assert_eq!(answer.data[0].histogram, [1, 2, 3]);
    }

    #[test]
    fn sums_saturate_only_when_they_are_read() {
        let one = series(
            "d",
            Layout::SIMPLE,
            "d",
            1,
            i128::from(i64::MAX) + 7,
            &[(0, i128::MAX)],
        );
        let answer = answer(None, vec![one]);
        assert_eq!(
            (answer.data[0].sum, answer.data[0].histogram[0]),
            (i64::MAX, i64::MAX)
        );
    }
}
