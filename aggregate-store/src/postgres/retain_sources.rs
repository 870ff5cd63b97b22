//! Deletes what of some sources lies below days of their own.

use std::collections::{BTreeMap, BTreeSet};

use ping::SubmissionDate;
use postgres_connections::Failure;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::doomed::Doomed;
use super::given::Given;
use super::in_use::SourceDays;
use super::limits::DELETED_ROWS;
use super::listing::text;
use crate::stored::date;
use crate::{BelowOfSource, Deleted};

/// One slice.
pub(super) async fn delete(client: &Client, below: &[BelowOfSource]) -> Result<Deleted, Failure> {
    for of_source in below {
        let deleted = delete_some(client, of_source).await?;
        if deleted != Deleted::default() {
            return Ok(deleted);
        }
    }
    Ok(Deleted::default())
}

async fn delete_some(client: &Client, below: &BelowOfSource) -> Result<Deleted, Failure> {
    let ids = ids(client, &below.source).await?;
    if let Some(day) = below.aggregates {
        let doomed = Doomed::on(SourceDays::below(&ids, day)?);
        let mut aggregates = doomed.remove_users(client).await?;
        if aggregates == 0 {
            aggregates = doomed.remove_cells(client).await?;
        }
        let rows = match aggregates {
            0 => doomed.remove_sets(client).await?,
            _ => 0,
        };
        if aggregates + rows > 0 {
            return Ok(Deleted {
                aggregates,
                rows,
                next: None,
            });
        }
    }
    let rows = match below.errored {
        Some(day) => delete_errored(client, SourceDays::below(&ids, day)?).await?,
        None => 0,
    };
    Ok(Deleted {
        rows,
        ..Deleted::default()
    })
}

async fn delete_errored(client: &Client, days: SourceDays) -> Result<u64, Failure> {
    let mut given = Given::default();
    let sql = format!(
        "DELETE FROM highwater_aggregates.errored WHERE ctid = ANY (ARRAY( \
         SELECT e.ctid FROM {} AS d (source, first_day, last_day) JOIN highwater_aggregates.errored e \
         ON e.source = d.source AND e.submission_date BETWEEN d.first_day AND d.last_day LIMIT {DELETED_ROWS}))",
        days.rows(&mut given)
    );
    Ok(client.execute_typed(&sql, &given.typed()).await?)
}

/// The source in each of its epochs.
async fn ids(client: &Client, source: &str) -> Result<Vec<i32>, Failure> {
    let mut given = Given::default();
    let name = given.text(source);
    let sql =
        format!("SELECT id FROM highwater_aggregates.source WHERE sha256(name) = sha256({name}) ORDER BY id");
    let rows = client.query_typed(&sql, &given.typed()).await?;
    let ids: Result<Vec<i32>, _> = rows.iter().map(|row| row.try_get(0)).collect();
    Ok(ids?)
}

/// Days of which there are sets.
pub(super) async fn days(
    client: &Client,
    sources: &[String],
) -> Result<BTreeMap<String, BTreeSet<SubmissionDate>>, Failure> {
    let mut days: BTreeMap<String, BTreeSet<SubmissionDate>> = sources
        .iter()
        .map(|source| (source.clone(), BTreeSet::new()))
        .collect();
    let names = sources.iter().map(|source| source.as_bytes().to_vec());
    let mut given = Given::default();
    let names = given.add(names.collect::<Vec<Vec<u8>>>(), Type::BYTEA_ARRAY);
    let sql = format!(
        "SELECT o.name, s.submission_date FROM highwater_aggregates.source o \
         JOIN highwater_aggregates.dimension_set s ON s.source = o.id WHERE o.name = ANY ({names}) GROUP BY 1, 2"
    );
    for row in client.query_typed(&sql, &given.typed()).await? {
        let day = date(row.try_get::<_, i32>(1)?.into())?;
        days.entry(text(&row, 0)?).or_default().insert(day);
    }
    Ok(days)
}
