//! Ids of names, for writing: known ones from memory, others from the table, new ones made.

use std::collections::HashMap;
use std::sync::Arc;

use ping::{ChunkId, Incarnation};
use rusqlite::{Connection, OptionalExtension, Params, params};
use sketch::Layout;

use super::limits::DICTIONARY_BYTES_MAX;
use super::sets::{self, SetRow};
use crate::listing::SetIds;
use crate::stored::stored;
use crate::{AggregateError, Dimension, DimensionSet, Source};

/// Ids as far as they were asked for. It may know only ids of committed rows and of the running transaction: whoever
/// rolls one back calls [`forget`](Self::forget).
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    strings: HashMap<String, u32>,
    layouts: HashMap<Layout, u32>,
    sources: HashMap<Source, u32>,
    dimension_sets: HashMap<DimensionSet, Arc<SetIds>>,
    new_sets: Vec<SetRow>,
    chunks: HashMap<ChunkId, u32>,
    incarnations: HashMap<Incarnation, u32>,
    bytes: usize,
}

/// About what an entry takes beside its text.
const ENTRY_BYTES: usize = 64;

impl Dictionary {
    /// Forgets everything, so that ids of a transaction that was rolled back are never used.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Forgets everything if it has grown too large. Call it between transactions.
    pub(super) fn trim(&mut self) {
        if self.bytes > DICTIONARY_BYTES_MAX {
            self.forget();
        }
    }

    pub(super) fn string(&mut self, connection: &Connection, text: &str) -> Result<u32, AggregateError> {
        if let Some(&id) = self.strings.get(text) {
            return Ok(id);
        }
        let id = find_or_add(
            connection,
            "SELECT id FROM string WHERE text = ?1",
            "INSERT INTO string (text) VALUES (?1)",
            params![text],
        )?;
        self.strings.insert(text.to_owned(), id);
        self.bytes += ENTRY_BYTES + text.len();
        Ok(id)
    }

    pub(super) fn layout(&mut self, connection: &Connection, layout: Layout) -> Result<u32, AggregateError> {
        if let Some(&id) = self.layouts.get(&layout) {
            return Ok(id);
        }
        let Layout {
            kind,
            min,
            max,
            bin_count,
        } = layout;
        let id = find_or_add(
            connection,
            "SELECT id FROM layout WHERE kind = ?1 AND min = ?2 AND max = ?3 AND bin_count = ?4",
            "INSERT INTO layout (kind, min, max, bin_count) VALUES (?1, ?2, ?3, ?4)",
            params![kind.code(), min, max, bin_count],
        )?;
        self.layouts.insert(layout, id);
        self.bytes += ENTRY_BYTES;
        Ok(id)
    }

    /// Notes the id of a source in a table of an older program.
    pub(super) fn know_source(&mut self, source: Source, id: u32) {
        self.sources.insert(source, id);
    }

    /// Whether a source has an id that was asked for.
    pub(super) fn knows_source(&self, source: &Source) -> bool {
        self.sources.contains_key(source)
    }

    pub(super) fn source(&mut self, connection: &Connection, source: &Source) -> Result<u32, AggregateError> {
        if let Some(&id) = self.sources.get(source) {
            return Ok(id);
        }
        let id = find_or_add(
            connection,
            "SELECT id FROM source WHERE name = ?1 AND epoch = ?2",
            "INSERT INTO source (name, epoch) VALUES (?1, ?2)",
            params![source.as_str(), source.epoch()],
        )?;
        self.sources.insert(source.clone(), id);
        self.bytes += ENTRY_BYTES + source.as_str().len();
        Ok(id)
    }

    /// A set; where it is a new one, [`write_members`](Self::write_members) has to follow.
    pub(super) fn dimension_set(
        &mut self,
        connection: &Connection,
        set: &DimensionSet,
    ) -> Result<Arc<SetIds>, AggregateError> {
        self.dimension_set_in(connection, "dimension_set", set)
    }

    /// The same in a table that is to become this one.
    pub(super) fn dimension_set_in(
        &mut self,
        connection: &Connection,
        table: &str,
        set: &DimensionSet,
    ) -> Result<Arc<SetIds>, AggregateError> {
        if let Some(ids) = self.dimension_sets.get(set) {
            return Ok(Arc::clone(ids));
        }
        let source = self.source(connection, set.source())?;
        let submission_date = set.submission_date().as_yyyymmdd();
        let mut pairs = Vec::with_capacity(set.values().len());
        for (dimension, value) in set.values() {
            pairs.push((
                self.string(connection, dimension.as_str())?,
                self.string(connection, value)?,
            ));
        }
        pairs.sort_unstable();
        let packed = sets::pack(&pairs);
        let found: Option<i64> = connection
            .prepare_cached(&format!(
                "SELECT id FROM {table} WHERE source = ?1 AND submission_date = ?2 AND packed = ?3"
            ))?
            .query_row(params![source, submission_date, packed], |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => narrow(id)?,
            None => {
                let id = connection
                    .prepare_cached(&format!(
                        "INSERT INTO {table} (source, submission_date, packed) VALUES (?1, ?2, ?3)"
                    ))?
                    .insert(params![source, submission_date, packed])?;
                let id = narrow(id)?;
                self.new_sets.push(SetRow {
                    id,
                    source,
                    submission_date,
                    pairs,
                });
                id
            }
        };
        let mut listed = Vec::new();
        for (dimension, value, detail) in set.listed() {
            listed.push((
                self.string(connection, dimension)?,
                self.string(connection, value)?,
                detail.map_or(Ok(0), |detail| self.string(connection, detail))?,
            ));
        }
        let ids = Arc::new(SetIds {
            id,
            source,
            submission_date,
            channel: self.string(connection, set.value(Dimension::CHANNEL))?,
            version: self.string(connection, set.value(Dimension::VERSION))?,
            listed,
        });
        self.dimension_sets.insert(set.clone(), Arc::clone(&ids));
        self.bytes += (2 + set.values().len()) * 2 * ENTRY_BYTES;
        Ok(ids)
    }

    /// Notes the sets that were made among the members of their values, and answers them. Every transaction ends with it.
    pub(super) fn write_members(&mut self, connection: &Connection) -> Result<Vec<SetRow>, AggregateError> {
        let made = std::mem::take(&mut self.new_sets);
        sets::write_members(connection, &made)?;
        Ok(made)
    }

    pub(super) fn chunk(&mut self, connection: &Connection, chunk: ChunkId) -> Result<u32, AggregateError> {
        if let Some(&id) = self.chunks.get(&chunk) {
            return Ok(id);
        }
        let ChunkId {
            incarnation,
            boot,
            plan,
        } = chunk;
        let id = find_or_add(
            connection,
            "SELECT id FROM chunk WHERE incarnation = ?1 AND boot = ?2 AND plan = ?3",
            "INSERT INTO chunk (incarnation, boot, plan) VALUES (?1, ?2, ?3)",
            params![incarnation.as_bytes(), stored(boot)?, stored(plan)?],
        )?;
        self.chunks.insert(chunk, id);
        self.bytes += ENTRY_BYTES;
        Ok(id)
    }

    pub(super) fn incarnation(
        &mut self,
        connection: &Connection,
        incarnation: Incarnation,
    ) -> Result<u32, AggregateError> {
        if let Some(&id) = self.incarnations.get(&incarnation) {
            return Ok(id);
        }
        let id = find_or_add(
            connection,
            "SELECT id FROM incarnation WHERE bits = ?1",
            "INSERT INTO incarnation (bits) VALUES (?1)",
            params![incarnation.as_bytes()],
        )?;
        self.incarnations.insert(incarnation, id);
        self.bytes += ENTRY_BYTES;
        Ok(id)
    }
}

fn find_or_add(
    connection: &Connection,
    find: &str,
    add: &str,
    params: impl Params + Clone,
) -> Result<u32, AggregateError> {
    let found: Option<i64> = connection
        .prepare_cached(find)?
        .query_row(params.clone(), |row| row.get(0))
        .optional()?;
    let id = match found {
        Some(id) => id,
        None => connection.prepare_cached(add)?.insert(params)?,
    };
    narrow(id)
}

fn narrow(id: i64) -> Result<u32, AggregateError> {
    u32::try_from(id).map_err(|_| AggregateError::Damaged("a dictionary has four billion entries".to_owned()))
}
