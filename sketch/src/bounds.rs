//! The lower bounds of a layout's bins, and the search among them.
//!
//! Here: the formulas. Not here: what identifies a layout, and its text (`layout.rs`).

use std::sync::LazyLock;

use crate::functional;
use crate::kind::HistogramKind;
use crate::layout::{BIN_COUNT_MAX, Layout};

static COUNT_BOUNDS: LazyLock<Vec<i64>> = LazyLock::new(|| lower_bounds(&Layout::COUNT));
static SIMPLE_BOUNDS: LazyLock<Vec<i64>> = LazyLock::new(|| lower_bounds(&Layout::SIMPLE));
static NUMBER_BOUNDS: LazyLock<ByPower> = LazyLock::new(|| ByPower::of(lower_bounds(&Layout::NUMBER)));
static MEMORY_BOUNDS: LazyLock<ByPower> = LazyLock::new(|| ByPower::of(lower_bounds(&Layout::MEMORY)));

/// Ascending bounds, and where among them each power of two begins: few are left to search, however many there are.
struct ByPower {
    bounds: Vec<i64>,
    /// How many bounds are at most 2^k.
    up_to: [usize; 64],
}

impl ByPower {
    fn of(bounds: Vec<i64>) -> Self {
        let up_to = std::array::from_fn(|power| {
            let value = i64::try_from(1_u64 << power).unwrap_or(i64::MAX);
            bounds.partition_point(|&bound| bound <= value)
        });
        Self { bounds, up_to }
    }

    /// As [`bin_among`].
    fn bin_of(&self, value: i64) -> i64 {
        let Some(power) = value.checked_ilog2() else {
            return bin_among(&self.bounds, value);
        };
        let power = power as usize;
        // The bounds at most `value` are those at most its power of two, and some below the next one.
        let end = self.up_to.get(power + 1).copied().unwrap_or(self.bounds.len());
        let from = self.up_to[power].saturating_sub(1);
        bin_among(&self.bounds[from..end], value)
    }
}

/// See [`Layout::lower_bounds`].
pub(crate) fn lower_bounds(layout: &Layout) -> Vec<i64> {
    let bins = i64::from(layout.bin_count.clamp(1, BIN_COUNT_MAX));
    let min = layout.min.max(1);
    let max = layout.max.max(min);
    match layout.kind {
        HistogramKind::Linear => linear(min, max, bins),
        HistogramKind::Exponential | HistogramKind::ExponentialNumbers => exponential(min, max, bins),
        HistogramKind::Boolean | HistogramKind::Flag | HistogramKind::Count => vec![0, 1, 2],
        HistogramKind::Categorical => (0..bins).collect(),
        HistogramKind::Functional => functional::bounds(layout.min, layout.max),
        HistogramKind::GleanLinear | HistogramKind::LinearNumbers => glean_linear(min, max, bins),
        HistogramKind::Keys | HistogramKind::Categories => Vec::new(),
    }
}

/// See [`Layout::bin_of`].
pub(crate) fn bin_of(layout: &Layout, value: i64) -> i64 {
    match layout.kind {
        HistogramKind::Keys | HistogramKind::Categories => value,
        HistogramKind::Functional if *layout == Layout::NUMBER => NUMBER_BOUNDS.bin_of(value),
        HistogramKind::Functional if *layout == Layout::MEMORY => MEMORY_BOUNDS.bin_of(value),
        _ => with_bounds(layout, |bounds| bin_among(bounds, value)),
    }
}

/// See [`Layout::next_edge`].
pub(crate) fn next_edge(layout: &Layout, value: i64) -> Option<i64> {
    with_bounds(layout, |bounds| {
        let first = bounds.first().copied()?;
        // A value below every bound lies in the first bin.
        let above = bounds.partition_point(|&bound| bound <= value.max(first));
        bounds.get(above).copied()
    })
}

/// What `find` finds among the bounds, which are kept for the layouts that are constants.
fn with_bounds<T>(layout: &Layout, find: impl FnOnce(&[i64]) -> T) -> T {
    match *layout {
        Layout::COUNT => find(&COUNT_BOUNDS),
        Layout::SIMPLE => find(&SIMPLE_BOUNDS),
        Layout::NUMBER => find(&NUMBER_BOUNDS.bounds),
        Layout::MEMORY => find(&MEMORY_BOUNDS.bounds),
        _ => find(&lower_bounds(layout)),
    }
}

/// The largest of the ascending `bounds` that is not above `value`, else the first; 0 if there is none at all.
#[must_use]
pub fn bin_among(bounds: &[i64], value: i64) -> i64 {
    let above = bounds.partition_point(|&bound| bound <= value);
    bounds.get(above.saturating_sub(1)).copied().unwrap_or(0)
}

fn linear(min: i64, max: i64, bins: i64) -> Vec<i64> {
    let mut bounds = vec![0];
    for i in 1..bins {
        let bound = if bins > 2 {
            linear_bound(min, max, bins, i)
        } else {
            min
        };
        if bounds.last().is_some_and(|&last| bound > last) {
            bounds.push(bound);
        }
    }
    bounds
}

/// The i-th bound, for at least three bins. Saturates where `i64` ends.
#[expect(
    clippy::cast_precision_loss,
    reason = "the formula is defined on floating point; ranges are far below 2^53"
)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` saturates, and truncation is the formula's"
)]
fn linear_bound(min: i64, max: i64, bins: i64, i: i64) -> i64 {
    let weighted = i128::from(min) * i128::from(bins - 1 - i) + i128::from(max) * i128::from(i - 1);
    (weighted as f64 / (bins - 2) as f64 + 0.5) as i64
}

/// Glean's: in whole numbers, so that what telemetry rounds is cut.
fn glean_linear(min: i64, max: i64, bins: i64) -> Vec<i64> {
    let mut bounds = vec![0];
    for i in 1..bins {
        let weighted = i128::from(min) * i128::from(bins - 1 - i) + i128::from(max) * i128::from(i - 1);
        // Of two bins the SDK divides by zero: it never sends them.
        let bound = if bins > 2 {
            weighted / i128::from(bins - 2)
        } else {
            i128::from(min)
        };
        let bound = i64::try_from(bound).unwrap_or(i64::MAX);
        if bounds.last().is_some_and(|&last| bound > last) {
            bounds.push(bound);
        }
    }
    bounds
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the formula is defined on floating point; ranges are far below 2^53"
)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` saturates, and a bound that does not rise is replaced"
)]
fn exponential(min: i64, max: i64, bins: i64) -> Vec<i64> {
    let mut bounds = vec![0];
    if bins > 1 {
        bounds.push(min);
    }
    let ln_max = (max as f64).ln();
    let mut bound = min;
    for i in 2..bins {
        let ln_bound = (bound as f64).ln();
        let next = (ln_bound + (ln_max - ln_bound) / (bins - i) as f64).exp();
        let next = (next + 0.5).floor() as i64;
        let Some(above) = bound.checked_add(1) else { break };
        bound = next.max(above);
        bounds.push(bound);
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_count_layout_has_one_hundred_known_bounds() {
        let bounds = Layout::COUNT.lower_bounds();
        assert_eq!(bounds.len(), 100);
        assert_eq!(bounds[..20], (0..20).collect::<Vec<_>>());
        assert_eq!(bounds[20..30], [21, 23, 25, 27, 29, 31, 34, 37, 40, 43]);
        assert_eq!(bounds[95..], [7318, 7912, 8554, 9249, 10000]);
    }

    #[test]
    fn two_valued_kinds_have_three_bins_whatever_the_range() {
        for kind in [HistogramKind::Boolean, HistogramKind::Flag, HistogramKind::Count] {
            let layout = Layout {
                kind,
                min: 7,
                max: -3,
                bin_count: 99,
            };
            assert_eq!(layout.lower_bounds(), [0, 1, 2]);
        }
    }

    #[test]
    fn a_categorical_layout_ignores_its_range() {
        let layout = Layout {
            kind: HistogramKind::Categorical,
            min: 1,
            max: 2,
            bin_count: 4,
        };
        assert_eq!(layout.lower_bounds(), [0, 1, 2, 3]);
    }

    #[test]
    fn layouts_too_small_or_upside_down_are_defined() {
        assert_eq!(Layout::linear(1, 10, 0).lower_bounds(), [0]);
        assert_eq!(Layout::linear(1, 10, 1).lower_bounds(), [0]);
        assert_eq!(Layout::linear(3, 10, 2).lower_bounds(), [0, 3]);
        assert_eq!(Layout::linear(3, 10, 3).lower_bounds(), [0, 3, 10]);
        assert_eq!(Layout::linear(10, 3, 9).lower_bounds(), [0, 10]);
        assert_eq!(Layout::exponential(1, 10, 0).lower_bounds(), [0]);
        assert_eq!(Layout::exponential(3, 10, 2).lower_bounds(), [0, 3]);
        assert_eq!(Layout::exponential(10, 3, 5).lower_bounds(), [0, 10, 11, 12, 13]);
        assert_eq!(Layout::exponential(i64::MAX, 1, 5).lower_bounds(), [0, i64::MAX]);
        assert_eq!(
            Layout::exponential(1, 2, u32::MAX).lower_bounds().len(),
            BIN_COUNT_MAX as usize
        );
    }

    #[test]
    fn a_value_below_every_bound_falls_into_the_first_bin() {
        assert_eq!(Layout::COUNT.bin_of(-5), 0);
        assert_eq!(Layout::COUNT.bin_of(20), 19);
        assert_eq!(Layout::SIMPLE.bin_of(i64::MAX), 30_000);
        assert_eq!(bin_among(&[], 3), 0);
    }

    fn layout() -> impl Strategy<Value = Layout> {
        let range = || prop_oneof![-3i64..3, 0i64..100_000, any::<i64>()];
        let count = prop_oneof![0u32..120, Just(10_000), any::<u32>()];
        (0u8..10, range(), range(), count).prop_map(|(code, min, max, bin_count)| Layout {
            kind: HistogramKind::stored(code).expect("0 to 11 are kinds"),
            min,
            max,
            bin_count,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn a_search_by_powers_of_two_finds_what_a_search_finds(value: i64, shift in 0_u32..64, near in -3_i64..3) {
            for layout in [Layout::NUMBER, Layout::MEMORY] {
                let bounds = layout.lower_bounds();
                let edge = bounds[value.unsigned_abs() as usize % bounds.len()];
                let power = i64::MAX >> shift;
                for value in [value, value >> shift, power.saturating_add(near), edge.saturating_add(near)] {
                    prop_assert_eq!(layout.bin_of(value), bin_among(&bounds, value), "{}", value);
                }
            }
        }

        #[test]
        fn any_layout_has_few_ascending_bounds(layout in layout()) {
            let bounds = layout.lower_bounds();
            let first = match layout.kind {
                HistogramKind::Functional => Some(i64::MIN),
                HistogramKind::Keys | HistogramKind::Categories => None,
                _ => Some(0),
            };
            prop_assert_eq!(bounds.first().copied(), first);
            prop_assert!(bounds.len() <= BIN_COUNT_MAX as usize);
            prop_assert!(bounds.is_sorted_by(|a, b| a < b));
        }

        #[test]
        fn a_value_falls_into_the_last_bin_not_above_it_which_ends_at_the_next_bound(
            layout in layout(), value: i64, small in -2i64..40_000,
        ) {
            for value in [value, small] {
                let bounds = layout.lower_bounds();
                let first = bounds.first().copied().unwrap_or(value);
                let slow = bounds.iter().copied().filter(|&bound| bound <= value).max().unwrap_or(first);
                prop_assert_eq!(layout.bin_of(value), slow);
                let next = bounds.iter().copied().find(|&bound| bound > slow);
                prop_assert_eq!(layout.next_edge(value), next);
                prop_assert_eq!(layout.has_bound(value), bounds.contains(&value) || bounds.is_empty());
            }
        }
    }
}
