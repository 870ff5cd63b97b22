//! Pings by source and day, and what became of them.

use std::collections::{BTreeMap, BTreeSet};

use ping::SubmissionDate;
use postgres_connections::Failure;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::counters::{ERRORED, REFUSED};
use super::ids::column;
use super::in_use::{SourceDays, numbers};
use super::limits::{DELETED_ROWS, ROWS};
use super::listing::text;
use super::slices::slices;
use super::sources;
use crate::stored::unstored;
use crate::{Counters, Days, Epochs, Listed, Source, SourceCounts, SourcePings};

const ADD: &str = "INSERT INTO highwater_aggregates.count_by_day AS c \
     (source, submission_date, folded, repeated, stored_only, errored_pings) SELECT * FROM unnest($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (source, submission_date) DO UPDATE SET folded = c.folded + excluded.folded, \
     repeated = c.repeated + excluded.repeated, stored_only = c.stored_only + excluded.stored_only, \
     errored_pings = c.errored_pings + excluded.errored_pings";
const ADD_REASONS: &str = "INSERT INTO highwater_aggregates.reason_by_day AS c (source, submission_date, kind, reason, count) \
     SELECT * FROM unnest($1, $2, $3, $4, $5) \
     ON CONFLICT (source, submission_date, kind, reason) DO UPDATE SET count = c.count + excluded.count";

/// Rows of a table of counts on days of sources.
macro_rules! on_days {
    ($table:literal) => {
        concat!(
            " FROM unnest($1, $2, $3) AS d (source, first_day, last_day) JOIN highwater_aggregates.",
            $table,
            " c ON c.source = d.source AND c.submission_date BETWEEN d.first_day AND d.last_day"
        )
    };
}
/// Added up.
macro_rules! sums {
    ($by:literal) => {
        concat!(
            "SELECT c.",
            $by,
            ", sum(c.folded)::BIGINT, sum(c.repeated)::BIGINT, sum(c.stored_only)::BIGINT, sum(c.errored_pings)::BIGINT",
            on_days!("count_by_day"),
            " GROUP BY 1"
        )
    };
}

const BY_DAY: &str = sums!("submission_date");
const BY_SOURCE: &str = sums!("source");
const REASONS: &str = concat!(
    "SELECT c.submission_date, c.kind, c.reason, sum(c.count)::BIGINT",
    on_days!("reason_by_day"),
    " GROUP BY 1, 2, 3"
);
const STORED_ONLY: &str = concat!(
    "SELECT c.submission_date, c.source, c.stored_only",
    on_days!("count_by_day"),
    " WHERE c.submission_date = ANY ($4) AND c.stored_only > 0 ORDER BY 1, 2"
);
const TAKE: &str = "UPDATE highwater_aggregates.count_by_day c SET stored_only = c.stored_only - t.pings \
     FROM unnest($1, $2, $3) AS t (source, submission_date, pings) \
     WHERE c.source = t.source AND c.submission_date = t.submission_date";

/// Adds what a batch counted of each source and day.
pub(super) async fn write(
    client: &Client,
    counts: &BTreeMap<(Source, SubmissionDate), SourceCounts>,
) -> Result<(), Failure> {
    let sources: BTreeSet<&Source> = counts.keys().map(|(source, _)| source).collect();
    let ids = sources::counted(client, sources).await?;
    // Some may be counted under one.
    let mut by_day: BTreeMap<(i32, i32), SourceCounts> = BTreeMap::new();
    for ((source, day), counts) in counts {
        let place = (ids[source], column(day.as_yyyymmdd())?);
        by_day.entry(place).or_default().add(counts);
    }
    let rows: Vec<((i32, i32), &Counters)> = by_day
        .iter()
        .map(|(place, counts)| (*place, &counts.counters))
        .collect();
    for slice in rows.chunks(ROWS) {
        write_counters(client, slice).await?;
    }
    let reasons = by_day.iter().flat_map(|(place, counts)| {
        let errored = counts.errored_by_reason.iter().map(|row| (ERRORED, row));
        let refused = counts.refused_by_reason.iter().map(|row| (REFUSED, row));
        let all = errored.chain(refused).filter(|(_, (_, count))| **count != 0);
        all.map(|(kind, (reason, count))| (*place, kind, reason.as_str(), *count))
    });
    let reasons: Vec<Reason<'_>> = reasons.collect();
    for slice in slices(&reasons, |(_, _, reason, _)| reason.len()) {
        write_reasons(client, slice).await?;
    }
    Ok(())
}

async fn write_counters(client: &Client, rows: &[((i32, i32), &Counters)]) -> Result<(), Failure> {
    let (mut sources, mut days): (Vec<i32>, Vec<i32>) = (Vec::new(), Vec::new());
    let mut values: [Vec<i64>; 4] = Default::default();
    for ((source, day), counters) in rows {
        sources.push(*source);
        days.push(*day);
        let Counters {
            folded,
            repeated,
            stored_only,
            errored_pings,
        } = **counters;
        for (column, value) in values
            .iter_mut()
            .zip([folded, repeated, stored_only, errored_pings])
        {
            column.push(value);
        }
    }
    let mut all: Vec<(&(dyn ToSql + Sync), Type)> =
        vec![(&sources, Type::INT4_ARRAY), (&days, Type::INT4_ARRAY)];
    let values = values.each_ref();
    all.extend(values.map(|column| (column as &(dyn ToSql + Sync), Type::INT8_ARRAY)));
    client.execute_typed(ADD, &all).await?;
    Ok(())
}

/// Source and day, kind, reason, count.
type Reason<'a> = ((i32, i32), &'static str, &'a str, i64);

async fn write_reasons(client: &Client, rows: &[Reason<'_>]) -> Result<(), Failure> {
    let (mut sources, mut days): (Vec<i32>, Vec<i32>) = (Vec::new(), Vec::new());
    let (mut kinds, mut reasons, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for ((source, day), kind, reason, count) in rows {
        sources.push(*source);
        days.push(*day);
        kinds.push(*kind);
        reasons.push(reason.as_bytes());
        counts.push(*count);
    }
    let given: [(&(dyn ToSql + Sync), Type); 5] = [
        (&sources, Type::INT4_ARRAY),
        (&days, Type::INT4_ARRAY),
        (&kinds, Type::TEXT_ARRAY),
        (&reasons, Type::BYTEA_ARRAY),
        (&counts, Type::INT8_ARRAY),
    ];
    client.execute_typed(ADD_REASONS, &given).await?;
    Ok(())
}

/// Pings of each source over all days in use; of more than `limit` sources those with the most.
pub(super) async fn read(
    client: &Client,
    epochs: &Epochs,
    limit: usize,
) -> Result<Listed<SourcePings>, Failure> {
    let stored = sources::all(client).await?;
    let days = SourceDays::used(epochs, &stored)?.and_deleted(&stored);
    let by_id: BTreeMap<i32, Source> = stored.into_iter().collect();
    let mut pings: BTreeMap<Source, Counters> = BTreeMap::new();
    for row in client.query_typed(BY_SOURCE, &days.typed()).await? {
        let id: i32 = row.try_get(0)?;
        if let Some(source) = by_id.get(&id) {
            pings.entry(source.in_epoch(0)).or_default().add(&counters(&row)?);
        }
    }
    Ok(SourcePings::largest(pings, limit))
}

/// Reads counters behind the first column.
fn counters(row: &Row) -> Result<Counters, Failure> {
    Ok(Counters {
        folded: row.try_get(1)?,
        repeated: row.try_get(2)?,
        stored_only: row.try_get(3)?,
        errored_pings: row.try_get(4)?,
    })
}

/// What was counted of sources on their days, by day; the reasons, too.
pub(super) async fn sums(client: &Client, days: &SourceDays) -> Result<BTreeMap<u32, SourceCounts>, Failure> {
    let day = |row: &Row| -> Result<u32, Failure> { Ok(unstored(row.try_get::<_, i32>(0)?.into())?) };
    let mut by_day: BTreeMap<u32, SourceCounts> = BTreeMap::new();
    for row in client.query_typed(BY_DAY, &days.typed()).await? {
        by_day.entry(day(&row)?).or_default().counters = counters(&row)?;
    }
    for row in client.query_typed(REASONS, &days.typed()).await? {
        let counts = by_day.entry(day(&row)?).or_default();
        let reasons = match row.try_get(1)? {
            REFUSED => &mut counts.refused_by_reason,
            _ => &mut counts.errored_by_reason,
        };
        reasons.insert(text(&row, 2)?, row.try_get(3)?);
    }
    Ok(by_day)
}

/// Takes pings that are only stored away, so many of each day at most, from sources on their days; answers how many there were.
pub(super) async fn take_stored_only(
    client: &Client,
    days: &SourceDays,
    wanted: &BTreeMap<u32, u64>,
) -> Result<i64, Failure> {
    let mut left: BTreeMap<i32, i64> = BTreeMap::new();
    for (day, pings) in wanted {
        left.insert(column(*day)?, i64::try_from(*pings).unwrap_or(i64::MAX));
    }
    let of_days: Vec<i32> = left.keys().copied().collect();
    let mut given = days.typed().to_vec();
    given.push((&of_days, Type::INT4_ARRAY));
    let (mut sources, mut taken_of, mut taken) = (Vec::new(), Vec::new(), Vec::new());
    for row in client.query_typed(STORED_ONLY, &given).await? {
        let (day, source, stored_only): (i32, i32, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let left = left.entry(day).or_default();
        let pings = stored_only.min(*left);
        *left -= pings;
        sources.push(source);
        taken_of.push(day);
        taken.push(pings);
    }
    let given: [(&(dyn ToSql + Sync), Type); 3] = [
        (&sources, Type::INT4_ARRAY),
        (&taken_of, Type::INT4_ARRAY),
        (&taken, Type::INT8_ARRAY),
    ];
    client.execute_typed(TAKE, &given).await?;
    Ok(taken.iter().sum())
}

/// What has a source and a day in each row.
const TABLES: [&str; 2] = ["count_by_day", "reason_by_day"];

/// Forgets what was counted of these sources on some days.
pub(super) async fn remove(client: &Client, sources: &[i32], days: Days) -> Result<(), Failure> {
    let (first, last) = numbers(days)?;
    for table in TABLES {
        let sql = format!(
            "DELETE FROM highwater_aggregates.{table} \
             WHERE source = ANY ($1) AND submission_date BETWEEN $2 AND $3"
        );
        let given: [(&(dyn ToSql + Sync), Type); 3] = [
            (&sources, Type::INT4_ARRAY),
            (&first, Type::INT4),
            (&last, Type::INT4),
        ];
        client.execute_typed(&sql, &given).await?;
    }
    Ok(())
}

/// Forgets some of what was counted of sources on their days; answers how many rows went.
pub(super) async fn remove_some(client: &Client, days: &SourceDays) -> Result<u64, Failure> {
    let mut rows = 0;
    for table in TABLES {
        let sql = format!(
            "DELETE FROM highwater_aggregates.{table} WHERE ctid = ANY (ARRAY( \
             SELECT c.ctid FROM unnest($1, $2, $3) AS d (source, first_day, last_day) \
             JOIN highwater_aggregates.{table} c ON c.source = d.source \
             AND c.submission_date BETWEEN d.first_day AND d.last_day LIMIT {DELETED_ROWS}))"
        );
        rows += client.execute_typed(&sql, &days.typed()).await?;
    }
    Ok(rows)
}

/// All that is counted now, of all sources and days.
pub(super) async fn total(client: &Client, epochs: &Epochs) -> Result<SourceCounts, Failure> {
    let stored = sources::all(client).await?;
    let days = SourceDays::used(epochs, &stored)?.and_deleted(&stored);
    let mut total = SourceCounts::default();
    for counts in sums(client, &days).await?.values() {
        total.add(counts);
    }
    Ok(total)
}
