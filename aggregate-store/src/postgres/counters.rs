//! The counters and the counts by reason.

use std::collections::BTreeMap;

use ping::Timestamp;
use postgres_connections::Failure;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::listing::text;
use crate::{Batch, Counters, SourceCounts, Status};

const COUNTER: &str = "counter";
pub(super) const ERRORED: &str = "errored";
pub(super) const REFUSED: &str = "refused";

const FOLDED: &str = "folded";
const REPEATED: &str = "repeated";
const STORED_ONLY: &str = "stored_only";
const ERRORED_PINGS: &str = "errored_pings";
const NEWEST_RECEIVED: &str = "newest_received";

const ADD: &str = "INSERT INTO highwater_aggregates.counter AS c (kind, name, count) SELECT * FROM unnest($1, $2, $3) \
     ON CONFLICT (kind, name) DO UPDATE SET count = c.count + excluded.count";
const RAISE: &str = "INSERT INTO highwater_aggregates.counter AS c (kind, name, count) SELECT * FROM unnest($1, $2, $3) \
     ON CONFLICT (kind, name) DO UPDATE SET count = GREATEST(c.count, excluded.count)";
const REMOVE: &str = "DELETE FROM highwater_aggregates.counter WHERE count = 0 AND kind <> 'counter'";
const CLEAR: &str =
    "DELETE FROM highwater_aggregates.counter WHERE kind <> 'counter' OR name <> 'newest_received'::BYTEA";
const READ_ONE: &str = "SELECT count FROM highwater_aggregates.counter WHERE kind = $1 AND name = $2";
const READ: &str = "SELECT kind, name, count FROM highwater_aggregates.counter";

/// Adds what a batch counted.
pub(super) async fn write(client: &Client, batch: &Batch) -> Result<(), Failure> {
    let Counters {
        folded,
        repeated,
        stored_only,
        errored_pings,
    } = batch.counters;
    let counters = [
        (COUNTER, FOLDED, folded),
        (COUNTER, REPEATED, repeated),
        (COUNTER, STORED_ONLY, stored_only),
        (COUNTER, ERRORED_PINGS, errored_pings),
    ];
    let errored = batch.errored_by_reason.iter();
    let refused = batch.refused_by_reason.iter();
    let changes = counters
        .into_iter()
        .chain(errored.map(|(reason, change)| (ERRORED, reason.as_str(), *change)))
        .chain(refused.map(|(reason, change)| (REFUSED, reason.as_str(), *change)));
    write_rows(client, ADD, changes.filter(|(_, _, change)| *change != 0)).await?;
    client.execute_typed(REMOVE, &[]).await?;
    let newest = batch.newest_received.into_iter();
    write_rows(
        client,
        RAISE,
        newest.map(|received| (COUNTER, NEWEST_RECEIVED, received.as_micros())),
    )
    .await
}

async fn write_rows<'a>(
    client: &Client,
    statement: &str,
    changes: impl Iterator<Item = (&'a str, &'a str, i64)>,
) -> Result<(), Failure> {
    let (mut kinds, mut names, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (kind, name, value) in changes {
        kinds.push(kind);
        names.push(name.as_bytes());
        values.push(value);
    }
    if kinds.is_empty() {
        return Ok(());
    }
    let given: [(&(dyn ToSql + Sync), Type); 3] = [
        (&kinds, Type::TEXT_ARRAY),
        (&names, Type::BYTEA_ARRAY),
        (&values, Type::INT8_ARRAY),
    ];
    client.execute_typed(statement, &given).await?;
    Ok(())
}

/// Changes what was counted of all sources by what one of them counts otherwise now.
pub(super) async fn change(client: &Client, change: &SourceCounts) -> Result<(), Failure> {
    let change = Batch {
        counters: change.counters,
        errored_by_reason: change.errored_by_reason.clone(),
        refused_by_reason: change.refused_by_reason.clone(),
        ..Batch::default()
    };
    write(client, &change).await
}

/// Has the sums over all sources be these: whatever was counted otherwise is forgotten.
pub(super) async fn put(client: &Client, total: &SourceCounts) -> Result<(), Failure> {
    client.execute_typed(CLEAR, &[]).await?;
    change(client, total).await
}

/// When the newest ping was received that is counted.
pub(super) async fn newest_received(client: &Client) -> Result<Option<Timestamp>, Failure> {
    let given: [(&(dyn ToSql + Sync), Type); 2] =
        [(&COUNTER, Type::TEXT), (&NEWEST_RECEIVED.as_bytes(), Type::BYTEA)];
    let rows = client.query_typed(READ_ONE, &given).await?;
    let micros = rows.first().map(|row| row.try_get(0)).transpose()?;
    Ok(micros.map(Timestamp::from_micros))
}

/// Everything counted.
pub(super) async fn status(client: &Client) -> Result<Status, Failure> {
    let mut counters: BTreeMap<String, i64> = BTreeMap::new();
    let mut status = Status::default();
    for row in client.query_typed(READ, &[]).await? {
        let (kind, name, value) = (row.try_get(0)?, text(&row, 1)?, row.try_get(2)?);
        match kind {
            ERRORED => status.errored_by_reason.insert(name, value),
            REFUSED => status.refused_by_reason.insert(name, value),
            _ => counters.insert(name, value),
        };
    }
    let counter = |name: &str| counters.get(name).copied().unwrap_or(0);
    status.counters = Counters {
        folded: counter(FOLDED),
        repeated: counter(REPEATED),
        stored_only: counter(STORED_ONLY),
        errored_pings: counter(ERRORED_PINGS),
    };
    status.newest_received = counters.get(NEWEST_RECEIVED).copied().map(Timestamp::from_micros);
    Ok(status)
}
