//! Which numbers are lower bounds of a layout, remembered: the bins of distributions are few, and the same from ping to ping.

use sketch::Layout;

/// Bounds that are remembered of a layout.
const REMEMBERED: usize = 512;

/// The bounds of the layouts that all timings and all sizes of memory have.
#[derive(Debug)]
pub(super) struct Edges {
    timing: Remembered,
    memory: Remembered,
}

impl Default for Edges {
    fn default() -> Self {
        Self {
            timing: Remembered::of(Layout::NUMBER),
            memory: Remembered::of(Layout::MEMORY),
        }
    }
}

impl Edges {
    /// Whether a bin of timings begins at `bound`.
    pub(super) fn timing(&mut self, bound: i64) -> bool {
        self.timing.has_bound(bound)
    }

    /// Whether a bin of sizes begins at `bound`.
    pub(super) fn memory(&mut self, bound: i64) -> bool {
        self.memory.has_bound(bound)
    }
}

#[derive(Debug)]
struct Remembered {
    layout: Layout,
    /// Each is a bound.
    bounds: Box<[i64; REMEMBERED]>,
}

impl Remembered {
    fn of(layout: Layout) -> Self {
        let first = layout.bin_of(0);
        Self {
            layout,
            bounds: Box::new([first; REMEMBERED]),
        }
    }

    #[inline]
    fn has_bound(&mut self, bound: i64) -> bool {
        // The high bits of a product with an odd number (Knuth's multiplicative hashing): neighbours lie apart.
        let place = bound.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - REMEMBERED.ilog2());
        let known = &mut self.bounds[usize::try_from(place).unwrap_or_default()];
        if *known == bound {
            return true;
        }
        let is_bound = self.layout.has_bound(bound);
        if is_bound {
            *known = bound;
        }
        is_bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_one_however_often_it_is_asked_for() {
        let mut edges = Edges::default();
        let timing: Vec<i64> = Layout::NUMBER.lower_bounds();
        let memory: Vec<i64> = Layout::MEMORY.lower_bounds();
        for _ in 0..2 {
            for number in timing
                .iter()
                .chain(&memory)
                .flat_map(|bound| [*bound, bound.saturating_add(1)])
            {
                assert_eq!(edges.timing(number), timing.contains(&number), "{number}");
                assert_eq!(edges.memory(number), memory.contains(&number), "{number}");
            }
        }
    }
}
