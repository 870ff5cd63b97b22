//! A selection of chunks: any combination of conditions over dimensions, and receive times.

use ping::{Dimension, OTHER, Timestamp, UNKNOWN};

use crate::{ChunkKind, IndexEntry};

/// A condition on the value of one dimension. Strings compare by bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The value is one of these (one for equality).
    OneOf(Vec<String>),
    /// The value lies in this range, both ends included, the upper one by prefix: `20170130..20170131` has all that
    /// begins with `20170131`. An absent end is open.
    Range {
        /// The lowest value.
        from: Option<String>,
        /// The highest value, or what the highest values begin with.
        to: Option<String>,
    },
    /// The value is one of these versions or one below them: `54` matches `54` and `54.*`.
    Versions(Vec<String>),
}

/// Which chunks to read, or which records of them: all conditions hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Conditions on dimensions.
    pub conditions: Vec<(Dimension, Condition)>,
    /// Only records received at this moment or later.
    pub received_from: Option<Timestamp>,
    /// Only records received before this moment.
    pub received_before: Option<Timestamp>,
    /// Only chunks of this kind.
    pub kind: Option<ChunkKind>,
}

impl Condition {
    /// Whether a record's value, as sent, meets the condition.
    pub fn matches(&self, value: &str) -> bool {
        match self {
            Self::OneOf(values) => values.iter().any(|allowed| allowed == value),
            Self::Range { from, to } => {
                from.as_deref().is_none_or(|from| value >= from)
                    && to
                        .as_deref()
                        .is_none_or(|to| value <= to || value.starts_with(to))
            }
            Self::Versions(versions) => versions.iter().any(|version| {
                let rest = value.strip_prefix(version.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }),
        }
    }

    /// Whether a chunk with this partition value can hold records whose value meets the condition: a chunk under
    /// `OTHER` always can.
    pub fn can_match(&self, partition_value: &str) -> bool {
        partition_value == OTHER
            || self.matches(partition_value)
            || (partition_value == UNKNOWN && self.matches(""))
    }
}

impl Selection {
    /// Whether a chunk can hold records of this selection. This is what every back end of the index must answer.
    pub fn can_match(&self, entry: &IndexEntry) -> bool {
        self.kind.is_none_or(|kind| kind == entry.kind)
            && self.received_from.is_none_or(|from| entry.received_max >= from)
            && self
                .received_before
                .is_none_or(|before| entry.received_min < before)
            && self
                .conditions
                .iter()
                .all(|(dimension, condition)| condition.can_match(entry.partition.get(*dimension)))
    }
}
