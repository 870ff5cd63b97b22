//! Ids of names, for writing: known ones from memory, others from the table, new ones made.

use std::collections::HashMap;

use ping::{ChunkId, Incarnation};
use rusqlite::{Connection, OptionalExtension, Params, params};
use sketch::Layout;

use super::limits::DICTIONARY_BYTES_MAX;
use crate::listing::SetIds;
use crate::stored::stored;
use crate::{AggregateError, DimensionSet};

/// Ids as far as they were asked for. It may know only ids of committed rows and of the running transaction: whoever
/// rolls one back calls [`forget`](Self::forget).
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    strings: HashMap<String, u32>,
    layouts: HashMap<Layout, u32>,
    dimension_sets: HashMap<DimensionSet, SetIds>,
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

    pub(super) fn dimension_set(
        &mut self,
        connection: &Connection,
        set: &DimensionSet,
    ) -> Result<SetIds, AggregateError> {
        if let Some(&ids) = self.dimension_sets.get(set) {
            return Ok(ids);
        }
        let mut ids = SetIds {
            id: 0,
            channel: self.string(connection, &set.channel)?,
            version: self.string(connection, &set.version)?,
            submission_date: set.submission_date.as_yyyymmdd(),
            build_date: self.string(connection, &set.build_date)?,
            application: self.string(connection, &set.application)?,
            architecture: self.string(connection, &set.architecture)?,
            os: self.string(connection, &set.os)?,
            os_version: self.string(connection, &set.os_version)?,
            e10s: self.string(connection, &set.e10s)?,
        };
        ids.id = find_or_add(
            connection,
            "SELECT id FROM dimension_set WHERE channel = ?1 AND version = ?2 AND submission_date = ?3
             AND build_date = ?4 AND application = ?5 AND architecture = ?6 AND os = ?7 AND os_version = ?8
             AND e10s = ?9",
            "INSERT INTO dimension_set (channel, version, submission_date, build_date, application, architecture,
             os, os_version, e10s) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                ids.channel,
                ids.version,
                ids.submission_date,
                ids.build_date,
                ids.application,
                ids.architecture,
                ids.os,
                ids.os_version,
                ids.e10s
            ],
        )?;
        self.dimension_sets.insert(set.clone(), ids);
        self.bytes += 9 * ENTRY_BYTES;
        Ok(ids)
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
    u32::try_from(id).map_err(|_| AggregateError::Damaged("a dictionary has four billion entries".to_owned()))
}
