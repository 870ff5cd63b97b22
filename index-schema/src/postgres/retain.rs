//! The door for who deletes.

use std::collections::BTreeMap;

use async_trait::async_trait;
use ping::{SubmissionDate, Timestamp};

use super::refusal::index_error;
use super::{PostgresIndex, gate, months, retain_work as work, source_floors};
use crate::{
    ChunkKey, ChunkKind, ExpiredPlace, ExpiredSlice, Floors, Forgotten, IndexError, Lowered, Raised,
    RaisedSources, RetainIndex, SeenDays, SeenSources, SourceFloors, StoredDay, Tombstone,
};

#[async_trait]
impl RetainIndex for PostgresIndex {
    async fn raise_floors(&self, to: Floors, seen: Option<&SeenDays>) -> Result<Raised, IndexError> {
        self.write(gate::ALONE, (to, seen), |transaction, (to, seen)| {
            Box::pin(work::raise(transaction, to, *seen))
        })
        .await
    }

    async fn lower_floors(&self, to: SubmissionDate) -> Result<Lowered, IndexError> {
        self.write(gate::ALONE, to, |transaction, to| {
            Box::pin(async move {
                let of_sources = source_floors::lower(transaction, *to).await?;
                work::lower(transaction, *to, of_sources).await
            })
        })
        .await
    }

    async fn raise_source_floors(
        &self,
        to: &SourceFloors,
        seen: Option<&SeenSources>,
    ) -> Result<RaisedSources, IndexError> {
        self.write(gate::ALONE, (to, seen), |transaction, (to, seen)| {
            Box::pin(source_floors::raise(transaction, to, *seen))
        })
        .await
    }

    async fn days_of_sources(
        &self,
        sources: &[String],
    ) -> Result<BTreeMap<String, Vec<StoredDay>>, IndexError> {
        self.read(sources, |client, sources| {
            Box::pin(source_floors::days(client, sources))
        })
        .await
    }

    async fn days(&self, kind: ChunkKind) -> Result<Vec<StoredDay>, IndexError> {
        self.read(kind, |client, kind| Box::pin(work::days(client, *kind)))
            .await
    }

    async fn expired(&self, from: &ExpiredPlace, limit: usize) -> Result<ExpiredSlice, IndexError> {
        self.read((&from.0, limit), |client, (from, limit)| {
            Box::pin(work::expired(client, from, *limit))
        })
        .await
    }

    async fn remove(&self, keys: &[String]) -> Result<(), IndexError> {
        let emptied = self
            .write(gate::ALONE, keys, |transaction, keys| {
                Box::pin(work::remove(transaction, keys))
            })
            .await?;
        // The rows are gone; an empty partition that stays is no harm, and goes with the next one.
        if emptied && let Err(failure) = months::drop_below(&self.connections, true).await {
            let error = index_error(failure, self.connections.name());
            tracing::debug!(%error, "the partition of an emptied month stays for now");
        }
        Ok(())
    }

    async fn forget(&self, key: &ChunkKey, why: &str, now: Timestamp) -> Result<Forgotten, IndexError> {
        self.write(gate::ALONE, (key, why, now), |transaction, (key, why, now)| {
            Box::pin(work::forget(transaction, key, why, *now))
        })
        .await
    }

    async fn tombstones(&self) -> Result<Vec<Tombstone>, IndexError> {
        self.read((), |client, ()| Box::pin(work::tombstones(client)))
            .await
    }
}
