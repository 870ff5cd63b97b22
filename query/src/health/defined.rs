//! Metrics that arrive otherwise than definitions say, and those that never did: how many, and the first of them by name.

use serde_json::{Value, json};

use crate::limits::METRICS_NAMED_MAX;

/// What was found when definitions were last held against what arrives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefinitionNumbers {
    /// Arrive, and no definition says what they are.
    pub undeclared: Named,
    /// Arrive, and should not any more.
    pub expired: Named,
    /// Are defined, and never arrived.
    pub never_seen: Named,
}

/// Files of declarations or definitions that are not taken up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedFiles {
    /// The first thing that is wrong, of a bounded length.
    pub words: String,
    /// How many things are.
    pub faults: u64,
    /// Whether the process was started with them, and goes on with those that were accepted before.
    pub at_start: bool,
}

/// Things of which the first are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    number: u64,
    first: Vec<String>,
}

impl Named {
    /// Of all names.
    #[must_use]
    pub fn of(names: impl IntoIterator<Item = String>) -> Self {
        let mut named = Self::default();
        for name in names {
            named.number += 1;
            if named.first.len() < METRICS_NAMED_MAX {
                named.first.push(name);
            }
        }
        named
    }

    /// With so many more that have no name here.
    #[must_use]
    pub const fn and_more(mut self, more: u64) -> Self {
        self.number += more;
        self
    }

    /// How many there are.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The first of them.
    #[must_use]
    pub fn first(&self) -> &[String] {
        &self.first
    }

    pub(super) fn to_json(&self) -> Value {
        json!({"number": self.number, "first": self.first})
    }
}

impl DefinitionNumbers {
    pub(super) fn to_json(&self) -> Value {
        let Self {
            undeclared,
            expired,
            never_seen,
        } = self;
        json!({
            "undeclared": undeclared.to_json(), "expired": expired.to_json(), "never_seen": never_seen.to_json(),
        })
    }
}
