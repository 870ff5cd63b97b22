//! Dimension sets that a deletion meets.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;

use super::dictionary::Dictionary;
use super::names::Names;
use super::sets;
use crate::AggregateError;
use crate::listing::SetIds;

/// The sets that a slice meets, each looked up once.
pub(super) struct MetSets<'a> {
    connection: &'a Connection,
    names: Names<'a>,
    dictionary: Dictionary,
    known: HashMap<i64, Arc<SetIds>>,
}

impl<'a> MetSets<'a> {
    pub(super) fn of(connection: &'a Connection) -> Self {
        Self {
            connection,
            names: Names::new(connection),
            dictionary: Dictionary::default(),
            known: HashMap::new(),
        }
    }

    pub(super) fn ids(&mut self, set: i64) -> Result<Arc<SetIds>, AggregateError> {
        if let Some(known) = self.known.get(&set) {
            return Ok(Arc::clone(known));
        }
        let named = sets::find(self.connection, set)?.named(self.connection, &mut self.names)?;
        let ids = self.dictionary.dimension_set(self.connection, &named)?;
        self.known.insert(set, Arc::clone(&ids));
        Ok(ids)
    }
}
