//! Pairs of measurements, ours and the yardstick's, taken alternately: only their ratios can be compared.

use anyhow::Result;

/// CPU seconds of ours and of the yardstick, pair by pair.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pairs {
    pairs: Vec<(f64, f64)>,
}

/// Lowest, middle and highest of some figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

impl Pairs {
    /// Takes `pairs` pairs after one unmeasured run of each; which of the two is first alternates.
    pub(crate) fn alternate(
        pairs: usize,
        mut ours: impl FnMut() -> Result<f64>,
        mut yardstick: impl FnMut() -> Result<f64>,
    ) -> Result<Self> {
        ours()?;
        yardstick()?;
        let mut taken = Self::default();
        for pair in 0..pairs {
            if pair % 2 == 0 {
                let measured = ours()?;
                taken.push(measured, yardstick()?);
            } else {
                let limit = yardstick()?;
                taken.push(ours()?, limit);
            }
        }
        Ok(taken)
    }

    /// Adds a pair.
    pub(crate) fn push(&mut self, ours: f64, yardstick: f64) {
        self.pairs.push((ours, yardstick));
    }

    /// The ratios of ours to the yardstick.
    pub(crate) fn ratios(&self) -> Spread {
        Spread::of(self.pairs.iter().map(|(ours, yardstick)| ours / yardstick))
    }

    /// CPU seconds of ours.
    pub(crate) fn ours(&self) -> Spread {
        Spread::of(self.pairs.iter().map(|(ours, _)| *ours))
    }

    /// CPU seconds of the yardstick.
    pub(crate) fn yardstick(&self) -> Spread {
        Spread::of(self.pairs.iter().map(|(_, yardstick)| *yardstick))
    }

    /// All pairs in the order taken, for the raw record.
    pub(crate) fn raw(&self) -> String {
        let pairs: Vec<String> = self
            .pairs
            .iter()
            .map(|(ours, yardstick)| format!("{ours:.4}/{yardstick:.4}"))
            .collect();
        pairs.join(" ")
    }
}

impl Spread {
    /// Of figures; NaN when there are none.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let last = sorted.len().saturating_sub(1);
            sorted
                .get((share * last as f64).round() as usize)
                .copied()
                .unwrap_or(f64::NAN)
        };
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) && middle > 0 {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        } else {
            at(0.5)
        };
        Self {
            min: at(0.0),
            median,
            max: at(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_the_middle() {
        let odd = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!((odd.min, odd.median, odd.max), (1.0, 2.0, 3.0));
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]).median, 2.5);
        assert!(Spread::of([]).median.is_nan());
    }

    #[test]
    fn which_is_first_alternates_after_a_run_that_does_not_count() {
        let order = std::cell::RefCell::new(String::new());
        let note = |what: char| {
            order.borrow_mut().push(what);
            Ok(1.0)
        };
        let pairs = Pairs::alternate(3, || note('o'), || note('y')).expect("nothing fails");
        assert_eq!(pairs.raw().split(' ').count(), 3);
        assert_eq!(order.into_inner(), "oyoyyooy");
    }
}
