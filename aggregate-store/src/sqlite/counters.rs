//! The counters and the counts by reason.

use std::collections::BTreeMap;

use ping::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::layer::Part;
use crate::{AggregateError, Batch, Counters, SourceCounts, Status};

const FOLDED: &str = "folded";
const REPEATED: &str = "repeated";
const STORED_ONLY: &str = "stored_only";
const ERRORED_PINGS: &str = "errored_pings";
const NEWEST_RECEIVED: &str = "newest_received";

pub(super) const ERRORED: &str = "errored";
pub(super) const REFUSED: &str = "refused";

/// Adds what a batch counted.
pub(super) fn write(connection: &Connection, batch: &Batch) -> Result<(), AggregateError> {
    let Counters {
        folded,
        repeated,
        stored_only,
        errored_pings,
    } = batch.counters;
    let mut add = connection.prepare_cached(
        "INSERT INTO counter (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = value + excluded.value",
    )?;
    for (name, change) in [
        (FOLDED, folded),
        (REPEATED, repeated),
        (STORED_ONLY, stored_only),
        (ERRORED_PINGS, errored_pings),
    ] {
        add.execute(params![name, change])?;
    }
    if let Some(received) = batch.newest_received {
        connection
            .prepare_cached(
                "INSERT INTO counter (name, value) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
            )?
            .execute(params![NEWEST_RECEIVED, received.as_micros()])?;
    }
    write_reasons(connection, ERRORED, &batch.errored_by_reason)?;
    write_reasons(connection, REFUSED, &batch.refused_by_reason)
}

fn write_reasons(
    connection: &Connection,
    kind: &str,
    changes: &BTreeMap<String, i64>,
) -> Result<(), AggregateError> {
    let mut add = connection.prepare_cached(
        "INSERT INTO reason (kind, reason, count) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET count = count + excluded.count",
    )?;
    for (reason, change) in changes {
        add.execute(params![kind, reason, change])?;
    }
    connection
        .prepare_cached("DELETE FROM reason WHERE kind = ?1 AND count = 0")?
        .execute([kind])?;
    Ok(())
}

/// Changes what was counted of all sources by what one of them counts otherwise now.
pub(super) fn change(connection: &Connection, change: &SourceCounts) -> Result<(), AggregateError> {
    write(
        connection,
        &Batch {
            counters: change.counters,
            errored_by_reason: change.errored_by_reason.clone(),
            refused_by_reason: change.refused_by_reason.clone(),
            ..Batch::default()
        },
    )
}

/// Has the sums over all sources be these: whatever was counted otherwise is forgotten.
pub(super) fn put(connection: &Connection, total: &SourceCounts) -> Result<(), AggregateError> {
    connection.execute("DELETE FROM counter WHERE name <> ?1", [NEWEST_RECEIVED])?;
    connection.execute("DELETE FROM reason", [])?;
    change(connection, total)
}

/// Everything counted.
pub(super) fn status(connection: &Connection, held: &[&Part]) -> Result<Status, AggregateError> {
    let mut status = stored_status(connection)?;
    for part in held {
        let batch = part.batch();
        status.counters.add(&batch.counters);
        add_reasons(&mut status.errored_by_reason, &batch.errored_by_reason);
        add_reasons(&mut status.refused_by_reason, &batch.refused_by_reason);
        status.newest_received = status.newest_received.max(batch.newest_received);
    }
    Ok(status)
}

/// When the newest ping was received that is counted.
pub(super) fn newest_received(
    connection: &Connection,
    held: &[&Part],
) -> Result<Option<Timestamp>, AggregateError> {
    let stored = stored_value(connection, NEWEST_RECEIVED)?.map(Timestamp::from_micros);
    let held = held.iter().map(|part| part.batch().newest_received);
    Ok(held.fold(stored, Option::max))
}

fn add_reasons(reasons: &mut BTreeMap<String, i64>, changes: &BTreeMap<String, i64>) {
    for (reason, change) in changes {
        *reasons.entry(reason.clone()).or_default() += change;
    }
    reasons.retain(|_, count| *count != 0);
}

fn stored_value(connection: &Connection, name: &str) -> Result<Option<i64>, AggregateError> {
    let value = connection
        .prepare_cached("SELECT value FROM counter WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(value)
}

fn stored_status(connection: &Connection) -> Result<Status, AggregateError> {
    let value = |name: &str| stored_value(connection, name);
    Ok(Status {
        counters: Counters {
            folded: value(FOLDED)?.unwrap_or(0),
            repeated: value(REPEATED)?.unwrap_or(0),
            stored_only: value(STORED_ONLY)?.unwrap_or(0),
            errored_pings: value(ERRORED_PINGS)?.unwrap_or(0),
        },
        errored_by_reason: reasons(connection, ERRORED)?,
        refused_by_reason: reasons(connection, REFUSED)?,
        newest_received: value(NEWEST_RECEIVED)?.map(Timestamp::from_micros),
    })
}

fn reasons(connection: &Connection, kind: &str) -> Result<BTreeMap<String, i64>, AggregateError> {
    let mut statement = connection.prepare_cached("SELECT reason, count FROM reason WHERE kind = ?1")?;
    let reasons = statement.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(reasons.collect::<Result<_, _>>()?)
}
