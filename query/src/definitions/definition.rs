//! What is known of one metric beside its data: kind, bins, description.

use sketch::Layout;

/// The kind of a metric in answers, in the original's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Bins that grow geometrically.
    Exponential,
    /// Bins of equal width.
    Linear,
    /// One bin a value.
    Enumerated,
    /// False and true.
    Boolean,
    /// Never set, or set.
    Flag,
    /// One number a ping, binned by the count layout.
    Count,
    /// One bin a label.
    Categorical,
}

/// The bins of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bins {
    /// By lower bound, ascending.
    Bounds(Vec<i64>),
    /// By label: value i is the bin with lower bound i; a last one, `spill`, the bin with lower bound `labels.len()`.
    Labels(Vec<String>),
}

/// What is known of a metric beside its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its kind.
    pub kind: Kind,
    /// Its bins, as an answer shows them.
    pub bins: Bins,
    /// What it measures; may be empty.
    pub description: String,
}

impl Kind {
    /// The kind's word in answers and in definition files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exponential => "exponential",
            Self::Linear => "linear",
            Self::Enumerated => "enumerated",
            Self::Boolean => "boolean",
            Self::Flag => "flag",
            Self::Count => "count",
            Self::Categorical => "categorical",
        }
    }

    /// The kind with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::Exponential,
            Self::Linear,
            Self::Enumerated,
            Self::Boolean,
            Self::Flag,
            Self::Count,
            Self::Categorical,
        ];
        all.into_iter().find(|kind| kind.name() == name)
    }
}

impl Definition {
    /// A metric binned by a layout of plain numbers.
    pub fn numeric(kind: Kind, layout: Layout, description: impl Into<String>) -> Self {
        Self {
            kind,
            bins: Bins::Bounds(layout.lower_bounds()),
            description: description.into(),
        }
    }

    /// A metric of two values: its bins are 0, 1 and 2.
    pub fn boolean(description: impl Into<String>) -> Self {
        Self {
            kind: Kind::Boolean,
            bins: Bins::Bounds(vec![0, 1, 2]),
            description: description.into(),
        }
    }
}
