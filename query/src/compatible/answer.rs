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
    /// Pings whose build is not dated after the day they were received on.
    pub plausible: i64,
    /// The newest such build date that was stated, else [`ping::UNKNOWN`].
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
    /// Layouts of the metric that were left out, those with the most pings first; a header names them.
    #[serde(skip)]
    pub other_layouts: Vec<Layout>,
    /// Samples that lie on none of the bins: the sums have them, the histograms do not. A header says how many.
    #[serde(skip)]
    pub samples_left_out: i64,
}

/// The answer would have more numbers than one may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyBins;

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
/// Only one layout is shown, for bins of two do not add up: that of the most pings whose builds are plausible; of equals
/// that of the newest build. Pings of a date are those of its most frequent label, for one ping may have many. So neither a build that claims to be of the future nor a few pings of another layout hide or
/// distort what the others sent. With a definition its bins are shown, whatever bins the layout has: counts at other lower
/// bounds are left out, as the original did, while sum and count keep all. Without one, the layout's own.
///
/// # Errors
/// [`TooManyBins`] when all histograms together have more than `bins_max` numbers; before they are made.
pub fn answer(
    definition: Option<Definition>,
    series: Vec<Series>,
    bins_max: usize,
) -> Result<Answer, TooManyBins> {
    let mut layouts = by_pings(&series);
    let shown = layouts.pop();
    layouts.reverse();
    let definition = definition.unwrap_or_else(|| definition_of_layout(shown.unwrap_or(Layout::COUNT)));
    let kept = series.into_iter().filter(|one| Some(one.layout) == shown);
    shape(definition, kept, layouts, bins_max)
}

/// The layouts; the one that leads is the last.
fn by_pings(series: &[Series]) -> Vec<Layout> {
    let mut labels: BTreeMap<(Layout, &str, &str), (i64, i64)> = BTreeMap::new();
    for one in series {
        let (plausible, all) = labels.entry((one.layout, &one.date, &one.label)).or_default();
        *plausible = plausible.saturating_add(one.plausible);
        *all = all.saturating_add(one.cell.count());
    }
    let mut dates: BTreeMap<(Layout, &str), (i64, i64)> = BTreeMap::new();
    for ((layout, date, _), (plausible, all)) in labels {
        let most = dates.entry((layout, date)).or_default();
        *most = (most.0.max(plausible), most.1.max(all));
    }
    let mut known: BTreeMap<Layout, (i64, i64, Option<&str>)> = BTreeMap::new();
    for ((layout, _), (of_plausible, of_all)) in dates {
        let (plausible, all, _) = known.entry(layout).or_default();
        *plausible = plausible.saturating_add(of_plausible);
        *all = all.saturating_add(of_all);
    }
    for one in series {
        let (_, _, newest) = known.entry(one.layout).or_default();
        let build = one.newest_build.as_str();
        *newest = (*newest).max(Some(build).filter(|build| *build != ping::UNKNOWN));
    }
    let mut layouts: Vec<_> = known.into_iter().map(|(layout, rank)| (rank, layout)).collect();
    layouts.sort_unstable();
    layouts.into_iter().map(|(_, layout)| layout).collect()
}

fn shape(
    definition: Definition,
    series: impl Iterator<Item = Series>,
    other_layouts: Vec<Layout>,
    bins_max: usize,
) -> Result<Answer, TooManyBins> {
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
    points.retain(|_, cell| !cell.is_zero());
    if points.len().saturating_mul(bounds.len()) > bins_max {
        return Err(TooManyBins);
    }
    let mut left_out: i128 = 0;
    let mut data = Vec::with_capacity(points.len());
    for ((date, label), cell) in points {
        let samples: i128 = cell.bins().iter().map(|(_, samples)| samples).sum();
        let counts: Vec<i128> = bounds.iter().map(|bound| cell.bin(*bound)).collect();
        left_out += samples - counts.iter().sum::<i128>();
        data.push(DataPoint {
            date,
            label,
            histogram: counts.into_iter().map(saturate).collect(),
            sum: saturate(cell.sum()),
            count: cell.count(),
        });
    }
    let buckets = match bins {
        Bins::Bounds(bounds) => Buckets::Bounds(bounds),
        Bins::Labels(labels) => Buckets::Labels(labels),
    };
    Ok(Answer {
        buckets,
        kind: kind.name(),
        description,
        data,
        other_layouts,
        samples_left_out: saturate(left_out),
    })
}

/// What a ping's own layout says when no definition does.
fn definition_of_layout(layout: Layout) -> Definition {
    let kind = match layout.kind {
        HistogramKind::Exponential | HistogramKind::ExponentialNumbers | HistogramKind::Functional => {
            Kind::Exponential
        }
        HistogramKind::Linear | HistogramKind::GleanLinear | HistogramKind::LinearNumbers => Kind::Linear,
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
        // No bounds are known: all samples are left out, and said to be.
        HistogramKind::Keys | HistogramKind::Categories => Kind::Enumerated,
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

    /// A series all of whose builds are plausible.
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
            plausible: count,
            newest_build: build.to_owned(),
            cell,
        }
    }

    fn answer(definition: Option<Definition>, series: Vec<Series>) -> Answer {
        super::answer(definition, series, usize::MAX).expect("as many bins as it likes")
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
        assert_eq!(answer.samples_left_out, 9);
    }

    #[test]
    fn histograms_that_would_be_too_many_are_not_made() {
        let rows = || {
            let labels = (0..5).map(|n| Series {
                label: n.to_string(),
                ..series("d", Layout::linear(1, 9, 10), "d", 1, 1, &[(1, 1)])
            });
            labels.collect::<Vec<_>>()
        };
        assert_eq!(super::answer(None, rows(), 49), Err(TooManyBins));
        let fits = super::answer(None, rows(), 50).expect("fifty numbers");
        assert_eq!(fits.data.len(), 5);
    }

    #[test]
    fn neither_a_build_of_the_future_nor_a_few_pings_of_another_layout_hide_what_the_others_sent() {
        let (honest, odd) = (Layout::linear(1, 10, 11), Layout::linear(1, 10_000, 11));
        let boolean = Some(Definition::boolean(""));
        for definition in [None, boolean] {
            for (pings, plausible, build) in
                [(1, 1, "20170103"), (900, 0, "20990101"), (900, 199, "20990101")]
            {
                let rows = vec![
                    series("d", honest, "20170101", 200, 176_400, &[(1, 200)]),
                    Series {
                        plausible,
                        ..series("d", odd, build, pings, 1 << 40, &[(1, 7)])
                    },
                ];
                let answer = answer(definition.clone(), rows);
                let [point] = &answer.data[..] else {
                    panic!("{answer:?}")
                };
                assert_eq!((point.sum, point.count, point.histogram[1]), (176_400, 200, 200));
                assert_eq!(point.sum / point.histogram.iter().sum::<i64>(), 882);
                assert_eq!(answer.other_layouts, [odd]);
            }
        }
    }

    #[test]
    fn one_ping_with_many_labels_weighs_as_one_whatever_dates_it_is_seen_beside() {
        let (honest, odd) = (Layout::exponential(1, 100, 10), Layout::exponential(1, 777, 20));
        let labelled = |date: &str, label: String, layout, pings| Series {
            label,
            ..series(date, layout, "20170130", pings, 1, &[(1, 1)])
        };
        let many = || (0..200).map(|n| labelled("20170130", format!("l{n}"), odd, 1));
        let one_date = vec![labelled("20170130", "a".to_owned(), honest, 40)];
        let two_labels = ["a", "b"].map(|label| labelled("20170130", label.to_owned(), honest, 2));
        let dates = ["20170130", "20170131"].map(|date| labelled(date, "a".to_owned(), honest, 1));
        for rows in [one_date, two_labels.into(), dates.into()] {
            let answer = answer(None, rows.into_iter().chain(many()).collect());
            assert_eq!(answer.other_layouts, [odd]);
            assert!(answer.data.iter().all(|point| point.label.len() == 1));
        }
    }

    #[test]
    fn where_no_build_is_plausible_the_most_pings_lead() {
        let layouts = [1, 2, 3].map(|max| Layout::linear(1, 10 * max, 11));
        let rows = [3, 9, 5].iter().zip(layouts).map(|(count, layout)| Series {
            plausible: 0,
            ..series("d", layout, ping::UNKNOWN, *count, 1, &[(1, 1)])
        });
        let answer = answer(None, rows.collect());
        assert_eq!(answer.data[0].count, 9);
        assert_eq!(answer.other_layouts, [layouts[2], layouts[0]]);
    }

    #[test]
    fn of_layouts_with_as_many_pings_the_newest_is_shown_and_the_other_named() {
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
