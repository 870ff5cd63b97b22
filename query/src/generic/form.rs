//! What the cells of a metric are: numbers, a distribution or categories, as their layouts tell.

use aggregate_store::{Source, StoredMetric};
use serde_json::{Value, json};
use sketch::{HistogramKind, Layout};

/// What a metric's samples are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// One value a ping.
    Number,
    /// A histogram that the client made.
    Distribution,
    /// Values with names.
    Category,
}

impl Form {
    /// Of a source's layout. The bins of numbers are told from those of a client's timings by their number.
    pub(crate) fn of(source: &Source, layout: &Layout) -> Self {
        let is_main = source.as_str() == Source::TELEMETRY_MAIN;
        match layout.kind {
            HistogramKind::Categories => Self::Category,
            _ if layout.is_of_numbers() => Self::Number,
            HistogramKind::Count if is_main => Self::Number,
            _ if is_main && [Layout::COUNT, Layout::SIMPLE].contains(layout) => Self::Number,
            _ => Self::Distribution,
        }
    }

    /// Of a metric by its examples, and whether it is labelled; markers tell neither.
    pub(crate) fn of_metric(source: &Source, metric: &StoredMetric) -> (Option<Self>, bool) {
        let examples = metric.examples.iter();
        let mut told = examples
            .filter(|(label, layout)| !is_marker(label, layout))
            .peekable();
        let form = told.peek().map(|(_, layout)| Self::of(source, layout));
        let is_labelled = |(label, layout): &(String, Layout)| match layout.kind {
            HistogramKind::Categories => !label.starts_with('='),
            _ => !label.is_empty(),
        };
        (form, told.any(is_labelled))
    }

    /// Its name in answers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Distribution => "distribution",
            Self::Category => "category",
        }
    }
}

/// Whether a cell only counts pings.
pub(crate) fn is_marker(label: &str, layout: &Layout) -> bool {
    label.is_empty() && layout.kind == HistogramKind::Categories
}

/// The unit that a layout tells.
pub(crate) fn unit_of(layout: &Layout) -> Option<&'static str> {
    match *layout {
        Layout::NUMBER => Some("ns"),
        Layout::MEMORY => Some("bytes"),
        _ => None,
    }
}

/// A layout as answers show it.
pub(crate) fn layout_json(layout: &Layout) -> Value {
    let Layout {
        kind,
        min,
        max,
        bin_count,
    } = *layout;
    match kind {
        HistogramKind::Functional => json!({"kind": "functional", "base": min, "per_magnitude": max}),
        HistogramKind::Keys | HistogramKind::Categories => json!({"kind": kind.name()}),
        HistogramKind::GleanLinear | HistogramKind::LinearNumbers => {
            json!({"kind": "linear", "min": min, "max": max, "buckets": bin_count})
        }
        HistogramKind::ExponentialNumbers => {
            json!({"kind": "exponential", "min": min, "max": max, "buckets": bin_count})
        }
        _ => json!({"kind": kind.name(), "min": min, "max": max, "buckets": bin_count}),
    }
}

/// The bounds of a layout, whose text need not be read again for each bin.
#[derive(Clone, Debug)]
pub(crate) struct Edges(Vec<i64>);

impl Edges {
    pub(crate) fn of(layout: &Layout) -> Self {
        Self(layout.lower_bounds())
    }

    /// All of them.
    pub(crate) fn bounds(&self) -> &[i64] {
        &self.0
    }

    /// Where the bin with this lower bound ends, exclusive; `None` where it is open or not known.
    pub(crate) fn after(&self, bound: i64) -> Option<i64> {
        let first = *self.0.first()?;
        let above = self.0.partition_point(|&edge| edge <= bound.max(first));
        self.0.get(above).copied()
    }

    /// The lower bounds of all bins from one to another, those between them that have no samples, too; and where the last one ends,
    /// `None` where it is open. Nothing where bounds are not known.
    pub(crate) fn edges_between(&self, first: i64, last: i64) -> (&[i64], Option<i64>) {
        let from = self.0.partition_point(|&edge| edge < first);
        let to = self.0.partition_point(|&edge| edge <= last);
        (&self.0[from..to.max(from)], self.after(last))
    }
}

/// What rows of one layout have in common: found once for rows of it that follow each other.
#[derive(Debug)]
pub(crate) struct Shared {
    layout: Layout,
    pub(crate) edges: Edges,
    /// The layout as answers show it.
    pub(crate) json: Value,
}

impl Shared {
    fn of(layout: Layout) -> Self {
        Self {
            layout,
            edges: Edges::of(&layout),
            json: layout_json(&layout),
        }
    }

    /// That of a layout; `last` has it if the row before had the same.
    pub(crate) fn after<'a>(last: &'a mut Option<Self>, layout: &Layout) -> &'a Self {
        if last.as_ref().is_some_and(|last| last.layout != *layout) {
            *last = None;
        }
        last.get_or_insert_with(|| Self::of(*layout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_timings_and_the_originals_counts_from_others() {
        let (glean, main) = (Source::named("a/b"), Source::telemetry_main());
        let number = Layout::NUMBER.of_numbers();
        assert_eq!(Form::of(&glean, &number), Form::Number);
        assert_eq!(Form::of(&glean, &Layout::NUMBER), Form::Distribution);
        assert_eq!(Form::of(&glean, &Layout::SIMPLE), Form::Distribution);
        assert_eq!(Form::of(&main, &Layout::SIMPLE), Form::Number);
        assert_eq!(Form::of(&glean, &Layout::CATEGORIES), Form::Category);
        assert_eq!(layout_json(&number), layout_json(&Layout::NUMBER));
        for layout in [
            Layout::exponential(1, 1_000, 30),
            Layout::glean_linear(0, 100, 12),
        ] {
            let numbers = layout.of_numbers();
            assert_eq!(Form::of(&glean, &layout), Form::Distribution);
            assert_eq!(Form::of(&glean, &numbers), Form::Number);
            assert_eq!(layout_json(&numbers), layout_json(&layout));
            assert_eq!(numbers.lower_bounds(), layout.lower_bounds());
        }
        assert_eq!(
            (unit_of(&number), unit_of(&Layout::MEMORY)),
            (None, Some("bytes"))
        );
    }

    #[test]
    fn the_edges_of_a_range_of_bins_are_all_bounds_in_it_and_its_end() {
        let layout = Layout::linear(10, 40, 5);
        let bounds = layout.lower_bounds();
        let edges = Edges::of(&layout);
        for (at, first) in bounds.iter().enumerate() {
            for (length, last) in bounds[at..].iter().enumerate() {
                let expected = (&bounds[at..=at + length], bounds.get(at + length + 1).copied());
                assert_eq!(edges.edges_between(*first, *last), expected, "{first} {last}");
            }
        }
        assert_eq!(Edges::of(&Layout::KEYS).edges_between(3, 9), (&[][..], None));
    }

    #[test]
    fn what_rows_share_is_that_of_their_own_layout() {
        let (one, other) = (Layout::linear(10, 40, 5), Layout::SIMPLE);
        let mut last = None;
        for layout in [one, one, other, one, Layout::KEYS, other] {
            let shared = Shared::after(&mut last, &layout);
            assert_eq!(shared.edges.bounds(), layout.lower_bounds());
            assert_eq!(shared.json, layout_json(&layout));
        }
    }

    #[test]
    fn an_edge_is_the_one_that_the_layout_itself_finds() {
        for layout in [
            Layout::NUMBER,
            Layout::SIMPLE,
            Layout::linear(1, 10, 5),
            Layout::KEYS,
        ] {
            let edges = Edges::of(&layout);
            for value in (-40..40).chain([i64::MIN, i64::MAX, 30_000]) {
                assert_eq!(edges.after(value), layout.next_edge(value), "{layout} {value}");
            }
        }
    }
}
