//! The door for who deletes.

use async_trait::async_trait;
use ping::Timestamp;

use super::call::Gate;
use super::{PostgresIndex, months, retain_sql as sql, retain_work as work, row, whole};
use crate::{ChunkKey, ChunkKind, Expired, Floors, Forgotten, IndexError, RetainIndex, StoredDay, Tombstone};

#[async_trait]
impl RetainIndex for PostgresIndex {
    async fn raise_floors(&self, to: Floors) -> Result<Floors, IndexError> {
        self.write(Gate::Alone, async |transaction| {
            work::raise(transaction, &to).await
        })
        .await
    }

    async fn days(&self, kind: ChunkKind) -> Result<Vec<StoredDay>, IndexError> {
        self.read(async |client| work::days(client, kind).await).await
    }

    async fn expired(&self, limit: usize) -> Result<Vec<Expired>, IndexError> {
        let limit = whole(limit);
        self.read(async |client| work::expired(client, limit).await).await
    }

    async fn remove(&self, keys: &[String]) -> Result<(), IndexError> {
        let emptied = self
            .write(Gate::Alone, async |transaction| {
                work::remove(transaction, keys).await
            })
            .await?;
        // The rows are gone; an empty partition that stays is no harm, and goes with the next one.
        if emptied && let Err(failure) = months::drop_below(&self.connections, true).await {
            let error = failure.into_index(&self.connections.name);
            tracing::debug!(%error, "the partition of an emptied month stays for now");
        }
        Ok(())
    }

    async fn forget(&self, key: &ChunkKey, why: &str, now: Timestamp) -> Result<Forgotten, IndexError> {
        self.write(Gate::Alone, async |transaction| {
            work::forget(transaction, key, why, now).await
        })
        .await
    }

    async fn tombstones(&self) -> Result<Vec<Tombstone>, IndexError> {
        self.read(async |client| {
            let rows = client.query(sql::TOMBSTONES, &[]).await?;
            let read = |row: &tokio_postgres::Row| {
                Ok(Tombstone {
                    key: row.try_get(0)?,
                    chunk: row::chunk_id(row.try_get(1)?)?,
                    why: row.try_get(2)?,
                })
            };
            rows.iter().map(read).collect()
        })
        .await
    }
}
