//! Deletes by submission date. A day's dimension sets have neighbouring ids, so its cells of one metric lie together:
//! cells are deleted metric by metric.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use ping::SubmissionDate;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::SqliteAggregates;
use super::commit::Writer;
use super::limits::{DELETED_CELLS, DELETED_ROWS, DELETED_SETS, WALKED_ROWS};
use super::met_sets::MetSets;
use super::users::{CLIENTS, USERS};
use super::{listing, retain_sources, sets};
use crate::listing::{Listing, METRIC, SUBMISSION_DATE};
use crate::retain::Stage;
use crate::stored::{date, unstored};
use crate::{AggregateError, Below, BelowOfSource, DayBytes, DeletePlace, Deleted, RetainAggregates};

#[async_trait]
impl RetainAggregates for SqliteAggregates {
    async fn delete_below(&self, below: &Below, at: DeletePlace) -> Result<Deleted, AggregateError> {
        let below = *below;
        self.write("delete what is below the floor", move |writer| {
            delete(writer, &below, at.0)
        })
        .await
    }

    async fn delete_of_sources(&self, below: &[BelowOfSource]) -> Result<Deleted, AggregateError> {
        let below = below.to_vec();
        self.write("delete what is below floors of sources", move |writer| {
            let deleted = retain_sources::delete(&mut writer.connection, &below)?;
            // Rows of dictionaries are gone.
            writer.forget_ids();
            Ok(deleted)
        })
        .await
    }

    async fn days_of_sources(
        &self,
        sources: &[String],
    ) -> Result<BTreeMap<String, BTreeSet<SubmissionDate>>, AggregateError> {
        let sources = sources.to_vec();
        self.read("list days of sources", move |connection| {
            retain_sources::days(connection, &sources)
        })
        .await
    }

    async fn days(&self) -> Result<Vec<SubmissionDate>, AggregateError> {
        self.read("list days", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT DISTINCT value FROM listing WHERE dimension = ?1
                 UNION SELECT DISTINCT submission_date FROM dimension_set AS s
                 WHERE EXISTS (SELECT 1 FROM union_value AS u
                  WHERE u.kind = ?2 AND u.projection = ?3 AND u.dimension_set = s.id) ORDER BY 1",
            )?;
            let days = statement.query_map(params![SUBMISSION_DATE, CLIENTS, USERS], |row| row.get(0))?;
            days.map(|day| date(day?)).collect()
        })
        .await
    }

    async fn day_bytes(&self) -> Result<Vec<DayBytes>, AggregateError> {
        self.read("measure the aggregates", |connection| {
            by_day(connection, DAY_BYTES)
        })
        .await
    }

    async fn copy_bytes(&self) -> Result<Vec<DayBytes>, AggregateError> {
        self.read("measure the copies", |connection| by_day(connection, COPY_BYTES))
            .await
    }
}

/// What rows take by day. A row's keys, and its part of pages that are never quite full, come to its value; a dimension
/// set stands in two indexes besides.
const DAY_BYTES: &str = "SELECT day, SUM(bytes) FROM (
         SELECT d.submission_date AS day, SUM(length(c.value) + 40) AS bytes FROM cell c
         JOIN dimension_set d ON d.id = c.dimension_set GROUP BY 1
         UNION ALL SELECT d.submission_date, SUM(length(image) + 60) FROM union_value u
         JOIN dimension_set d ON d.id = u.dimension_set GROUP BY 1
         UNION ALL SELECT submission_date, SUM(length(packed) * 2 + 80) FROM dimension_set GROUP BY 1
     ) GROUP BY day ORDER BY day";
const COPY_BYTES: &str = "SELECT submission_date, COUNT(*) * 70 FROM seen GROUP BY 1 ORDER BY 1";

fn by_day(connection: &Connection, sql: &str) -> Result<Vec<DayBytes>, AggregateError> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
    rows.map(|row| {
        let (day, bytes) = row?;
        Ok(DayBytes {
            date: date(day)?,
            bytes: unstored(bytes)?,
        })
    })
    .collect()
}

/// One slice in one transaction.
fn delete(writer: &mut Writer, below: &Below, stage: Stage) -> Result<Deleted, AggregateError> {
    let renames = matches!(stage, Stage::Sets | Stage::Folded);
    let transaction = writer
        .connection
        .transaction_with_behavior(TransactionBehavior::Immediate)?;
    let slice = Slice {
        transaction: &transaction,
        aggregates: below.aggregates.map_or(0, SubmissionDate::as_yyyymmdd),
        errored: below.errored.map_or(0, SubmissionDate::as_yyyymmdd),
        seen: below.seen.map_or(0, SubmissionDate::as_yyyymmdd),
        chunks: below.chunks.map_or(0, SubmissionDate::as_yyyymmdd),
        error_chunks: below.error_chunks.map_or(0, SubmissionDate::as_yyyymmdd),
    };
    let deleted = slice.delete(stage)?;
    transaction.commit()?;
    if renames {
        // Rows of dictionaries are gone: their ids may name others from now on.
        writer.forget_ids();
    }
    Ok(deleted)
}

/// Days are numbers YYYYMMDD; nothing lies below 0.
struct Slice<'a> {
    transaction: &'a Transaction<'a>,
    aggregates: u32,
    errored: u32,
    seen: u32,
    chunks: u32,
    error_chunks: u32,
}

impl Slice<'_> {
    fn delete(&self, stage: Stage) -> Result<Deleted, AggregateError> {
        match stage {
            Stage::Users => {
                let users = self.delete_rows(
                    "DELETE FROM union_value WHERE id IN (SELECT u.id FROM dimension_set AS s CROSS JOIN union_value AS u
                     ON u.dimension_set = s.id WHERE s.submission_date < ?1 LIMIT ?2)",
                    self.aggregates,
                )?;
                Ok(Deleted {
                    aggregates: users,
                    ..Deleted::then(if users > 0 {
                        Stage::Users
                    } else {
                        Stage::Cells(0, -1)
                    })
                })
            }
            Stage::Cells(metric, set) => self.delete_cells(metric, set),
            Stage::Sets => self.delete_sets(),
            Stage::Errored => {
                let rows = self.delete_rows(
                    "DELETE FROM errored WHERE (incarnation, sequence) IN
                     (SELECT incarnation, sequence FROM errored WHERE submission_date < ?1 LIMIT ?2)",
                    self.errored,
                )?;
                let next = if rows > 0 {
                    Stage::Errored
                } else {
                    Stage::Seen(Vec::new())
                };
                Ok(Deleted {
                    rows,
                    ..Deleted::then(next)
                })
            }
            Stage::Seen(after) => self.delete_seen(&after),
            Stage::Folded => self.delete_folded(),
        }
    }

    fn delete_rows(&self, sql: &str, below: u32) -> Result<u64, AggregateError> {
        let rows = self
            .transaction
            .prepare_cached(sql)?
            .execute(params![below, DELETED_ROWS])?;
        Ok(rows as u64)
    }

    /// Cells of the metrics after `metric`, and of that one after the dimension set `set`.
    fn delete_cells(&self, metric: i64, set: i64) -> Result<Deleted, AggregateError> {
        if sets::below(self.transaction, self.aggregates, 1)?.is_empty() {
            return Ok(Deleted::then(Stage::Errored));
        }
        let mut sets = MetSets::of(self.transaction);
        let mut listed = Listing::default();
        let (mut deleted, mut after) = (0, set);
        let mut metrics = self.transaction.prepare_cached(
            "SELECT DISTINCT value FROM listing WHERE dimension = ?1 AND value >= ?2 ORDER BY value",
        )?;
        let metrics = metrics.query_map([METRIC, metric], |row| row.get(0))?;
        let metrics = metrics.collect::<Result<Vec<i64>, _>>()?;
        let mut next = Stage::Sets;
        for metric in metrics {
            let of_metric = self.delete_of_metric(metric, after, &mut sets, &mut listed, &mut deleted)?;
            if let Some(last) = of_metric {
                next = Stage::Cells(metric, last);
                break;
            }
            after = -1;
        }
        listing::write(listed, self.transaction)?;
        Ok(Deleted {
            aggregates: deleted,
            ..Deleted::then(next)
        })
    }

    /// Cells of one metric in sets after `after`; answers the last set when the slice is full.
    fn delete_of_metric(
        &self,
        metric: i64,
        after: i64,
        sets: &mut MetSets<'_>,
        listed: &mut Listing,
        deleted: &mut u64,
    ) -> Result<Option<i64>, AggregateError> {
        let mut count = self.transaction.prepare_cached(
            "SELECT d.id, c.process, COUNT(*) FROM dimension_set d
             CROSS JOIN cell c ON c.metric = ?1 AND c.dimension_set = d.id
             WHERE d.submission_date < ?2 AND d.id > ?3 GROUP BY d.id, c.process ORDER BY d.id, c.process",
        )?;
        let mut rows = count.query(params![metric, self.aggregates, after])?;
        let (mut last, mut full) = (None, false);
        while let Some(row) = rows.next()? {
            let (set, cells): (i64, i64) = (row.get(0)?, row.get(2)?);
            if *deleted >= DELETED_CELLS && last != Some(set) {
                full = true;
                break;
            }
            let ids = sets.ids(set)?;
            listed.count(&ids, unstored(metric)?, unstored(row.get(1)?)?, -cells);
            *deleted += unstored::<u64>(cells)?;
            last = Some(set);
        }
        if let Some(last) = last {
            let mut delete = self.transaction.prepare_cached(
                "DELETE FROM cell WHERE metric = ?1 AND dimension_set IN
                 (SELECT id FROM dimension_set WHERE submission_date < ?2 AND id > ?3 AND id <= ?4)",
            )?;
            delete.execute(params![metric, self.aggregates, after, last])?;
        }
        Ok(if full { last.or(Some(after)) } else { None })
    }

    /// Dimension sets that no cell and no sketch names any more.
    fn delete_sets(&self) -> Result<Deleted, AggregateError> {
        let oldest = sets::below(self.transaction, self.aggregates, DELETED_SETS)?;
        let metrics = listing::metrics(self.transaction)?;
        let mut named = self
            .transaction
            .prepare_cached("SELECT 1 FROM cell WHERE metric = ?1 AND dimension_set = ?2 LIMIT 1")?;
        let mut of_users = self
            .transaction
            .prepare_cached("SELECT 1 FROM union_value WHERE dimension_set = ?1 LIMIT 1")?;
        let mut remove = self
            .transaction
            .prepare_cached("DELETE FROM dimension_set WHERE id = ?1")?;
        let mut gone = Vec::new();
        for set in &oldest {
            let mut is_named = of_users.exists([set.id])?;
            for (metric, _) in &metrics {
                is_named |= named.exists(params![metric, set.id])?;
            }
            if !is_named {
                remove.execute([set.id])?;
                gone.push(set.clone());
            }
        }
        sets::remove_members(self.transaction, &gone)?;
        let rows = gone.len() as u64;
        // A set that still has cells came back after its turn: the next run deletes it.
        let is_last = oldest.is_empty() || rows == 0;
        let next = if is_last { Stage::Errored } else { Stage::Sets };
        Ok(Deleted {
            rows,
            ..Deleted::then(next)
        })
    }

    /// Walks copies by document, a stretch at a time.
    fn delete_seen(&self, after: &[u8]) -> Result<Deleted, AggregateError> {
        if self.seen == 0 {
            return Ok(Deleted::then(Stage::Folded));
        }
        let end: Option<Vec<u8>> = self
            .transaction
            .prepare_cached(
                "SELECT document FROM seen WHERE document > ?1 ORDER BY document LIMIT 1 OFFSET ?2",
            )?
            .query_row(params![after, WALKED_ROWS], |row| row.get(0))
            .optional()?;
        let mut delete = self.transaction.prepare_cached(
            "DELETE FROM seen WHERE document > ?1 AND (?2 IS NULL OR document <= ?2) AND submission_date < ?3",
        )?;
        let rows = delete.execute(params![after, end, self.seen])? as u64;
        let next = end.map_or(Stage::Folded, Stage::Seen);
        Ok(Deleted {
            rows,
            ..Deleted::then(next)
        })
    }

    /// Folded chunks. Their identities go, too, unless copies and errored pings may name them still, as those of a chunk of
    /// errored pings that is deleted first: then they stay until the floor of copies has passed their day.
    fn delete_folded(&self) -> Result<Deleted, AggregateError> {
        let mut find = self.transaction.prepare_cached(
            "SELECT chunk, submission_date FROM folded WHERE submission_date <
             CASE WHEN key LIKE '%/errors/v1/submission_date=%' THEN ?1 ELSE ?2 END
             AND submission_date < max(?1, ?2) LIMIT ?3",
        )?;
        let chunks = find.query_map(params![self.error_chunks, self.chunks, DELETED_ROWS], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        let chunks = chunks.collect::<Result<Vec<(i64, u32)>, _>>()?;
        let mut folded = self
            .transaction
            .prepare_cached("DELETE FROM folded WHERE chunk = ?1")?;
        let mut retried = self
            .transaction
            .prepare_cached("DELETE FROM retried WHERE chunk = ?1")?;
        let mut gone = self
            .transaction
            .prepare_cached("UPDATE chunk SET gone = ?2 WHERE id = ?1")?;
        for (chunk, day) in &chunks {
            folded.execute([chunk])?;
            retried.execute([chunk])?;
            gone.execute(params![chunk, day])?;
        }
        let identities = self.delete_rows(
            "DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE gone < ?1 LIMIT ?2)",
            self.seen,
        )?;
        let is_last = chunks.is_empty() && identities == 0;
        Ok(Deleted {
            aggregates: 0,
            rows: chunks.len() as u64,
            next: (!is_last).then_some(DeletePlace(Stage::Folded)),
        })
    }
}

impl Deleted {
    const fn then(stage: Stage) -> Self {
        Self {
            aggregates: 0,
            rows: 0,
            next: Some(DeletePlace(stage)),
        }
    }
}
