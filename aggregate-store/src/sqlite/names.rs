//! Ids and names, for reading: each is asked for once in an answer.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row};
use sketch::{HistogramKind, Layout};

use super::known_texts::KnownTexts;
use crate::AggregateError;
use crate::stored::unstored;

/// The id of a string; `None` when no row bears it.
pub(super) fn id_of(connection: &Connection, text: &str) -> Result<Option<i64>, AggregateError> {
    let id = connection
        .prepare_cached("SELECT id FROM string WHERE text = ?1")?
        .query_row([text], |row| row.get(0))
        .optional()?;
    Ok(id)
}

/// The names of ids, for as long as one answer is made.
pub(super) struct Names<'a> {
    connection: &'a Connection,
    /// What earlier answers asked for.
    known: Arc<KnownTexts>,
    strings: HashMap<i64, Arc<str>>,
    layouts: HashMap<i64, Layout>,
}

impl<'a> Names<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self::knowing(connection, Arc::default())
    }

    /// The same where some strings are known already.
    pub(super) fn knowing(connection: &'a Connection, known: Arc<KnownTexts>) -> Self {
        Self {
            connection,
            known,
            strings: HashMap::new(),
            layouts: HashMap::new(),
        }
    }

    /// The string with this id.
    pub(super) fn string(&mut self, id: i64) -> Result<Arc<str>, AggregateError> {
        if let Some(text) = self.known.get(id).or_else(|| self.strings.get(&id)) {
            return Ok(Arc::clone(text));
        }
        let text: Option<Arc<str>> = self
            .connection
            .prepare_cached("SELECT text FROM string WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let text = text.ok_or_else(|| AggregateError::Damaged(format!("string {id} is missing")))?;
        self.strings.insert(id, Arc::clone(&text));
        Ok(text)
    }

    /// The strings that were not known before, by their ids.
    pub(super) const fn asked(&self) -> &HashMap<i64, Arc<str>> {
        &self.strings
    }

    /// The layout with this id.
    pub(super) fn layout(&mut self, id: i64) -> Result<Layout, AggregateError> {
        if let Some(&layout) = self.layouts.get(&id) {
            return Ok(layout);
        }
        let layout = self
            .connection
            .prepare_cached("SELECT kind, min, max, bin_count FROM layout WHERE id = ?1")?
            .query_row([id], |row| Ok(read_layout(row)))
            .optional()?;
        let layout = layout.ok_or_else(|| AggregateError::Damaged(format!("layout {id} is missing")))??;
        self.layouts.insert(id, layout);
        Ok(layout)
    }
}

fn read_layout(row: &Row<'_>) -> Result<Layout, AggregateError> {
    let kind = HistogramKind::stored(unstored::<u8>(row.get(0)?)?);
    Ok(Layout {
        kind: kind.map_err(|error| AggregateError::Damaged(error.to_string()))?,
        min: row.get(1)?,
        max: row.get(2)?,
        bin_count: unstored(row.get(3)?)?,
    })
}
