//! Stretches of rows that one statement takes.

use super::limits::{BYTES, ROWS};

/// These items in stretches of at most [`ROWS`], and of about [`BYTES`] bytes: an item may be larger alone.
pub(super) fn slices<'a, T>(
    items: &'a [T],
    bytes: impl Fn(&T) -> usize + 'a,
) -> impl Iterator<Item = &'a [T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let mut taken = 0;
        let full = rest.iter().take(ROWS).position(|item| {
            taken += bytes(item);
            taken > BYTES
        });
        let end = full.unwrap_or(ROWS).clamp(1, rest.len().max(1)).min(rest.len());
        let (slice, later) = rest.split_at(end);
        rest = later;
        (!slice.is_empty()).then_some(slice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_in_one_slice_and_none_is_larger_than_it_may_be() {
        let items: Vec<usize> = (0..10_000)
            .map(|n| if n % 977 == 0 { BYTES + 1 } else { n })
            .collect();
        let all: Vec<_> = slices(&items, |item| *item).collect();
        assert_eq!(all.concat(), items);
        for slice in all {
            assert!(slice.len() <= ROWS && !slice.is_empty());
            assert!(slice.len() == 1 || slice.iter().sum::<usize>() <= BYTES);
        }
        assert_eq!(slices(&[], |item: &usize| *item).count(), 0);
    }
}
