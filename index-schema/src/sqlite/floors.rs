//! How floors and days are read from rows, and written.

use ping::SubmissionDate;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Result};

use super::retain_sql as sql;
use crate::{AllFloors, Floors, SourceFloor, SourceFloors};

/// The floors now.
pub(super) fn floors(connection: &Connection) -> Result<Floors> {
    connection.prepare_cached(sql::FLOORS)?.query_row([], |row| {
        let floor = |column| date_or_none(column, &row.get::<_, String>(column)?);
        Ok(Floors {
            pings: floor(0)?,
            errors: floor(1)?,
            aggregates: floor(2)?,
        })
    })
}

fn date_or_none(column: usize, text: &str) -> Result<Option<SubmissionDate>> {
    match text {
        "" => Ok(None),
        text => date(column, text).map(Some),
    }
}

pub(super) fn date(column: usize, text: &str) -> Result<SubmissionDate> {
    text.parse()
        .map_err(|error| Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

/// The floors of all, and those of sources.
pub(super) fn all_floors(connection: &Connection) -> Result<AllFloors> {
    Ok(AllFloors {
        all: floors(connection)?,
        sources: source_floors(connection)?,
    })
}

/// Those of sources.
pub(super) fn source_floors(connection: &Connection) -> Result<SourceFloors> {
    let mut statement = connection.prepare_cached(sql::SOURCE_FLOORS)?;
    let floors = statement.query_map([], |row| {
        let source = format!("{}/{}", row.get::<_, String>(0)?, row.get::<_, String>(1)?);
        let floor = |column| date_or_none(column, &row.get::<_, String>(column)?);
        Ok((
            source,
            SourceFloor {
                chunks: floor(2)?,
                aggregates: floor(3)?,
            },
        ))
    })?;
    floors.collect()
}

/// A floor as it is stored.
pub(super) fn text(floor: Option<SubmissionDate>) -> String {
    floor.map(|floor| floor.to_string()).unwrap_or_default()
}
