//! What an answer finds decoded, or decodes for those that come after it.

use std::sync::Arc;

use rusqlite::Connection;
use sketch::Cell;

use super::super::limits::DECODED_STRETCH_BYTES_MAX;
use super::super::sets::{SetRow, unpack};
use super::cache::Found;
use super::{Cache, Change, Kind, KnownSets, Moment, Stretch, StretchBuilder};
use crate::AggregateError;
use crate::stored::unstored;

/// Cells are looked at for their memory each time so many were read.
const CELLS_BETWEEN_LOOKS: usize = 1_000;

/// The cells of a metric and the sets of a source, as they are in one snapshot.
#[derive(Clone, Debug)]
pub(in super::super) struct Decoded {
    pub(in super::super) stretch: Arc<Stretch>,
    /// What was added since the cells were read.
    pub(in super::super) added: Arc<Vec<Change>>,
    pub(in super::super) sets: Arc<KnownSets>,
}

impl Decoded {
    /// What is kept of the moment of this snapshot, or is worth keeping; `None` where an answer is to read what it needs.
    pub(in super::super) fn find(
        connection: &Connection,
        (cache, moment): (&Cache, Moment),
        metric: i64,
        source: i64,
    ) -> Result<Option<Self>, AggregateError> {
        let (metric, source) = (unstored(metric)?, unstored(source)?);
        let (stretch, added) = match cache.stretch(moment, metric) {
            Found::Nothing => return Ok(None),
            Found::Kept(stretch, added) => (stretch, added),
            Found::Wanted => match read_stretch(connection, metric)? {
                None => {
                    cache.refuse(metric);
                    return Ok(None);
                }
                Some(stretch) => {
                    let stretch = Arc::new(stretch);
                    cache.keep_stretch(moment, metric, &stretch);
                    (stretch, Arc::default())
                }
            },
        };
        let sets = match cache.sets(moment, source) {
            Some(sets) => sets,
            None => match read_sets(connection, source)? {
                None => return Ok(None),
                Some(sets) => {
                    let sets = Arc::new(sets);
                    cache.keep_sets(moment, source, &sets);
                    sets
                }
            },
        };
        Ok(Some(Self { stretch, added, sets }))
    }
}

/// All cells of a metric; `None` where they cannot be kept.
fn read_stretch(connection: &Connection, metric: u32) -> Result<Option<Stretch>, AggregateError> {
    let mut statement = connection
        .prepare_cached("SELECT dimension_set, process, label, layout, value FROM cell WHERE metric = ?1")?;
    let mut rows = statement.query([metric])?;
    let mut builder = StretchBuilder::default();
    let (mut cell, mut cells) = (Cell::default(), 0_usize);
    while let Some(row) = rows.next()? {
        let value = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
        cell.read(value)
            .map_err(|error| AggregateError::Damaged(error.to_string()))?;
        let kind = Kind {
            process: unstored(row.get(1)?)?,
            label: unstored(row.get(2)?)?,
            layout: unstored(row.get(3)?)?,
        };
        cells += 1;
        if builder.push(unstored(row.get(0)?)?, kind, &cell).is_err()
            || (cells.is_multiple_of(CELLS_BETWEEN_LOOKS) && builder.bytes() > DECODED_STRETCH_BYTES_MAX)
        {
            return Ok(None);
        }
    }
    Ok(Some(builder.end()))
}

/// All sets of a source; `None` where they take too much.
fn read_sets(connection: &Connection, source: u32) -> Result<Option<KnownSets>, AggregateError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, submission_date, packed FROM dimension_set WHERE source = ?1 ORDER BY id",
    )?;
    let mut rows = statement.query([source])?;
    let mut known = KnownSets::default();
    while let Some(row) = rows.next()? {
        let set = SetRow {
            id: unstored(row.get(0)?)?,
            source,
            submission_date: unstored(row.get(1)?)?,
            pairs: unpack(row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?)?,
        };
        if !known.push(&set) || known.bytes() > DECODED_STRETCH_BYTES_MAX {
            return Ok(None);
        }
    }
    Ok(Some(known))
}
