//! What a ping tells, as a value that can be compared.

use std::collections::BTreeMap;

use sketch::Layout;

use crate::values::{Kind, Rule};

/// Bins and exact sum, by metric, label and layout.
pub type Numbers = BTreeMap<(String, Option<String>, Kind, Layout), (i64, BTreeMap<i64, i64>)>;

/// What a ping tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// The client's id.
    pub client: Option<String>,
    /// Values by dimension.
    pub dimensions: BTreeMap<String, String>,
    /// Sums and bins.
    pub numbers: Numbers,
    /// How many times, by metric, label and value.
    pub categories: BTreeMap<(String, Option<String>, String), i64>,
    /// How many notes, by what they are about.
    pub notes: BTreeMap<(String, Rule), u32>,
}

impl Told {
    /// Counts a note.
    pub fn note(&mut self, subject: &str, rule: Rule) {
        *self.notes.entry((subject.to_owned(), rule)).or_default() += 1;
    }
}
