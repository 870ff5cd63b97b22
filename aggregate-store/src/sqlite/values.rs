//! Which dates or processes the cells of one metric have.

use std::collections::BTreeSet;

use rusqlite::Connection;
use sketch::Cell;

use super::names::Names;
use super::overlay::Overlay;
use super::series::{Conditions, date_column};
use crate::layer::{Part, add_held};
use crate::listing::last;
use crate::stored::date;
use crate::{AggregateError, CellQuery, DateClock, Listed, ValueOf};

/// The values, ascending; of more than `limit` the last ones.
pub(super) fn read(
    connection: &Connection,
    held: &[&Part],
    query: &CellQuery,
    of: ValueOf,
    limit: usize,
) -> Result<Listed<String>, AggregateError> {
    let mut overlay = Overlay::of(connection, held, query)?;
    let mut values = BTreeSet::new();
    if let Some(conditions) = Conditions::of(connection, query)? {
        let ids = match overlay.is_empty() {
            true => distinct(connection, &conditions, query.clock, of)?,
            false => beside(connection, &conditions, query.clock, of, &mut overlay)?,
        };
        let mut names = Names::new(connection);
        for id in ids {
            values.insert(match (of, query.clock) {
                (ValueOf::Date, DateClock::SubmissionDate) => date(id)?.to_string(),
                _ => names.string(id)?.to_string(),
            });
        }
    }
    for (name, cells) in overlay.rest() {
        let mut cell = Cell::default();
        add_held(&mut cell, &cells)?;
        if !cell.is_zero() {
            values.insert(match of {
                ValueOf::Date => name.dimensions.date(query.clock),
                ValueOf::Process => name.process.to_owned(),
            });
        }
    }
    Ok(last(values, limit))
}

/// The values of stored cells. For a date one cell of a dimension set is enough.
fn distinct(
    connection: &Connection,
    conditions: &Conditions,
    clock: DateClock,
    of: ValueOf,
) -> Result<BTreeSet<i64>, AggregateError> {
    let Conditions { sets, cells } = conditions;
    let sql = match of {
        ValueOf::Date => format!(
            "SELECT DISTINCT s.{} FROM dimension_set AS s WHERE {sets}
             AND EXISTS (SELECT 1 FROM cell AS c WHERE c.dimension_set = s.id AND {cells})",
            date_column(clock)
        ),
        ValueOf::Process => format!(
            "SELECT DISTINCT c.process FROM dimension_set AS s CROSS JOIN cell AS c ON c.dimension_set = s.id
             WHERE {sets} AND {cells}"
        ),
    };
    let mut statement = connection.prepare(&sql)?;
    let ids = statement.query_map([], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// The values of stored cells of which something is left when what is held is added.
fn beside(
    connection: &Connection,
    conditions: &Conditions,
    clock: DateClock,
    of: ValueOf,
    overlay: &mut Overlay<'_>,
) -> Result<BTreeSet<i64>, AggregateError> {
    let Conditions { sets, cells } = conditions;
    let value = match of {
        ValueOf::Date => format!("s.{}", date_column(clock)),
        ValueOf::Process => "c.process".to_owned(),
    };
    let mut statement = connection.prepare(&format!(
        "SELECT {value}, c.value, c.metric, c.dimension_set, c.process, c.label, c.layout
         FROM dimension_set AS s CROSS JOIN cell AS c ON c.dimension_set = s.id WHERE {sets} AND {cells}"
    ))?;
    let mut rows = statement.query([])?;
    let mut ids = BTreeSet::new();
    while let Some(row) = rows.next()? {
        if let Some(held) = overlay.take(row, [2, 3, 4, 5, 6])? {
            let stored = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            let mut cell = Cell::default();
            add_held(&mut cell, &[stored])?;
            add_held(&mut cell, &held)?;
            if cell.is_zero() {
                continue;
            }
        }
        ids.insert(row.get(0)?);
    }
    Ok(ids)
}
