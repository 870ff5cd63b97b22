//! Which values of a dimension, or which processes, the cells of one metric have.

use std::collections::BTreeSet;

use ping::UNKNOWN;
use rusqlite::Connection;
use sketch::Cell;

use super::conditions::Conditions;
use super::finder::CellIds;
use super::names::{Names, id_of};
use super::overlay::Overlay;
use super::sets::{StoredSet, table_of};
use crate::layer::{Part, add_held};
use crate::listing::last;
use crate::{AggregateError, CellQuery, Dimension, Listed, ValueOf};

/// The values, ascending; of more than `limit` the last ones.
pub(super) fn read(
    connection: &Connection,
    held: &[&Part],
    query: &CellQuery,
    of: &ValueOf,
    limit: usize,
) -> Result<Listed<String>, AggregateError> {
    let mut overlay = Overlay::of(connection, held, query)?;
    let mut values = BTreeSet::new();
    if let Some(conditions) = Conditions::of(connection, query)? {
        let ids = match overlay.is_empty() {
            true => distinct(connection, &conditions, of)?,
            false => beside(connection, &conditions, of, &mut overlay)?,
        };
        values = named(connection, ids, of)?;
    }
    for (name, cells) in overlay.rest() {
        let mut cell = Cell::default();
        add_held(&mut cell, &cells)?;
        if !cell.is_zero() {
            values.insert(match of {
                ValueOf::Dimension(dimension) => name.dimensions.any_value(dimension.as_str()),
                ValueOf::Process => name.process.to_owned(),
            });
        }
    }
    Ok(last(values, limit))
}

/// The values of these sets, or these processes.
fn named(
    connection: &Connection,
    ids: BTreeSet<i64>,
    of: &ValueOf,
) -> Result<BTreeSet<String>, AggregateError> {
    let mut names = Names::new(connection);
    let ValueOf::Dimension(dimension) = of else {
        let processes = ids.into_iter().map(|id| Ok(names.string(id)?.to_string()));
        return processes.collect();
    };
    let is_day = dimension.as_str() == Dimension::SUBMISSION_DATE;
    let dimension = id_of(connection, dimension.as_str())?;
    let (mut days, mut values) = (BTreeSet::new(), BTreeSet::new());
    for set in ids {
        let set = StoredSet::find(connection, set)?;
        if is_day {
            days.insert(set.submission_date);
        } else {
            values.insert(dimension.and_then(|dimension| set.value(dimension)));
        }
    }
    let values = values.into_iter().map(|value| match value {
        Some(id) => Ok(names.string(id)?.to_string()),
        None => Ok(UNKNOWN.to_owned()),
    });
    let days = days.into_iter().map(|day| Ok(day.to_string()));
    days.chain(values).collect()
}

/// The processes of stored cells, or the dimension sets that have some: one cell of each is enough.
fn distinct(
    connection: &Connection,
    conditions: &Conditions,
    of: &ValueOf,
) -> Result<BTreeSet<i64>, AggregateError> {
    let (sets, cells) = (&conditions.sets, conditions.sql());
    let sql = match of {
        ValueOf::Dimension(_) => format!(
            "SELECT wanted.value FROM rarray(?1) AS wanted
             WHERE EXISTS (SELECT 1 FROM cell AS c WHERE c.dimension_set = wanted.value AND {cells})"
        ),
        ValueOf::Process => format!(
            "SELECT DISTINCT c.process FROM rarray(?1) AS wanted
             CROSS JOIN cell AS c ON c.dimension_set = wanted.value WHERE {cells}"
        ),
    };
    let mut statement = connection.prepare(&sql)?;
    let ids = statement.query_map([table_of(sets)], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// The same of stored cells of which something is left when what is held is added.
fn beside(
    connection: &Connection,
    conditions: &Conditions,
    of: &ValueOf,
    overlay: &mut Overlay<'_>,
) -> Result<BTreeSet<i64>, AggregateError> {
    let Conditions { metric, sets, .. } = conditions;
    let cells = conditions.sql();
    let mut statement = connection.prepare(&format!(
        "SELECT c.dimension_set, c.process, c.label, c.layout, c.value
         FROM rarray(?1) AS wanted CROSS JOIN cell AS c ON c.dimension_set = wanted.value WHERE {cells}"
    ))?;
    let mut rows = statement.query([table_of(sets)])?;
    let mut ids = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let key = CellIds {
            metric: *metric,
            dimension_set: row.get(0)?,
            process: row.get(1)?,
            label: row.get(2)?,
            layout: row.get(3)?,
        };
        if let Some(held) = overlay.take(&key) {
            let stored = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
            let mut cell = Cell::default();
            add_held(&mut cell, &[stored])?;
            add_held(&mut cell, &held)?;
            if cell.is_zero() {
                continue;
            }
        }
        ids.insert(match of {
            ValueOf::Dimension(_) => key.dimension_set,
            ValueOf::Process => key.process,
        });
    }
    Ok(ids)
}
