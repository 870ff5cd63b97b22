//! The identity of a histogram's bin layout, as a ping states it, and its text form.
//!
//! Here: kind, range and number of bins, and the layouts of plain numbers. Not here: the kinds (`kind.rs`), the bounds
//! themselves (`bounds.rs`), and what definition files add (names, labels, descriptions).

use std::fmt;
use std::str::FromStr;

use crate::bounds;
use crate::kind::HistogramKind;
use crate::layout_error::LayoutError;

/// Most bins a layout has. Real definitions reach exactly this many (linear, 10,000 bins); a ping that states
/// more gets the bounds of a layout with this many, so that four bytes of input cannot ask for gigabytes.
pub const BIN_COUNT_MAX: u32 = 10_000;

/// A bin layout: everything that decides the lower bounds of a histogram's bins.
///
/// Two layouts of one metric are two aggregates. Any values are allowed, also those no client should send:
/// what they mean is defined at [`Layout::lower_bounds`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layout {
    /// What the other three mean.
    pub kind: HistogramKind,
    /// Lower bound of the second bin (a telemetry ping's `range[0]`). Functional: the base, a magnitude's factor.
    pub min: i64,
    /// Lower bound of the last bin (a telemetry ping's `range[1]`). Functional: bins in a magnitude.
    pub max: i64,
    /// Number of bins, those below `min` and from `max` on included. 0 where bins have no end or are not known.
    pub bin_count: u32,
}

impl Layout {
    /// The layout of scalars and of `[[COUNT]]_` metrics: 0..=19, 21, 23, … 9249, 10000 (100 bins).
    pub const COUNT: Self = Self::exponential(1, 10_000, 100);

    /// The layout of simple measurements: exponential from 1 to 30,000 (50 bins).
    pub const SIMPLE: Self = Self::exponential(1, 30_000, 50);

    /// The layout of numbers that no definition says more about, and of Glean's `timing_distribution`.
    pub const NUMBER: Self = Self::functional(2, 8);

    /// The layout of Glean's `memory_distribution`.
    pub const MEMORY: Self = Self::functional(2, 16);

    /// Bins whose lower bounds are known from the samples alone.
    pub const KEYS: Self = Self::boundless(HistogramKind::Keys);

    /// Values with names.
    pub const CATEGORIES: Self = Self::boundless(HistogramKind::Categories);

    const fn boundless(kind: HistogramKind) -> Self {
        Self {
            kind,
            min: 0,
            max: 0,
            bin_count: 0,
        }
    }

    /// A functional layout: `per_magnitude` bins between a number and `base` times that number.
    #[must_use]
    pub const fn functional(base: i64, per_magnitude: i64) -> Self {
        Self {
            kind: HistogramKind::Functional,
            min: base,
            max: per_magnitude,
            bin_count: 0,
        }
    }

    /// A linear layout as Glean makes it.
    #[must_use]
    pub const fn glean_linear(min: i64, max: i64, bin_count: u32) -> Self {
        Self {
            kind: HistogramKind::GleanLinear,
            min,
            max,
            bin_count,
        }
    }

    /// An exponential layout: telemetry's, and Glean's, which has the same bounds.
    #[must_use]
    pub const fn exponential(min: i64, max: i64, bin_count: u32) -> Self {
        Self {
            kind: HistogramKind::Exponential,
            min,
            max,
            bin_count,
        }
    }

    /// A linear layout of telemetry.
    #[must_use]
    pub const fn linear(min: i64, max: i64, bin_count: u32) -> Self {
        Self {
            kind: HistogramKind::Linear,
            min,
            max,
            bin_count,
        }
    }

    /// The same bins, in which each ping has one number: another layout, so that numbers are told from distributions. Of kinds
    /// that tell neither, the layout itself.
    #[must_use]
    pub const fn of_numbers(self) -> Self {
        let kind = match self.kind {
            HistogramKind::Exponential => HistogramKind::ExponentialNumbers,
            HistogramKind::GleanLinear => HistogramKind::LinearNumbers,
            // Functional bins have no number of their own, which is free to tell it.
            HistogramKind::Functional => return Self { bin_count: 1, ..self },
            kind => kind,
        };
        Self { kind, ..self }
    }

    /// Whether it is one of [`of_numbers`](Self::of_numbers).
    #[must_use]
    pub const fn is_of_numbers(&self) -> bool {
        match self.kind {
            HistogramKind::ExponentialNumbers | HistogramKind::LinearNumbers => true,
            HistogramKind::Functional => self.bin_count == 1,
            _ => false,
        }
    }

    /// The lower bounds of the bins: strictly ascending, at most [`BIN_COUNT_MAX`].
    ///
    /// Formulas as in Firefox and in `moztelemetry`'s `parse_histograms.py` (n is `bin_count`), from 0:
    /// - linear: r0 = 0, ri = trunc((min·(n−1−i) + max·(i−1)) / (n−2) + 0.5);
    /// - exponential: r0 = 0, r1 = min, ri = floor(exp(ln r + (ln max − ln r) / (n−i)) + 0.5) with r the bound before,
    ///   or r + 1 if that is not above r;
    /// - boolean, flag, count: 0, 1, 2, whatever range and count say;
    /// - categorical: 0 .. n−1, whatever the range says.
    ///
    /// And as in Glean's SDK:
    /// - linear: r0 = 0, ri = (min·(n−1−i) + max·(i−1)) / (n−2), cut to a whole number, from 0;
    /// - functional: 0, the different trunc(bⁱ) that fit `i64`, where b = base^(1/per magnitude), and their mirror below 0,
    ///   from `i64::MIN`. That is every bound there is: 973 for [`Layout::NUMBER`], 7,411 for the finest that is kept.
    ///
    /// Keys and categories have no bounds of their own: none.
    ///
    /// What no client should send is defined too: n counts as 1 at least and [`BIN_COUNT_MAX`] at most, `min` as
    /// 1 at least, `max` as `min` at least; a bound that is not above the one before it is left out; and where
    /// `i64` ends, so do the bounds. A base counts as 2 to 2³², bins in a magnitude as 1 to 64.
    #[must_use]
    pub fn lower_bounds(&self) -> Vec<i64> {
        bounds::lower_bounds(self)
    }

    /// The lower bound of the bin that `value` falls into: the largest bound not above it, else the first. Keys and
    /// categories: the value itself.
    ///
    /// Costs no allocation for the layouts that are constants here; for another one keep its
    /// [`lower_bounds`](Self::lower_bounds) and use [`bin_among`](crate::bin_among).
    #[must_use]
    pub fn bin_of(&self, value: i64) -> i64 {
        bounds::bin_of(self, value)
    }

    /// Where the bin that `value` falls into ends: the smallest bound above it, exclusive. `None` for the last bin, which
    /// is open, and where bounds are not known. Costs what [`bin_of`](Self::bin_of) costs.
    #[must_use]
    pub fn next_edge(&self, value: i64) -> Option<i64> {
        bounds::next_edge(self, value)
    }

    /// Whether a bin begins at `bound`: a sample under another key was counted by another layout. Of keys and categories
    /// any number is one. Costs what [`bin_of`](Self::bin_of) costs.
    #[must_use]
    pub fn has_bound(&self, bound: i64) -> bool {
        self.bin_of(bound) == bound
    }
}

impl fmt::Display for Layout {
    /// The canonical text, such as `exponential(1,30000,50)`: kind, min, max, number of bins.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            min,
            max,
            bin_count,
        } = self;
        write!(f, "{kind}({min},{max},{bin_count})")
    }
}

impl FromStr for Layout {
    type Err = LayoutError;

    /// Reads the canonical text and nothing else, so that text and layout are one to one.
    fn from_str(text: &str) -> Result<Self, LayoutError> {
        parse(text)
            .filter(|layout| layout.to_string() == text)
            .ok_or_else(|| LayoutError::Text(text.chars().take(80).collect()))
    }
}

fn parse(text: &str) -> Option<Layout> {
    let (kind, rest) = text.split_once('(')?;
    let mut numbers = rest.strip_suffix(')')?.split(',');
    let layout = Layout {
        kind: HistogramKind::ALL.into_iter().find(|k| k.name() == kind)?,
        min: numbers.next()?.parse().ok()?,
        max: numbers.next()?.parse().ok()?,
        bin_count: numbers.next()?.parse().ok()?,
    };
    numbers.next().is_none().then_some(layout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_text_names_kind_range_and_bins() {
        assert_eq!(Layout::SIMPLE.to_string(), "exponential(1,30000,50)");
        assert_eq!("exponential(1,10000,100)".parse(), Ok(Layout::COUNT));
        assert_eq!("functional(2,8,0)".parse(), Ok(Layout::NUMBER));
        assert_eq!(
            Layout::glean_linear(1, 100, 12).to_string(),
            "glean_linear(1,100,12)"
        );
        assert_eq!(Layout::KEYS.to_string(), "keys(0,0,0)");
        assert_eq!(Layout::CATEGORIES.to_string(), "categories(0,0,0)");
    }

    #[test]
    fn only_the_canonical_text_is_read() {
        for text in [
            "",
            "linear",
            "linear(1,2,3",
            "linear(1,2)",
            "linear(1,2,3,4)",
            "Linear(1,2,3)",
            "linear(+1,2,3)",
        ] {
            assert!(text.parse::<Layout>().is_err(), "{text}");
        }
        for text in [
            "linear(01,2,3)",
            "linear(1, 2,3)",
            "linear(1,2,-3)",
            "linear(1,2,3) ",
            "enumerated(1,2,3)",
        ] {
            assert!(text.parse::<Layout>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_layout_reads_back_from_its_text(code in 0u8..12, min: i64, max: i64, bin_count: u32) {
            let kind = HistogramKind::stored(code).expect("0 to 11 are kinds");
            let layout = Layout { kind, min, max, bin_count };
            prop_assert_eq!(layout.to_string().parse(), Ok(layout));
        }

        #[test]
        fn no_text_panics(text in ".*|linear\\(.*\\)") {
            let _ = text.parse::<Layout>();
        }
    }
}
