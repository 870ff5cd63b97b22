//! The bounds of functional layouts: so many bins in a magnitude, without end, mirrored below zero.
//!
//! Glean's SDK puts a sample x into the bin whose key is trunc(bⁱ) with i = trunc(ln(x + 1) / ln b) and
//! b = base^(1 / bins in a magnitude). It raises that b, so its keys are not those of base^(i / bins): of
//! `memory_distribution` every power of two has the key 2ᵏ − 1. Several i share a small key. The different keys are the
//! bounds: a sample lies at or above its key and below the next one.

/// Bins in a magnitude, at most: Glean has 16; with 64 all bounds, mirrored, are below `BIN_COUNT_MAX`.
const PER_MAGNITUDE_MAX: i64 = 64;

/// The largest base: beyond it 64 bits hold no two magnitudes.
const BASE_MAX: i64 = 1 << 32;

/// All bounds that fit 64 bits, ascending from `i64::MIN`, whose bin is the mirror of the last, open one.
pub(crate) fn bounds(base: i64, per_magnitude: i64) -> Vec<i64> {
    let keys = keys(base, per_magnitude);
    // The bin [key, next) has the mirror (-next, -key], whose lowest number is 1 - next. 0 is its own mirror.
    let mirrored = keys.iter().skip(2).rev().map(|next| 1 - next);
    let lowest = std::iter::once(i64::MIN);
    lowest.chain(mirrored).chain(keys.iter().copied()).collect()
}

/// 0, and the different trunc(bⁱ) that fit 63 bits.
#[expect(
    clippy::cast_precision_loss,
    reason = "base and bins in a magnitude are below 2^53"
)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "truncation is the formula's, and the loop ends where 63 bits do"
)]
fn keys(base: i64, per_magnitude: i64) -> Vec<i64> {
    let base = base.clamp(2, BASE_MAX) as f64;
    let growth = base.powf(1.0 / per_magnitude.clamp(1, PER_MAGNITUDE_MAX) as f64);
    let mut keys = vec![0_i64];
    for exponent in 0_u32.. {
        let key = growth.powf(f64::from(exponent));
        if key >= i64::MAX as f64 {
            break;
        }
        if keys.last().is_some_and(|&last| key as i64 > last) {
            keys.push(key as i64);
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use crate::bounds::bin_among;
    use crate::{BIN_COUNT_MAX, Layout};
    use proptest::prelude::*;

    /// The SDK's arithmetic, sample by sample.
    fn key_by_the_sdk(base: f64, per_magnitude: f64, sample: u64) -> i64 {
        if sample == 0 {
            return 0;
        }
        let growth = base.powf(1.0 / per_magnitude);
        let index = (((sample + 1) as f64).ln() / growth.ln()) as u64;
        growth.powf(index as f64) as i64
    }

    #[test]
    fn samples_lie_where_the_sdk_puts_them() {
        for (layout, per_magnitude) in [(Layout::NUMBER, 8.0), (Layout::MEMORY, 16.0)] {
            let around_powers = (2..=40).flat_map(|power| (1_u64 << power) - 3..(1 << power) + 3);
            let bounds = layout.lower_bounds();
            let edges = bounds.iter().filter(|edge| (2..1 << 41).contains(*edge));
            let around_edges = edges.flat_map(|edge| (edge - 2) as u64..(edge + 3) as u64);
            for sample in (0..100_000).chain(around_powers).chain(around_edges) {
                let key = bin_among(&bounds, i64::try_from(sample).expect("below 2^42"));
                assert_eq!(key, key_by_the_sdk(2.0, per_magnitude, sample), "{sample}");
            }
        }
    }

    #[test]
    fn powers_of_two_have_the_keys_that_the_sdk_sends() {
        for sample in [1_023, 1_024, 1_025] {
            assert_eq!(Layout::MEMORY.bin_of(sample), 1_023);
        }
        assert_eq!(Layout::MEMORY.bin_of(65_536), 65_535);
        assert_eq!(Layout::NUMBER.bin_of(1_023), 939);
        assert_eq!(Layout::NUMBER.bin_of(1_024), 1_024);
    }

    #[test]
    fn small_integers_lie_alone_in_their_bins_below_zero_too() {
        for number in -13..=13 {
            assert_eq!(Layout::NUMBER.bin_of(number), number);
            assert_eq!(Layout::NUMBER.next_edge(number), Some(number + 1));
        }
        assert_eq!(Layout::NUMBER.bin_of(15), 14);
        assert_eq!(
            (Layout::NUMBER.bin_of(-15), Layout::NUMBER.bin_of(-14)),
            (-15, -15)
        );
        assert_eq!(Layout::NUMBER.next_edge(-15), Some(-13));
    }

    #[test]
    fn bounds_without_end_are_few() {
        assert_eq!(Layout::NUMBER.lower_bounds().len(), 973);
        assert_eq!(Layout::MEMORY.lower_bounds().len(), 1_917);
        assert_eq!(Layout::functional(2, 64).lower_bounds().len(), 7_411);
        for (base, per_magnitude) in [(2, 64), (2, i64::MAX), (i64::MIN, 1_000), (i64::MAX, i64::MIN)] {
            let bounds = Layout::functional(base, per_magnitude).lower_bounds();
            assert!(bounds.len() <= BIN_COUNT_MAX as usize, "{}", bounds.len());
            assert!(bounds.is_sorted_by(|a, b| a < b));
        }
        assert_eq!(Layout::NUMBER.bin_of(i64::MIN), i64::MIN);
        assert_eq!(Layout::NUMBER.next_edge(i64::MAX), None);
    }

    fn layout() -> impl Strategy<Value = Layout> {
        let any_base = prop_oneof![Just(2_i64), 2_i64..40, any::<i64>()];
        let any_number = prop_oneof![Just(8_i64), Just(16), 0_i64..70, any::<i64>()];
        (any_base, any_number).prop_map(|(base, number)| Layout::functional(base, number))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn a_key_lies_in_its_bin_at_or_below_the_value_and_the_next_edge_above(
            layout in layout(), any: i64, small in -3_000_i64..3_000,
        ) {
            for value in [any, small] {
                let key = layout.bin_of(value);
                prop_assert_eq!(layout.bin_of(key), key);
                prop_assert!(key <= value);
                if let Some(next) = layout.next_edge(value) {
                    prop_assert!(value < next);
                    prop_assert_eq!(layout.bin_of(next), next);
                    prop_assert_eq!(layout.bin_of(next - 1), key);
                }
            }
        }

        #[test]
        fn larger_values_lie_in_no_lower_bin(layout in layout(), a: i64, b: i64, step in 0_i64..50) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(layout.bin_of(low) <= layout.bin_of(high));
            prop_assert!(layout.bin_of(low) <= layout.bin_of(low.saturating_add(step)));
        }

        #[test]
        fn the_mirror_of_a_bin_is_a_bin(value in 1_i64..i64::MAX) {
            let next = Layout::NUMBER.next_edge(value);
            let lowest = next.map_or(i64::MIN, |next| 1 - next);
            prop_assert_eq!(Layout::NUMBER.bin_of(-value), lowest);
        }
    }
}
