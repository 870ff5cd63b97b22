//! Deletes by submission date.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use ping::SubmissionDate;
use postgres_connections::Failure;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::doomed::Doomed;
use super::ids::column;
use super::limits::{DELETED_ROWS, WALKED_ROWS};
use super::users::clients;
use super::{PostgresAggregates, retain_sources};
use crate::retain::Stage;
use crate::stored::{date, unstored};
use crate::{AggregateError, Below, BelowOfSource, DayBytes, DeletePlace, Deleted, RetainAggregates};

const ERRORED: &str = "DELETE FROM highwater_aggregates.errored WHERE ctid = ANY (ARRAY( \
     SELECT ctid FROM highwater_aggregates.errored WHERE submission_date < $1 LIMIT $2))";
const SEEN_END: &str =
    "SELECT document FROM highwater_aggregates.seen WHERE document > $1 ORDER BY document LIMIT 1 OFFSET $2";
const SEEN: &str = "DELETE FROM highwater_aggregates.seen WHERE document > $1 AND ($2::BYTEA IS NULL OR document <= $2) \
     AND submission_date < $3";
const FOLDED: &str = "WITH gone AS ( \
         DELETE FROM highwater_aggregates.folded WHERE ctid = ANY (ARRAY( \
             SELECT ctid FROM highwater_aggregates.folded WHERE submission_date < GREATEST($1::INT, $2::INT) \
             AND submission_date < CASE WHEN is_errors THEN $1 ELSE $2 END LIMIT $3)) \
         RETURNING incarnation, boot, plan \
     ), retried AS (DELETE FROM highwater_aggregates.retried r USING gone g \
         WHERE r.incarnation = g.incarnation AND r.boot = g.boot AND r.plan = g.plan \
     ) SELECT COUNT(*) FROM gone";
const DAYS: &str = concat!(
    "SELECT value FROM highwater_aggregates.listing WHERE dimension = -3 \
     UNION SELECT s.submission_date FROM highwater_aggregates.union_value u \
     JOIN highwater_aggregates.dimension_set s ON s.id = u.dimension_set WHERE ",
    clients!(),
    " ORDER BY 1"
);

/// What rows take by day, counted row by row: the size of a table tells nothing of what deletion has freed within it. To each value
/// come its row's header and key, its pointer and its entries in indexes; a pair stands in its row, in the key of its set, and in the
/// index of pairs. The size of a whole row is not asked: one that passed a sort or the inner side of a hash join is three bytes shorter.
const DAY_BYTES: &str = "SELECT day, SUM(bytes)::BIGINT FROM ( \
         SELECT s.submission_date AS day, SUM(pg_column_size(c.value) + 84) AS bytes FROM highwater_aggregates.cell c \
         JOIN highwater_aggregates.dimension_set s ON s.id = c.dimension_set GROUP BY 1 \
         UNION ALL SELECT s.submission_date, SUM(pg_column_size(u.image) + 84) FROM highwater_aggregates.union_value u \
         JOIN highwater_aggregates.dimension_set s ON s.id = u.dimension_set GROUP BY 1 \
         UNION ALL SELECT submission_date, SUM(cardinality(pairs) * 18 + 160) FROM highwater_aggregates.dimension_set GROUP BY 1 \
     ) sums GROUP BY day ORDER BY day";
const COPY_BYTES: &str =
    "SELECT submission_date, COUNT(*) * 220 FROM highwater_aggregates.seen GROUP BY 1 ORDER BY 1";

#[async_trait]
impl RetainAggregates for PostgresAggregates {
    async fn delete_below(&self, below: &Below, at: DeletePlace) -> Result<Deleted, AggregateError> {
        let slice = Slice::of(below)?;
        let given = (slice, at.0);
        self.write(
            "delete what is below the floor",
            given,
            |transaction, (slice, stage)| Box::pin(slice.delete(transaction.client(), stage)),
        )
        .await
    }

    async fn delete_of_sources(&self, below: &[BelowOfSource]) -> Result<Deleted, AggregateError> {
        let below = below.to_vec();
        self.write(
            "delete what is below floors of sources",
            below,
            |transaction, below| Box::pin(retain_sources::delete(transaction.client(), below)),
        )
        .await
    }

    async fn days_of_sources(
        &self,
        sources: &[String],
    ) -> Result<BTreeMap<String, BTreeSet<SubmissionDate>>, AggregateError> {
        let sources = sources.to_vec();
        self.read("list days of sources", sources, |client, sources| {
            Box::pin(retain_sources::days(client, sources))
        })
        .await
    }

    async fn days(&self) -> Result<Vec<SubmissionDate>, AggregateError> {
        self.read("list days", (), |client, ()| {
            Box::pin(async move {
                let rows = client.query_typed(DAYS, &[]).await?;
                let day = |row: &Row| Ok(date(row.try_get::<_, i32>(0)?.into())?);
                rows.iter().map(day).collect()
            })
        })
        .await
    }

    async fn day_bytes(&self) -> Result<Vec<DayBytes>, AggregateError> {
        self.by_day("measure the aggregates", DAY_BYTES).await
    }

    async fn copy_bytes(&self) -> Result<Vec<DayBytes>, AggregateError> {
        self.by_day("measure the copies", COPY_BYTES).await
    }
}

impl PostgresAggregates {
    async fn by_day(&self, what: &'static str, sql: &'static str) -> Result<Vec<DayBytes>, AggregateError> {
        let measured = self
            .connections
            .snapshot(sql, |transaction, sql| {
                Box::pin(async move {
                    let rows = transaction.query_typed(sql, &[]).await?;
                    let day = |row: &Row| {
                        Ok(DayBytes {
                            date: date(row.try_get::<_, i32>(0)?.into())?,
                            bytes: unstored(row.try_get(1)?)?,
                        })
                    };
                    rows.iter().map(day).collect()
                })
            })
            .await;
        self.told(what, measured)
    }
}

/// Days are numbers YYYYMMDD; nothing lies below 0.
struct Slice {
    aggregates: i32,
    errored: i32,
    seen: i32,
    chunks: i32,
    error_chunks: i32,
}

impl Slice {
    fn of(below: &Below) -> Result<Self, AggregateError> {
        let day = |day: Option<SubmissionDate>| column(day.map_or(0, SubmissionDate::as_yyyymmdd));
        Ok(Self {
            aggregates: day(below.aggregates)?,
            errored: day(below.errored)?,
            seen: day(below.seen)?,
            chunks: day(below.chunks)?,
            error_chunks: day(below.error_chunks)?,
        })
    }

    async fn delete(&self, client: &Client, stage: &Stage) -> Result<Deleted, Failure> {
        match stage {
            Stage::Users => {
                let users = Doomed::below(self.aggregates).remove_users(client).await?;
                let next = [Stage::Cells(0, -1), Stage::Users];
                Ok(Deleted {
                    aggregates: users,
                    ..next_of(next, users)
                })
            }
            Stage::Cells(..) => {
                let cells = Doomed::below(self.aggregates).remove_cells(client).await?;
                Ok(Deleted {
                    aggregates: cells,
                    ..next_of([Stage::Sets, Stage::Cells(0, -1)], cells)
                })
            }
            Stage::Sets => {
                let rows = Doomed::below(self.aggregates).remove_sets(client).await?;
                Ok(Deleted {
                    rows,
                    ..next_of([Stage::Errored, Stage::Sets], rows)
                })
            }
            Stage::Errored => {
                let rows = self.delete_errored(client).await?;
                Ok(Deleted {
                    rows,
                    ..next_of([Stage::Seen(Vec::new()), Stage::Errored], rows)
                })
            }
            Stage::Seen(after) => self.delete_seen(client, after).await,
            Stage::Folded => self.delete_folded(client).await,
        }
    }

    async fn delete_errored(&self, client: &Client) -> Result<u64, Failure> {
        let given: [(&(dyn ToSql + Sync), Type); 2] =
            [(&self.errored, Type::INT4), (&DELETED_ROWS, Type::INT8)];
        Ok(client.execute_typed(ERRORED, &given).await?)
    }

    /// Walks copies by document, a stretch at a time.
    async fn delete_seen(&self, client: &Client, after: &[u8]) -> Result<Deleted, Failure> {
        if self.seen == 0 {
            return Ok(next_of([Stage::Folded, Stage::Folded], 0));
        }
        let given: [(&(dyn ToSql + Sync), Type); 2] = [(&after, Type::BYTEA), (&WALKED_ROWS, Type::INT8)];
        let end = client.query_typed_opt(SEEN_END, &given).await?;
        let end: Option<Vec<u8>> = end.map(|row| row.try_get(0)).transpose()?;
        let given: [(&(dyn ToSql + Sync), Type); 3] = [
            (&after, Type::BYTEA),
            (&end, Type::BYTEA),
            (&self.seen, Type::INT4),
        ];
        let rows = client.execute_typed(SEEN, &given).await?;
        let next = end.map_or(Stage::Folded, Stage::Seen);
        Ok(Deleted {
            aggregates: 0,
            rows,
            next: Some(DeletePlace(next)),
        })
    }

    async fn delete_folded(&self, client: &Client) -> Result<Deleted, Failure> {
        let given: [(&(dyn ToSql + Sync), Type); 3] = [
            (&self.error_chunks, Type::INT4),
            (&self.chunks, Type::INT4),
            (&DELETED_ROWS, Type::INT8),
        ];
        let rows: i64 = client.query_typed_one(FOLDED, &given).await?.try_get(0)?;
        Ok(Deleted {
            aggregates: 0,
            rows: unstored(rows)?,
            next: (rows > 0).then_some(DeletePlace(Stage::Folded)),
        })
    }
}

/// A slice after which comes the first of these stages, or the second if it deleted something.
fn next_of([done, again]: [Stage; 2], deleted: u64) -> Deleted {
    let next = if deleted == 0 { done } else { again };
    Deleted {
        aggregates: 0,
        rows: 0,
        next: Some(DeletePlace(next)),
    }
}
