//! The kinds of bin layouts: what a telemetry ping states by number, and those that no ping states so.
//!
//! Here: names, and the numbers under which kinds are stored. Not here: what they do to bounds (`bounds.rs`).

use std::fmt;

use crate::layout_error::LayoutError;

/// The kind of a layout. Its number is stored, and never given to another kind: 0 to 5 are a telemetry ping's
/// `histogram_type`, those above were given in the order in which they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum HistogramKind {
    /// Bins that grow by a factor; of Glean's custom distributions, too.
    Exponential = 0,
    /// Bins of one width, bounds rounded; what telemetry's definition files call enumerated is sent as this.
    Linear = 1,
    /// False, true.
    Boolean = 2,
    /// Never set, set.
    Flag = 3,
    /// One number for each ping, its `sum`.
    Count = 4,
    /// Values that definition files number and name.
    Categorical = 5,
    /// Bins that grow by a factor without end, a number of them in each magnitude; mirrored below zero.
    Functional = 6,
    /// Bins of one width, bounds cut to whole numbers where telemetry rounds: Glean's custom distributions.
    GleanLinear = 7,
    /// Lower bounds as they were sent; where a bin ends is not known.
    Keys = 8,
    /// Values with names of their own; no bounds.
    Categories = 9,
    /// The bins of [`Exponential`](Self::Exponential), in which each ping has one number.
    ExponentialNumbers = 10,
    /// The bins of [`GleanLinear`](Self::GleanLinear), in which each ping has one number.
    LinearNumbers = 11,
}

impl HistogramKind {
    /// Every kind, in the order of the numbers.
    pub const ALL: [Self; 12] = [
        Self::Exponential,
        Self::Linear,
        Self::Boolean,
        Self::Flag,
        Self::Count,
        Self::Categorical,
        Self::Functional,
        Self::GleanLinear,
        Self::Keys,
        Self::Categories,
        Self::ExponentialNumbers,
        Self::LinearNumbers,
    ];

    /// The number under which the kind is stored.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind stored under this number.
    ///
    /// # Errors
    /// [`LayoutError::StoredKind`] when no kind has it.
    pub fn stored(code: u8) -> Result<Self, LayoutError> {
        let kind = Self::ALL.get(usize::from(code)).copied();
        kind.ok_or(LayoutError::StoredKind(code))
    }

    /// Whether a telemetry ping can state it as its `histogram_type`.
    #[must_use]
    pub const fn is_stated(self) -> bool {
        (self as u8) <= (Self::Categorical as u8)
    }

    /// The lower-case name; of the first six, as the compatible answers spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exponential => "exponential",
            Self::Linear => "linear",
            Self::Boolean => "boolean",
            Self::Flag => "flag",
            Self::Count => "count",
            Self::Categorical => "categorical",
            Self::Functional => "functional",
            Self::GleanLinear => "glean_linear",
            Self::Keys => "keys",
            Self::Categories => "categories",
            Self::ExponentialNumbers => "exponential_numbers",
            Self::LinearNumbers => "linear_numbers",
        }
    }
}

/// What a telemetry ping states as `histogram_type`: 0 to 5 and no other kind.
impl TryFrom<u8> for HistogramKind {
    type Error = LayoutError;

    fn try_from(code: u8) -> Result<Self, LayoutError> {
        let kind = Self::stored(code).ok().filter(|kind| kind.is_stated());
        kind.ok_or(LayoutError::Kind(code))
    }
}

impl fmt::Display for HistogramKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_states_six_kinds_and_no_other() {
        for code in 0..=5 {
            assert_eq!(HistogramKind::try_from(code).map(HistogramKind::code), Ok(code));
        }
        for code in 6..=u8::MAX {
            assert_eq!(HistogramKind::try_from(code), Err(LayoutError::Kind(code)));
        }
    }

    #[test]
    fn stored_numbers_stay_as_they_were_given() {
        let given = [
            "exponential",
            "linear",
            "boolean",
            "flag",
            "count",
            "categorical",
            "functional",
            "glean_linear",
            "keys",
            "categories",
            "exponential_numbers",
            "linear_numbers",
        ];
        for (code, name) in (0..).zip(given) {
            let kind = HistogramKind::stored(code);
            assert_eq!(kind.map(|kind| (kind.code(), kind.name())), Ok((code, name)));
        }
        assert_eq!(HistogramKind::stored(12), Err(LayoutError::StoredKind(12)));
    }
}
