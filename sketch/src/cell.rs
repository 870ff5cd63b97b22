//! What was folded for one key, and its arithmetic.
//!
//! Here: addition, subtraction and the fold's fast path. Not here: the stored bytes (`cell_bytes.rs`), and which
//! bins a layout has (`layout.rs`): a cell keeps every bin it was given, on the layout or not.

/// Counts by bin of one aggregate: a vector in a space where adding a ping (+1) and taking it back (−1) cancel.
///
/// `count` and the bins count different things: submissions (with children), and samples. All arithmetic wraps
/// around (modulo 2^64 for `count`, 2^128 otherwise) instead of saturating or panicking: so the laws hold for any
/// input whatever, and real totals never come near the ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Cell {
    /// Submissions that contributed.
    count: i64,
    /// The sum of all samples, in the metric's unit.
    sum: i128,
    /// (lower bound of the bin, samples in it), ascending by bound, without zeros.
    bins: Vec<(i64, i128)>,
}

impl Cell {
    /// A cell of these numbers. The bins may come in any order, zero or repeated: repeated ones are added up.
    #[must_use]
    pub fn new(count: i64, sum: i128, bins: impl IntoIterator<Item = (i64, i128)>) -> Self {
        let bins = bins.into_iter();
        let mut cell = Self {
            count,
            sum,
            bins: Vec::with_capacity(bins.size_hint().0),
        };
        for (bound, samples) in bins {
            match cell.bins.last() {
                // Most come in their order, and none of them is looked for then.
                Some(last) if last.0 >= bound => cell.add_bin(bound, samples),
                _ if samples != 0 => cell.bins.push((bound, samples)),
                _ => {}
            }
        }
        cell
    }

    /// A cell of bins that are known to be ascending and without zeros.
    pub(crate) fn from_canonical(count: i64, sum: i128, bins: Vec<(i64, i128)>) -> Self {
        debug_assert!(bins.is_sorted_by(|a, b| a.0 < b.0) && bins.iter().all(|bin| bin.1 != 0));
        Self { count, sum, bins }
    }

    /// Submissions that contributed. Negative only in a difference.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.count
    }

    /// The sum of all samples, in the metric's unit.
    #[must_use]
    pub fn sum(&self) -> i128 {
        self.sum
    }

    /// (lower bound, samples) of every bin that is not zero, ascending by bound.
    #[must_use]
    pub fn bins(&self) -> &[(i64, i128)] {
        &self.bins
    }

    /// Samples in the bin with this lower bound; 0 if there is none.
    #[must_use]
    pub fn bin(&self, bound: i64) -> i128 {
        self.bins
            .binary_search_by_key(&bound, |bin| bin.0)
            .map_or(0, |at| self.bins[at].1)
    }

    /// Whether nothing is left: such a cell is not stored.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        let Self { count, sum, bins } = self;
        *count == 0 && *sum == 0 && bins.is_empty()
    }

    /// Back to zero; the memory of the bins is kept for the next use.
    pub fn clear(&mut self) {
        let Self { count, sum, bins } = self;
        *count = 0;
        *sum = 0;
        bins.clear();
    }

    /// Its bins alone.
    #[must_use]
    pub fn into_bins(self) -> Vec<(i64, i128)> {
        self.bins
    }

    /// Takes the bins out; what is left is zero.
    pub(crate) fn take_bins(&mut self) -> Vec<(i64, i128)> {
        std::mem::take(self).bins
    }

    /// Adds another cell.
    pub fn add(&mut self, other: &Self) {
        self.add_signed(other, 1);
    }

    /// Takes another cell away.
    pub fn subtract(&mut self, other: &Self) {
        self.add_signed(other, -1);
    }

    /// Adds another cell `sign` times (+1, −1).
    pub fn add_signed(&mut self, other: &Self, sign: i64) {
        let Self { count, sum, bins } = other;
        self.add_totals(*count, *sum, sign);
        self.add_ascending(bins, sign);
    }

    /// Adds one histogram of a ping `sign` times (+1, −1): the fold's fast path, one walk over bins that are
    /// strictly ascending, without an allocation unless new bins appear.
    ///
    /// Zeros among `bins` are skipped. Bins out of order or repeated (a ping may state anything) are added up
    /// too, only slower.
    pub fn merge_sorted(&mut self, count: i64, sum: i128, bins: &[(i64, i64)], sign: i64) {
        self.add_totals(count, sum, sign);
        if bins.is_sorted_by(|a, b| a.0 < b.0) {
            self.add_ascending(bins, sign);
        } else {
            for &(bound, samples) in bins {
                self.add_bin(bound, i128::from(samples).wrapping_mul(i128::from(sign)));
            }
        }
    }

    /// Adds samples to one bin.
    pub fn add_bin(&mut self, bound: i64, samples: i128) {
        match self.bins.binary_search_by_key(&bound, |bin| bin.0) {
            Ok(at) => {
                self.bins[at].1 = self.bins[at].1.wrapping_add(samples);
                if self.bins[at].1 == 0 {
                    self.bins.remove(at);
                }
            }
            Err(at) if samples != 0 => self.bins.insert(at, (bound, samples)),
            Err(_) => {}
        }
    }

    fn add_totals(&mut self, count: i64, sum: i128, sign: i64) {
        self.count = self.count.wrapping_add(count.wrapping_mul(sign));
        self.sum = self.sum.wrapping_add(sum.wrapping_mul(i128::from(sign)));
    }

    /// Adds strictly ascending bins: one walk forward over those already here, then, if some are new, one walk
    /// backward that opens the gaps for them in place.
    fn add_ascending<N: Copy + Into<i128>>(&mut self, added: &[(i64, N)], sign: i64) {
        let scaled = |samples: N| samples.into().wrapping_mul(i128::from(sign));
        let (mut missing, mut vanished, mut at) = (0, false, 0);
        for &(bound, samples) in added {
            while self.bins.get(at).is_some_and(|bin| bin.0 < bound) {
                at += 1;
            }
            match self.bins.get_mut(at) {
                Some(bin) if bin.0 == bound => {
                    bin.1 = bin.1.wrapping_add(scaled(samples));
                    vanished |= bin.1 == 0;
                }
                _ => missing += usize::from(scaled(samples) != 0),
            }
        }
        if missing > 0 {
            self.insert_missing(added, missing, scaled);
        }
        if vanished {
            self.bins.retain(|bin| bin.1 != 0);
        }
    }

    /// Puts those of `added` that have no bin yet, `missing` in number, into their places.
    fn insert_missing<N: Copy>(
        &mut self,
        added: &[(i64, N)],
        mut missing: usize,
        scaled: impl Fn(N) -> i128,
    ) {
        let mut kept = self.bins.len();
        self.bins.resize(kept + missing, (0, 0));
        for &(bound, samples) in added.iter().rev() {
            while kept > 0 && self.bins[kept - 1].0 > bound {
                kept -= 1;
                self.bins[kept + missing] = self.bins[kept];
            }
            let here = kept > 0 && self.bins[kept - 1].0 == bound;
            if !here && scaled(samples) != 0 {
                missing -= 1;
                self.bins[kept + missing] = (bound, scaled(samples));
            }
            if missing == 0 {
                break;
            }
        }
    }
}

#[cfg(test)]
#[path = "cell_tests.rs"]
mod tests;
