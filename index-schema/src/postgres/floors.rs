//! How floors and days are read from rows, and written.

use ping::SubmissionDate;
use postgres_connections::{Failure, Transaction};
use tokio_postgres::Row;

use super::retain_sql as sql;
use crate::{AllFloors, Floors, SourceFloor};

/// The floors now.
pub(super) async fn floors(transaction: &Transaction<'_>) -> Result<Floors, Failure> {
    let statement = transaction.prepare_cached(sql::FLOORS).await?;
    read_floors(&transaction.query_one(&statement, &[]).await?)
}

/// Reads the floors.
pub(super) fn read_floors(row: &Row) -> Result<Floors, Failure> {
    Ok(Floors {
        pings: read_floor(row, 0)?,
        errors: read_floor(row, 1)?,
        aggregates: read_floor(row, 2)?,
    })
}

fn read_floor(row: &Row, column: usize) -> Result<Option<SubmissionDate>, Failure> {
    match row.try_get(column)? {
        "" => Ok(None),
        date => day(date).map(Some),
    }
}

/// A day as it is stored.
pub(super) fn day(text: &str) -> Result<SubmissionDate, Failure> {
    text.parse()
        .map_err(|error: ping::ParseDateError| Failure::of(error.to_string()))
}

/// The floors of all, and those of sources.
pub(super) async fn all_floors(transaction: &Transaction<'_>) -> Result<AllFloors, Failure> {
    let statement = transaction.prepare_cached(sql::FLOORS).await?;
    let of_sources = transaction.prepare_cached(sql::SOURCE_FLOORS).await?;
    // Sent one behind the other without waiting in between.
    let (all, sources) = tokio::try_join!(
        transaction.query_one(&statement, &[]),
        transaction.query(&of_sources, &[])
    )?;
    read_all_floors(&all, &sources)
}

/// Reads both.
pub(super) fn read_all_floors(all: &Row, sources: &[Row]) -> Result<AllFloors, Failure> {
    Ok(AllFloors {
        all: read_floors(all)?,
        sources: sources.iter().map(read_source_floor).collect::<Result<_, _>>()?,
    })
}

fn read_source_floor(row: &Row) -> Result<(String, SourceFloor), Failure> {
    let [namespace, document_type]: [&str; 2] = [row.try_get(0)?, row.try_get(1)?];
    let floor = SourceFloor {
        chunks: read_floor(row, 2)?,
        aggregates: read_floor(row, 3)?,
    };
    Ok((format!("{namespace}/{document_type}"), floor))
}

/// A floor as it is stored.
pub(super) fn floor_text(floor: Option<SubmissionDate>) -> String {
    floor.map(|floor| floor.to_string()).unwrap_or_default()
}
