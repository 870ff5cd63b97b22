//! Leases in PostgreSQL. A holder lives as long as its one row says; a lease lasts as long as its holder, so that renewing
//! writes one row, and never waits for a commit that holds its leases fast.

use std::time::Duration;

use async_trait::async_trait;
use postgres_connections::Failure;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::{PostgresAggregates, gate};
use crate::AggregateError;
use crate::leases::{Holder, Lease, Leases, SHARDS};
use crate::sharing::{Moves, share};
use crate::stored::unstored;

const LIVE: &str = "INSERT INTO highwater_aggregates.holder (holder, expires) \
     VALUES ($1, clock_timestamp() + $2 * INTERVAL '1 microsecond') ON CONFLICT (holder) DO UPDATE SET expires = excluded.expires";
const BURY: &str =
    "DELETE FROM highwater_aggregates.holder WHERE expires <= clock_timestamp() AND holder <> $1";
const RANK: &str = "SELECT COUNT(*), COUNT(*) FILTER (WHERE holder < $1), \
     (SELECT COUNT(*) FROM highwater_aggregates.lease WHERE holder = $1) FROM highwater_aggregates.holder";
/// What a commit under way holds fast is passed over here and below: the next call may find it free.
const GIVE: &str = "UPDATE highwater_aggregates.lease SET holder = NULL WHERE shard = ANY (ARRAY( \
     SELECT shard FROM highwater_aggregates.lease WHERE holder = $1 ORDER BY shard DESC LIMIT $2 FOR UPDATE SKIP LOCKED))";
const TAKE: &str = "UPDATE highwater_aggregates.lease SET holder = $1, fence = fence + 1 WHERE shard = ANY (ARRAY( \
     SELECT shard FROM highwater_aggregates.lease l WHERE l.holder IS NULL \
     OR NOT EXISTS (SELECT FROM highwater_aggregates.holder h WHERE h.holder = l.holder) \
     ORDER BY shard LIMIT $2 FOR UPDATE SKIP LOCKED))";
const HELD: &str = "SELECT shard, fence FROM highwater_aggregates.lease WHERE holder = $1 ORDER BY shard";
/// Whether another one lives that begins alike.
const OTHER_STANDING: &str = "SELECT EXISTS (SELECT FROM highwater_aggregates.holder WHERE holder <> $1 \
     AND substring(holder FROM 1 FOR 8) = substring($1 FROM 1 FOR 8) AND expires > clock_timestamp())";
const TAKE_ALL: &str = "UPDATE highwater_aggregates.lease SET holder = $1, fence = fence + 1";
const LEAVE: &str = "WITH gone AS (DELETE FROM highwater_aggregates.holder WHERE holder = $1) \
     UPDATE highwater_aggregates.lease SET holder = NULL WHERE shard = ANY (ARRAY( \
     SELECT shard FROM highwater_aggregates.lease WHERE holder = $1 FOR UPDATE SKIP LOCKED))";

#[async_trait]
impl Leases for PostgresAggregates {
    async fn renew(&self, holder: Holder, ttl: Duration) -> Result<Vec<Lease>, AggregateError> {
        let micros = micros(ttl);
        let renewed = self
            .connections
            .write(gate::LEASES, (holder, micros), |transaction, (holder, micros)| {
                Box::pin(renew(transaction.client(), holder, *micros))
            })
            .await;
        self.told("renew leases", renewed)
    }

    async fn take_all(&self, holder: Holder, ttl: Duration) -> Result<bool, AggregateError> {
        let micros = micros(ttl);
        let taken = self
            .connections
            .write(gate::LEASES, (holder, micros), |transaction, (holder, micros)| {
                Box::pin(async move {
                    let client = transaction.client();
                    let holder = &holder[..];
                    let me: [(&(dyn ToSql + Sync), Type); 1] = [(&holder, Type::BYTEA)];
                    let given: [(&(dyn ToSql + Sync), Type); 2] =
                        [(&holder, Type::BYTEA), (&micros, Type::INT8)];
                    if client.query_typed_one(OTHER_STANDING, &me).await?.try_get(0)? {
                        return Ok(false);
                    }
                    client.execute_typed(LIVE, &given).await?;
                    client.execute_typed(TAKE_ALL, &me).await?;
                    Ok(true)
                })
            })
            .await;
        self.told("claim all leases", taken)
    }

    async fn leave(&self, holder: Holder) -> Result<(), AggregateError> {
        let left = self
            .connections
            .write(gate::LEASES, holder, |transaction, holder| {
                Box::pin(async move {
                    let given: [(&(dyn ToSql + Sync), Type); 1] = [(&&holder[..], Type::BYTEA)];
                    transaction.client().execute_typed(LEAVE, &given).await?;
                    Ok(())
                })
            })
            .await;
        self.told("give leases back", left)
    }
}

fn micros(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX)
}

async fn renew(client: &Client, holder: &Holder, micros: i64) -> Result<Vec<Lease>, Failure> {
    let holder = &holder[..];
    let me: [(&(dyn ToSql + Sync), Type); 1] = [(&holder, Type::BYTEA)];
    let given: [(&(dyn ToSql + Sync), Type); 2] = [(&holder, Type::BYTEA), (&micros, Type::INT8)];
    client.execute_typed(LIVE, &given).await?;
    client.execute_typed(BURY, &me).await?;
    let row = client.query_typed_one(RANK, &me).await?;
    let share = share(SHARDS, unstored(row.try_get(0)?)?, unstored(row.try_get(1)?)?);
    let Moves { give, take } = Moves::to(share, unstored(row.try_get(2)?)?);
    for (statement, shards) in [(GIVE, i64::from(give)), (TAKE, i64::from(take))] {
        let given: [(&(dyn ToSql + Sync), Type); 2] = [(&holder, Type::BYTEA), (&shards, Type::INT8)];
        if shards > 0 {
            client.execute_typed(statement, &given).await?;
        }
    }
    let lease = |row: &Row| -> Result<Lease, Failure> {
        Ok(Lease {
            shard: unstored(row.try_get::<_, i32>(0)?.into())?,
            fence: unstored(row.try_get(1)?)?,
        })
    };
    let held = client.query_typed(HELD, &me).await?;
    held.iter().map(lease).collect()
}
