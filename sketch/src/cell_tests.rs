//! The laws of cells, each against a slow map that cannot be wrong.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Few bounds and small counts, so that bins meet, cancel and vanish; and sometimes anything at all.
fn any_bins() -> impl Strategy<Value = Vec<(i64, i64)>> {
    let bound = prop_oneof![8 => -3i64..12, 1 => any::<i64>()];
    let samples = prop_oneof![8 => -2i64..3, 1 => any::<i64>()];
    prop::collection::vec((bound, samples), 0..16)
}

fn any_cell() -> impl Strategy<Value = Cell> {
    (any::<i64>(), any::<i128>(), any_bins()).prop_map(|(count, sum, bins)| {
        Cell::new(count, sum, bins.into_iter().map(|bin| (bin.0, bin.1.into())))
    })
}

fn oracle_of(bins: &[(i64, i64)], sign: i64, into: &mut BTreeMap<i64, i128>) {
    for &(bound, samples) in bins {
        *into.entry(bound).or_default() += i128::from(samples) * i128::from(sign);
    }
    into.retain(|_, samples| *samples != 0);
}

fn sum_of(a: &Cell, b: &Cell) -> Cell {
    let mut sum = a.clone();
    sum.add(b);
    sum
}

#[test]
fn a_bin_at_zero_vanishes_and_so_does_the_cell() {
    let mut cell = Cell::default();
    cell.merge_sorted(1, 12, &[(0, 0), (4, 3)], 1);
    assert_eq!(cell.bins(), [(4, 3)]);
    cell.merge_sorted(1, 12, &[(0, 0), (4, 3)], -1);
    assert!(cell.is_zero());
}

#[test]
fn new_bins_open_gaps_before_between_and_after() {
    let mut cell = Cell::new(0, 0, [(10, 1), (20, 1), (30, 1)]);
    cell.merge_sorted(
        0,
        0,
        &[(5, 2), (10, 2), (15, 2), (16, 0), (17, 2), (30, 2), (40, 2)],
        1,
    );
    assert_eq!(
        cell.bins(),
        [(5, 2), (10, 3), (15, 2), (17, 2), (20, 1), (30, 3), (40, 2)]
    );
}

#[test]
fn a_bin_is_found_by_its_bound() {
    let cell = Cell::new(1, 1, [(10, 7)]);
    assert_eq!((cell.bin(10), cell.bin(11)), (7, 0));
}

proptest! {
    #[test]
    fn adding_is_commutative_and_associative(a in any_cell(), b in any_cell(), c in any_cell()) {
        prop_assert_eq!(sum_of(&a, &b), sum_of(&b, &a));
        prop_assert_eq!(sum_of(&sum_of(&a, &b), &c), sum_of(&a, &sum_of(&b, &c)));
    }

    #[test]
    fn what_was_added_can_be_taken_back(a in any_cell(), b in any_cell()) {
        let mut cell = sum_of(&a, &b);
        cell.subtract(&b);
        prop_assert_eq!(&cell, &a);
        cell.add_signed(&a, -1);
        prop_assert!(cell.is_zero());
    }

    #[test]
    fn the_fast_path_agrees_with_a_map(
        steps in prop::collection::vec((0i64..3, -9i64..9, any_bins(), any::<bool>(), any::<bool>()), 0..12),
    ) {
        let (mut cell, mut bins_by_bound) = (Cell::default(), BTreeMap::new());
        let (mut count_sum, mut sum_sum) = (0, 0);
        for (count, sum, mut bins, sorted, negative) in steps {
            if sorted {
                bins.sort_by_key(|bin| bin.0);
                bins.dedup_by_key(|bin| bin.0);
            }
            let sign = if negative { -1 } else { 1 };
            cell.merge_sorted(count, sum.into(), &bins, sign);
            oracle_of(&bins, sign, &mut bins_by_bound);
            count_sum += count * sign;
            sum_sum += i128::from(sum * sign);
            prop_assert_eq!((cell.count(), cell.sum()), (count_sum, sum_sum));
            prop_assert_eq!(cell.bins(), bins_by_bound.iter().map(|(&b, &n)| (b, n)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_new_cell_agrees_with_a_map_in_whatever_order_its_bins_come(mut bins in any_bins(), sorted: bool) {
        if sorted {
            bins.sort_by_key(|bin| bin.0);
        }
        let mut bins_by_bound = BTreeMap::new();
        oracle_of(&bins, 1, &mut bins_by_bound);
        let cell = Cell::new(1, 2, bins.iter().map(|&(bound, samples)| (bound, samples.into())));
        prop_assert_eq!((cell.count(), cell.sum()), (1, 2));
        let expected: Vec<(i64, i128)> = bins_by_bound.into_iter().collect();
        prop_assert_eq!(cell.bins(), &expected[..]);
        prop_assert_eq!(cell.into_bins(), expected);
    }

    #[test]
    fn one_cell_added_twice_is_the_fast_path_twice(bins in any_bins(), sum: i64) {
        let mut twice = Cell::default();
        twice.merge_sorted(1, sum.into(), &bins, 1);
        twice.merge_sorted(1, sum.into(), &bins, 1);
        let mut once = Cell::default();
        once.merge_sorted(1, sum.into(), &bins, 1);
        prop_assert_eq!(sum_of(&once, &once), twice);
    }
}
