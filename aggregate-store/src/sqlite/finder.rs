//! Finds the stored cell of a full name, for reading: each name is asked for once in an answer.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};
use sketch::{Cell, Layout};

use super::names::id_of;
use super::sets::{pack, source_id};
use crate::layer::CellName;
use crate::stored::unstored;
use crate::{AggregateError, DimensionSet};

/// The key of a stored cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct CellIds {
    pub(super) metric: i64,
    pub(super) dimension_set: i64,
    pub(super) process: i64,
    pub(super) label: i64,
    pub(super) layout: i64,
}

/// Ids by names; `None` for a name that is not stored.
pub(super) struct Finder<'a> {
    connection: &'a Connection,
    strings: HashMap<&'a str, Option<i64>>,
    layouts: HashMap<Layout, Option<i64>>,
    sets: HashMap<&'a DimensionSet, Option<i64>>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            strings: HashMap::new(),
            layouts: HashMap::new(),
            sets: HashMap::new(),
        }
    }

    /// The key of a cell; `None` when some part of its name is not stored, and so the cell is not.
    pub(super) fn ids(&mut self, name: CellName<'a>) -> Result<Option<CellIds>, AggregateError> {
        let CellName {
            metric,
            dimensions,
            process,
            label,
            layout,
        } = name;
        let found = (
            self.string(metric)?,
            self.set(dimensions)?,
            self.string(process)?,
            self.string(label)?,
            self.layout(layout)?,
        );
        let (Some(metric), Some(dimension_set), Some(process), Some(label), Some(layout)) = found else {
            return Ok(None);
        };
        Ok(Some(CellIds {
            metric,
            dimension_set,
            process,
            label,
            layout,
        }))
    }

    /// The stored cell.
    pub(super) fn cell(&mut self, name: CellName<'a>) -> Result<Option<Cell>, AggregateError> {
        let Some(ids) = self.ids(name)? else {
            return Ok(None);
        };
        let value: Option<Vec<u8>> = self
            .connection
            .prepare_cached(
                "SELECT value FROM cell
                 WHERE metric = ?1 AND dimension_set = ?2 AND process = ?3 AND label = ?4 AND layout = ?5",
            )?
            .query_row(
                params![ids.metric, ids.dimension_set, ids.process, ids.label, ids.layout],
                |row| row.get(0),
            )
            .optional()?;
        let cell = value.map(|value| Cell::decode(&value)).transpose();
        cell.map_err(|error| AggregateError::Damaged(error.to_string()))
    }

    fn string(&mut self, text: &'a str) -> Result<Option<i64>, AggregateError> {
        if let Some(&id) = self.strings.get(text) {
            return Ok(id);
        }
        let id = id_of(self.connection, text)?;
        self.strings.insert(text, id);
        Ok(id)
    }

    fn layout(&mut self, layout: Layout) -> Result<Option<i64>, AggregateError> {
        if let Some(&id) = self.layouts.get(&layout) {
            return Ok(id);
        }
        let Layout {
            kind,
            min,
            max,
            bin_count,
        } = layout;
        let id = self
            .connection
            .prepare_cached(
                "SELECT id FROM layout WHERE kind = ?1 AND min = ?2 AND max = ?3 AND bin_count = ?4",
            )?
            .query_row(params![kind.code(), min, max, bin_count], |row| row.get(0))
            .optional()?;
        self.layouts.insert(layout, id);
        Ok(id)
    }

    fn set(&mut self, set: &'a DimensionSet) -> Result<Option<i64>, AggregateError> {
        if let Some(&id) = self.sets.get(set) {
            return Ok(id);
        }
        let id = self.find_set(set)?;
        self.sets.insert(set, id);
        Ok(id)
    }

    fn find_set(&mut self, set: &'a DimensionSet) -> Result<Option<i64>, AggregateError> {
        let Some(source) = source_id(self.connection, set.source())? else {
            return Ok(None);
        };
        let mut pairs = Vec::with_capacity(set.values().len());
        for (dimension, value) in set.values() {
            let (Some(dimension), Some(value)) = (self.string(dimension.as_str())?, self.string(value)?)
            else {
                return Ok(None);
            };
            pairs.push((unstored(dimension)?, unstored(value)?));
        }
        pairs.sort_unstable();
        let mut find = self.connection.prepare_cached(
            "SELECT id FROM dimension_set WHERE source = ?1 AND submission_date = ?2 AND packed = ?3",
        )?;
        let key = params![source, set.submission_date().as_yyyymmdd(), pack(&pairs)];
        Ok(find.query_row(key, |row| row.get(0)).optional()?)
    }
}
