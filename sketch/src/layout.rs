//! The identity of a histogram's bin layout, as a ping states it, and its text form.
//!
//! Here: kind, range and number of bins, and the layouts of plain numbers. Not here: the bounds themselves
//! (`bounds.rs`), and what definition files add (names, labels, descriptions), which no fold reads.

use std::fmt;
use std::str::FromStr;

use crate::bounds;

/// Most bins a layout has. Real definitions reach exactly this many (linear, 10,000 bins); a ping that states
/// more gets the bounds of a layout with this many, so that four bytes of input cannot ask for gigabytes.
pub const BIN_COUNT_MAX: u32 = 10_000;

/// A bin layout: everything that decides the lower bounds of a histogram's bins.
///
/// Two layouts of one metric are two aggregates. Any values are allowed, also those no client should send:
/// what they mean is defined at [`Layout::lower_bounds`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layout {
    /// The ping's `histogram_type`.
    pub kind: HistogramKind,
    /// The ping's `range[0]`: lower bound of the second bin.
    pub min: i64,
    /// The ping's `range[1]`: lower bound of the last bin.
    pub max: i64,
    /// The ping's `bucket_count`: number of bins, those below `min` and from `max` on included.
    pub bin_count: u32,
}

impl Layout {
    /// The layout of scalars and of `[[COUNT]]_` metrics: 0..=19, 21, 23, … 9249, 10000 (100 bins).
    pub const COUNT: Self = Self::exponential(1, 10_000, 100);

    /// The layout of simple measurements: exponential from 1 to 30,000 (50 bins).
    pub const SIMPLE: Self = Self::exponential(1, 30_000, 50);

    /// An exponential layout.
    #[must_use]
    pub const fn exponential(min: i64, max: i64, bin_count: u32) -> Self {
        Self {
            kind: HistogramKind::Exponential,
            min,
            max,
            bin_count,
        }
    }

    /// A linear layout.
    #[must_use]
    pub const fn linear(min: i64, max: i64, bin_count: u32) -> Self {
        Self {
            kind: HistogramKind::Linear,
            min,
            max,
            bin_count,
        }
    }

    /// The lower bounds of the bins: strictly ascending, from 0, at least one and at most [`BIN_COUNT_MAX`].
    ///
    /// Formulas as in Firefox and in `moztelemetry`'s `parse_histograms.py` (n is `bin_count`):
    /// - linear: r0 = 0, ri = trunc((min·(n−1−i) + max·(i−1)) / (n−2) + 0.5);
    /// - exponential: r0 = 0, r1 = min, ri = floor(exp(ln r + (ln max − ln r) / (n−i)) + 0.5) with r the bound before,
    ///   or r + 1 if that is not above r;
    /// - boolean, flag, count: 0, 1, 2, whatever range and count say;
    /// - categorical: 0 .. n−1, whatever the range says.
    ///
    /// What no client should send is defined too: n counts as 1 at least and [`BIN_COUNT_MAX`] at most, `min` as
    /// 1 at least, `max` as `min` at least; a bound that is not above the one before it is left out; and where
    /// `i64` ends, so do the bounds.
    #[must_use]
    pub fn lower_bounds(&self) -> Vec<i64> {
        bounds::lower_bounds(self)
    }

    /// The lower bound of the bin that `value` falls into: the largest bound not above it, else the first.
    ///
    /// Costs no allocation for [`Layout::COUNT`] and [`Layout::SIMPLE`]; for another layout keep its
    /// [`lower_bounds`](Self::lower_bounds) and use [`bin_among`](crate::bin_among).
    #[must_use]
    pub fn bin_of(&self, value: i64) -> i64 {
        bounds::bin_of(self, value)
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

/// The kind of a histogram: the ping's `histogram_type`, 0 to 5 in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum HistogramKind {
    /// Bins that grow by a factor.
    Exponential = 0,
    /// Bins of one width; what definition files call enumerated is sent as this.
    Linear = 1,
    /// False, true.
    Boolean = 2,
    /// Never set, set.
    Flag = 3,
    /// One number for each ping, its `sum`.
    Count = 4,
    /// Values with names.
    Categorical = 5,
}

impl HistogramKind {
    /// Every kind, in the order of the numbers.
    pub const ALL: [Self; 6] = [
        Self::Exponential,
        Self::Linear,
        Self::Boolean,
        Self::Flag,
        Self::Count,
        Self::Categorical,
    ];

    /// The number a ping states.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The lower-case name, as the compatible answers spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exponential => "exponential",
            Self::Linear => "linear",
            Self::Boolean => "boolean",
            Self::Flag => "flag",
            Self::Count => "count",
            Self::Categorical => "categorical",
        }
    }
}

impl TryFrom<u8> for HistogramKind {
    type Error = LayoutError;

    fn try_from(code: u8) -> Result<Self, LayoutError> {
        Self::ALL
            .get(usize::from(code))
            .copied()
            .ok_or(LayoutError::Kind(code))
    }
}

impl fmt::Display for HistogramKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why something is no layout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// The `histogram_type` is none of the six.
    #[error("histogram_type {0} is unknown: expected 0 to 5")]
    Kind(u8),
    /// The text is not a layout's canonical form.
    #[error("'{0}' is no bin layout: expected kind(min,max,bins), as in exponential(1,30000,50)")]
    Text(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_text_names_kind_range_and_bins() {
        assert_eq!(Layout::SIMPLE.to_string(), "exponential(1,30000,50)");
        assert_eq!("exponential(1,10000,100)".parse(), Ok(Layout::COUNT));
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

    #[test]
    fn kinds_are_the_numbers_of_a_ping() {
        for code in 0..=5 {
            assert_eq!(HistogramKind::try_from(code).map(HistogramKind::code), Ok(code));
        }
        assert_eq!(HistogramKind::try_from(6), Err(LayoutError::Kind(6)));
    }

    proptest! {
        #[test]
        fn every_layout_reads_back_from_its_text(code in 0u8..6, min: i64, max: i64, bin_count: u32) {
            let kind = HistogramKind::try_from(code).expect("0 to 5 are kinds");
            let layout = Layout { kind, min, max, bin_count };
            prop_assert_eq!(layout.to_string().parse(), Ok(layout));
        }

        #[test]
        fn no_text_panics(text in ".*|linear\\(.*\\)") {
            let _ = text.parse::<Layout>();
        }
    }
}
