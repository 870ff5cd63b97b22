//! The types of declared metrics, in the words of Glean, and their units.

use crate::values::Kind;

/// A metric's type, without `labeled_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// True or false: a category.
    Boolean,
    /// A number that is never negative, one a ping.
    Counter,
    /// A number, one a ping.
    Quantity,
    /// A text: a category.
    Text,
    /// A list of texts: categories.
    TextList,
    /// A length of time, one a ping.
    Timespan,
    /// A date: the number is its age in days.
    Datetime,
    /// A numerator and a denominator: two numbers.
    Rate,
    /// Lengths of time.
    TimingDistribution,
    /// Amounts of memory.
    MemoryDistribution,
    /// Numbers.
    CustomDistribution,
}

/// The words of `type`. Each also stands behind `labeled_`.
pub(super) const TYPES: [(&str, Type); 11] = [
    ("boolean", Type::Boolean),
    ("counter", Type::Counter),
    ("quantity", Type::Quantity),
    ("string", Type::Text),
    ("string_list", Type::TextList),
    ("timespan", Type::Timespan),
    ("datetime", Type::Datetime),
    ("rate", Type::Rate),
    ("timing_distribution", Type::TimingDistribution),
    ("memory_distribution", Type::MemoryDistribution),
    ("custom_distribution", Type::CustomDistribution),
];

/// What stands before the type of a metric with labels.
pub(super) const LABELED: &str = "labeled_";

/// Units of time, in nanoseconds.
pub(super) const TIMES: [(&str, i64); 7] = [
    ("nanosecond", 1),
    ("microsecond", 1_000),
    ("millisecond", 1_000_000),
    ("second", 1_000_000_000),
    ("minute", 60_000_000_000),
    ("hour", 3_600_000_000_000),
    ("day", 86_400_000_000_000),
];

/// Units of memory, in bytes: powers of 1,024, as in Glean.
pub(super) const MEMORIES: [(&str, i64); 4] = [
    ("byte", 1),
    ("kilobyte", 1 << 10),
    ("megabyte", 1 << 20),
    ("gigabyte", 1 << 30),
];

impl Type {
    /// The type's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        let found = TYPES.iter().find(|(_, kind)| *kind == self);
        found.map_or("", |(word, _)| word)
    }

    /// What its samples are.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Boolean | Self::Text | Self::TextList => Kind::Category,
            Self::TimingDistribution | Self::MemoryDistribution | Self::CustomDistribution => {
                Kind::Distribution
            }
            _ => Kind::Number,
        }
    }

    /// The units that are converted, if the type has any, and the one they become.
    pub(super) const fn units(self) -> Option<(&'static [(&'static str, i64)], &'static str)> {
        match self {
            Self::Timespan | Self::TimingDistribution => Some((&TIMES, "ns")),
            Self::MemoryDistribution => Some((&MEMORIES, "bytes")),
            _ => None,
        }
    }

    /// Whether a number below zero is one of its numbers.
    #[must_use]
    pub const fn may_be_negative(self) -> bool {
        matches!(self, Self::Quantity | Self::CustomDistribution | Self::Datetime)
    }
}
