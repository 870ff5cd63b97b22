//! What is held of the cells that a question asks for: taken beside those stored, then the rest.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use super::finder::{CellIds, Finder};
use crate::layer::{CellName, HeldCells, Part, matching};
use crate::{AggregateError, CellQuery};

/// Held cells, those under keys that the database knows apart from the others.
pub(super) struct Overlay<'a> {
    known: HashMap<CellIds, (CellName<'a>, HeldCells<'a>)>,
    unknown: Vec<(CellName<'a>, HeldCells<'a>)>,
}

impl<'a> Overlay<'a> {
    pub(super) fn of(
        connection: &'a Connection,
        held: &[&'a Part],
        query: &CellQuery,
    ) -> Result<Self, AggregateError> {
        let mut finder = Finder::new(connection);
        let (mut known, mut unknown) = (HashMap::new(), Vec::new());
        for (name, cells) in matching(held, query) {
            match finder.ids(name)? {
                Some(ids) => {
                    known.insert(ids, (name, cells));
                }
                None => unknown.push((name, cells)),
            }
        }
        Ok(Self { known, unknown })
    }

    /// The dimension sets, by their ids, of whose stored cells something is held.
    pub(super) fn sets(&self) -> HashSet<i64> {
        self.known.keys().map(|ids| ids.dimension_set).collect()
    }

    /// Whether nothing is held.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty() && self.unknown.is_empty()
    }

    /// What is held of this stored cell; it is not among the rest then.
    pub(super) fn take(&mut self, cell: &CellIds) -> Option<HeldCells<'a>> {
        self.known.remove(cell).map(|(_, cells)| cells)
    }

    /// What is held of cells that are not stored.
    pub(super) fn rest(self) -> impl Iterator<Item = (CellName<'a>, HeldCells<'a>)> {
        self.known.into_values().chain(self.unknown)
    }
}
