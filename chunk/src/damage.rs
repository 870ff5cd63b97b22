//! What is broken in a chunk, and where.

use std::fmt;

/// A chunk is not what it should be: the part, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part}: {what}")]
pub struct Damage {
    /// Where.
    pub part: Part,
    /// What.
    pub what: String,
}

/// A part of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The data frame of this number; the first is 0.
    Data(usize),
    /// The ids frame.
    Ids,
    /// A skippable frame of a type that is not known here, with its number among all frames.
    Unknown(usize),
    /// The summary.
    Summary,
    /// The seek table, at the end of the file.
    SeekTable,
}

impl Damage {
    pub(crate) fn new(part: Part, what: impl Into<String>) -> Self {
        Self {
            part,
            what: what.into(),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(number) => write!(f, "data frame {number}"),
            Self::Ids => f.write_str("ids frame"),
            Self::Unknown(number) => write!(f, "frame {number}, of a type unknown here"),
            Self::Summary => f.write_str("summary"),
            Self::SeekTable => f.write_str("seek table"),
        }
    }
}
