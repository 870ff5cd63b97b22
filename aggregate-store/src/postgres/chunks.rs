//! The set of folded chunks, and those of errored pings that were tried again.

use std::collections::HashMap;

use ping::{ChunkId, Incarnation};
use postgres_connections::Failure;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::ids::column;
use super::limits::ROWS;
use super::slices::slices;
use crate::stored::{sixteen, stored, unstored};
use crate::{AggregateError, FoldedChunk, RetriedChunk};

const CAPS: &str = "SELECT i.number, r.inflated_bytes FROM unnest($1, $2, $3) WITH ORDINALITY AS i (incarnation, boot, plan, number) \
     JOIN highwater_aggregates.retried r USING (incarnation, boot, plan)";
const RETRY: &str = "INSERT INTO highwater_aggregates.retried (incarnation, boot, plan, inflated_bytes) \
     SELECT * FROM unnest($1, $2, $3, $4) \
     ON CONFLICT (incarnation, boot, plan) DO UPDATE SET inflated_bytes = excluded.inflated_bytes";
const PAGE: &str = "SELECT incarnation, boot, plan FROM highwater_aggregates.folded \
     WHERE (incarnation, boot, plan) > ($1, $2, $3) ORDER BY incarnation, boot, plan LIMIT $4";

/// What of a key tells a chunk of errored pings.
const ERRORS: &str = "/errors/v1/submission_date=";

/// Chunks as columns.
#[derive(Debug, Default)]
pub(super) struct ChunkColumns {
    incarnations: Vec<Vec<u8>>,
    boots: Vec<i64>,
    plans: Vec<i64>,
}

impl ChunkColumns {
    /// Adds a chunk.
    pub(super) fn push(&mut self, id: ChunkId) -> Result<(), AggregateError> {
        let ChunkId {
            incarnation,
            boot,
            plan,
        } = id;
        self.incarnations.push(incarnation.as_bytes().to_vec());
        self.boots.push(stored(boot)?);
        self.plans.push(stored(plan)?);
        Ok(())
    }

    fn of(chunks: &[ChunkId]) -> Result<Self, AggregateError> {
        let mut columns = Self::default();
        chunks.iter().try_for_each(|chunk| columns.push(*chunk))?;
        Ok(columns)
    }

    /// As a statement takes them.
    pub(super) fn typed(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        vec![
            (&self.incarnations, Type::BYTEA_ARRAY),
            (&self.boots, Type::INT8_ARRAY),
            (&self.plans, Type::INT8_ARRAY),
        ]
    }
}

/// Reads a chunk's identity from three columns, of which this is the first.
pub(super) fn read_id(row: &Row, first: usize) -> Result<ChunkId, Failure> {
    Ok(ChunkId {
        incarnation: Incarnation::from_bytes(sixteen(row.try_get(first)?)?),
        boot: unstored(row.try_get(first + 1)?)?,
        plan: unstored(row.try_get(first + 2)?)?,
    })
}

/// Adds chunks, none of which may be folded: by a rebuild, or for what is in use.
pub(super) async fn write(
    client: &Client,
    rebuild: Option<u32>,
    chunks: &[FoldedChunk],
) -> Result<(), Failure> {
    const COLUMNS: &str = "incarnation, boot, plan, key, is_errors, submission_date, records";
    let (table, epoch) = match rebuild {
        Some(epoch) => (format!("rebuilt (epoch, {COLUMNS})"), format!("{epoch}, ")),
        None => (format!("folded ({COLUMNS})"), String::new()),
    };
    let add = format!(
        "INSERT INTO highwater_aggregates.{table} SELECT {epoch}u.* FROM unnest($1, $2, $3, $4, $5, $6, $7) AS u"
    );
    for slice in slices(chunks, |chunk| chunk.key.len()) {
        let mut ids = ChunkColumns::default();
        let (mut keys, mut errors, mut days, mut records) = (vec![], vec![], vec![], vec![]);
        for chunk in slice {
            ids.push(chunk.id)?;
            keys.push(chunk.key.as_bytes());
            errors.push(chunk.key.contains(ERRORS));
            days.push(column(chunk.submission_date.as_yyyymmdd())?);
            records.push(stored(chunk.records)?);
        }
        let mut all = ids.typed();
        all.push((&keys, Type::BYTEA_ARRAY));
        all.push((&errors, Type::BOOL_ARRAY));
        all.push((&days, Type::INT4_ARRAY));
        all.push((&records, Type::INT8_ARRAY));
        client.execute_typed(&add, &all).await?;
    }
    Ok(())
}

/// Which of these chunks are folded, by a rebuild or for what is in use, in the order asked.
pub(super) async fn are_folded(
    client: &Client,
    rebuild: Option<u32>,
    chunks: &[ChunkId],
) -> Result<Vec<bool>, Failure> {
    let (table, of_it) = match rebuild {
        Some(epoch) => ("rebuilt", format!(" WHERE f.epoch = {epoch}")),
        None => ("folded", String::new()),
    };
    let find = format!(
        "SELECT i.number, 0::BIGINT FROM unnest($1, $2, $3) WITH ORDINALITY AS i (incarnation, boot, plan, number) \
         JOIN highwater_aggregates.{table} f USING (incarnation, boot, plan){of_it}"
    );
    let found = found(client, &find, chunks).await?;
    Ok(found.into_iter().map(|found| found.is_some()).collect())
}

/// Under which caps these chunks were tried, in the order asked; 0 for one that never was.
pub(super) async fn caps(client: &Client, chunks: &[ChunkId]) -> Result<Vec<u64>, Failure> {
    let found = found(client, CAPS, chunks).await?;
    let caps = found.into_iter().map(|cap| unstored(cap.unwrap_or(0)));
    Ok(caps.collect::<Result<_, _>>()?)
}

/// What is found for each of these chunks, by one statement: so it is of one moment.
async fn found(client: &Client, statement: &str, chunks: &[ChunkId]) -> Result<Vec<Option<i64>>, Failure> {
    let mut found = vec![None; chunks.len()];
    if chunks.is_empty() {
        return Ok(found);
    }
    let columns = ChunkColumns::of(chunks)?;
    for row in client.query_typed(statement, &columns.typed()).await? {
        let number: i64 = row.try_get(0)?;
        let at = usize::try_from(number - 1).ok();
        let place = at.and_then(|at| found.get_mut(at));
        *place.ok_or_else(|| Failure::of(format!("it answered for chunk {number} of {}", chunks.len())))? =
            Some(row.try_get(1)?);
    }
    Ok(found)
}

/// Notes under which caps chunks were tried; of several notes of one chunk the last one stays.
pub(super) async fn write_caps(client: &Client, retried: &[RetriedChunk]) -> Result<(), Failure> {
    let last: HashMap<ChunkId, u64> = retried.iter().map(|retried| (retried.id, retried.now)).collect();
    let last: Vec<(ChunkId, u64)> = last.into_iter().collect();
    for slice in last.chunks(ROWS) {
        let (mut ids, mut caps) = (ChunkColumns::default(), Vec::new());
        for (id, now) in slice {
            ids.push(*id)?;
            caps.push(stored(*now)?);
        }
        let mut all = ids.typed();
        all.push((&caps, Type::INT8_ARRAY));
        client.execute_typed(RETRY, &all).await?;
    }
    Ok(())
}

/// Folded chunks in ascending order.
pub(super) async fn page(
    client: &Client,
    after: Option<ChunkId>,
    limit: usize,
) -> Result<Vec<ChunkId>, Failure> {
    let (incarnation, boot, plan) = match &after {
        Some(after) => (
            &after.incarnation.as_bytes()[..],
            stored(after.boot)?,
            stored(after.plan)?,
        ),
        None => (&[][..], 0, 0),
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let given: [(&(dyn ToSql + Sync), Type); 4] = [
        (&incarnation, Type::BYTEA),
        (&boot, Type::INT8),
        (&plan, Type::INT8),
        (&limit, Type::INT8),
    ];
    let rows = client.query_typed(PAGE, &given).await?;
    rows.iter().map(|row| read_id(row, 0)).collect()
}
