//! The partitions of the entries, one for each month of submission: made when the first chunk of a month comes, dropped
//! whole below the floors.

use ping::SubmissionDate;
use postgres_connections::{Connections, Failure, Transaction};
use tokio_postgres::Row;

use super::{floors, gate, limits, row};
use crate::Floors;

const MAKE: &str = "SELECT highwater_index.make_month($1)";

/// The months that have partitions, the oldest first, each with the sums of its days.
const MONTHS: &str = "SELECT right(p.relname, 6), COALESCE(SUM(d.chunks), 0)::BIGINT, COALESCE(SUM(d.records), 0)::BIGINT, \
     COALESCE(SUM(d.stored_bytes), 0)::BIGINT FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid \
     LEFT JOIN highwater_index.day_sum d ON left(d.submission_date, 6) = right(p.relname, 6) \
     WHERE i.inhparent = 'highwater_index.chunk'::REGCLASS GROUP BY p.relname ORDER BY p.relname";

/// What a month has besides its partition. Rows that wait below the floors stopped waiting when those were raised; what
/// a rebuild by name made wait again goes here.
const CLEAR: [&str; 4] = [
    "DELETE FROM highwater_index.pending WHERE left(submission_date, 6) = $1",
    "DELETE FROM highwater_index.set_aside WHERE left(submission_date, 6) = $1",
    "DELETE FROM highwater_index.unreadable WHERE left(submission_date, 6) = $1",
    "DELETE FROM highwater_index.day_sum WHERE left(submission_date, 6) = $1",
];
const ADD_REMOVED: &str = "UPDATE highwater_index.totals SET removed_chunks = removed_chunks + $1, \
     removed_records = removed_records + $2, removed_stored_bytes = removed_stored_bytes + $3";

/// Ids of months below the first day: they hinder nobody, for what is below the floors is refused before ids are looked at.
const SWEEP: &str = "DELETE FROM highwater_index.chunk_day WHERE ctid = ANY (ARRAY(SELECT ctid FROM highwater_index.chunk_day \
     WHERE submission_date < $1 LIMIT $2))";

/// A month of entries that was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedMonth {
    /// `YYYYMM`.
    pub month: String,
    /// Chunks that it had.
    pub chunks: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes as stored.
    pub stored_bytes: u64,
}

/// Makes months where they are missing. Many may ask at once; nobody who reads or writes waits.
pub(super) async fn make(connections: &Connections, months: &[String]) -> Result<(), Failure> {
    connections
        .read(months, |client, months| {
            Box::pin(async move {
                for month in *months {
                    client.execute(MAKE, &[month]).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Drops months that lie wholly below the floors of pings and of errors; with `only_empty`, of these only those that
/// have no entries any more.
pub(super) async fn drop_below(
    connections: &Connections,
    only_empty: bool,
) -> Result<Vec<DroppedMonth>, Failure> {
    let dropped = connections
        .write(gate::ALONE, only_empty, |transaction, only_empty| {
            Box::pin(drop_all_below(transaction, *only_empty))
        })
        .await?;
    if let Some(last) = dropped.last() {
        let end = format!("{}32", last.month);
        while connections
            .write(gate::SHARED, end.as_str(), |transaction, end| {
                Box::pin(async move { Ok(transaction.execute(SWEEP, &[end, &limits::SWEEP]).await?) })
            })
            .await?
            > 0
        {}
    }
    Ok(dropped)
}

async fn drop_all_below(
    transaction: &Transaction<'_>,
    only_empty: bool,
) -> Result<Vec<DroppedMonth>, Failure> {
    let floors = floors::floors(transaction).await?;
    let mut dropped = Vec::new();
    for month in months(transaction).await? {
        if is_below(&month.month, &floors) && (month.chunks == 0 || !only_empty) {
            drop_month(transaction, &month).await?;
            dropped.push(month);
        }
    }
    Ok(dropped)
}

async fn months(transaction: &Transaction<'_>) -> Result<Vec<DroppedMonth>, Failure> {
    let rows = transaction.query(MONTHS, &[]).await?;
    let read = |row: &Row| -> Result<_, Failure> {
        Ok(DroppedMonth {
            month: row.try_get(0)?,
            chunks: row::count(row, 1)?,
            records: row::count(row, 2)?,
            stored_bytes: row::count(row, 3)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Whether all days of a month lie below both floors of objects.
fn is_below(month: &str, floors: &Floors) -> bool {
    let end = format!("{month}32");
    let is_below = |floor: Option<SubmissionDate>| floor.is_some_and(|floor| end <= floor.to_string());
    is_below(floors.pings) && is_below(floors.errors)
}

async fn drop_month(transaction: &Transaction<'_>, month: &DroppedMonth) -> Result<(), Failure> {
    let DroppedMonth {
        month,
        chunks,
        records,
        stored_bytes,
    } = month;
    // Questions that come while this waits for those that run wait behind it, so it does not wait long.
    let wait = limits::DROP_LOCK_TIMEOUT.as_millis();
    transaction
        .batch_execute(&format!(
            "SET LOCAL lock_timeout = {wait}; DROP TABLE highwater_index.chunk_{month}"
        ))
        .await?;
    for clear in CLEAR {
        transaction.execute(clear, &[month]).await?;
    }
    let sums = [*chunks, *records, *stored_bytes].map(row::integer);
    let [chunks, records, stored_bytes] = sums;
    transaction
        .execute(ADD_REMOVED, &[&chunks?, &records?, &stored_bytes?])
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_below_when_its_last_day_is_below_both_floors() {
        let day = |text: &str| Some(text.parse().expect("a date"));
        let floors = |pings, errors| Floors {
            pings,
            errors,
            aggregates: None,
        };
        let first = day("20170201");
        assert!(is_below("201701", &floors(first, first)));
        assert!(is_below("201612", &floors(first, day("20170101"))));
        assert!(!is_below("201701", &floors(first, day("20170131"))));
        assert!(!is_below("201701", &floors(first, None)));
        assert!(!is_below("201702", &floors(first, first)));
    }
}
