//! The pages of an answer: what a database is asked for next, and what it found so far. Whoever asks it is elsewhere.

use crate::select::Page;
use crate::{IndexEntry, Selection};

/// An answer under way.
#[derive(Debug)]
pub(crate) struct Paging<'a> {
    selection: &'a Selection,
    limit: usize,
    after: Option<String>,
    /// Whether it is still to be tried whether all come whole, for then the database need not sort them.
    is_unsorted: bool,
    is_over: bool,
    found: Vec<IndexEntry>,
}

impl<'a> Paging<'a> {
    /// Up to `limit` entries of a selection behind a key, in byte order of keys.
    pub(crate) fn new(selection: &'a Selection, after: Option<&str>, limit: usize) -> Self {
        Self {
            selection,
            limit,
            after: after.map(str::to_owned),
            is_unsorted: after.is_none() && matches!(Page::first(limit), Page::Any(_)),
            is_over: false,
            found: Vec::new(),
        }
    }

    /// What to ask for; nothing more when the answer is whole.
    pub(crate) fn next(&self) -> Option<Page<'_>> {
        let left = self.limit - self.found.len();
        if self.is_over || left == 0 {
            None
        } else if self.is_unsorted {
            Some(Page::first(self.limit))
        } else {
            Some(Page::Behind(self.after.as_deref(), left))
        }
    }

    /// Takes the rows of the page that was asked for, of which some may not match.
    pub(crate) fn take(&mut self, mut rows: Vec<IndexEntry>) {
        let is_first_try = std::mem::take(&mut self.is_unsorted);
        if is_first_try && rows.len() > self.limit {
            // There are more: those that come first in order are asked for.
            return;
        }
        self.is_over = is_first_try || rows.len() < self.limit - self.found.len();
        self.after = rows.last().map(|entry| entry.key.clone());
        rows.retain(|entry| self.selection.can_match(entry));
        self.found.append(&mut rows);
        if is_first_try {
            self.found.sort_unstable_by(|one, next| one.key.cmp(&next.key));
        }
    }

    /// The answer.
    pub(crate) fn answer(self) -> Vec<IndexEntry> {
        self.found
    }
}
