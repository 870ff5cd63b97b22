//! The door for who deletes, handed to the threads of the database.

use std::collections::BTreeMap;

use async_trait::async_trait;
use ping::{SubmissionDate, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Error, Row};

use super::{SqliteIndex, retain_sql as sql, retain_work as work, source_floors};
use crate::{
    ChunkKey, ChunkKind, ExpiredPlace, ExpiredSlice, Floors, Forgotten, IndexError, Lowered, Raised,
    RaisedSources, RetainIndex, SeenDays, SeenSources, SourceFloors, StoredDay, Tombstone,
};

#[async_trait]
impl RetainIndex for SqliteIndex {
    async fn raise_floors(&self, to: Floors, seen: Option<&SeenDays>) -> Result<Raised, IndexError> {
        let seen = seen.cloned();
        self.write(move |transaction| work::raise(transaction, &to, seen.as_ref()))
            .await
    }

    async fn lower_floors(&self, to: SubmissionDate) -> Result<Lowered, IndexError> {
        self.write(move |transaction| {
            let of_sources = source_floors::lower(transaction, to)?;
            work::lower(transaction, to, of_sources)
        })
        .await
    }

    async fn raise_source_floors(
        &self,
        to: &SourceFloors,
        seen: Option<&SeenSources>,
    ) -> Result<RaisedSources, IndexError> {
        let (to, seen) = (to.clone(), seen.cloned());
        self.write(move |transaction| source_floors::raise(transaction, &to, seen.as_ref()))
            .await
    }

    async fn days_of_sources(
        &self,
        sources: &[String],
    ) -> Result<BTreeMap<String, Vec<StoredDay>>, IndexError> {
        let sources = sources.to_vec();
        self.read(move |connection| source_floors::days(connection, &sources))
            .await
    }

    async fn days(&self, kind: ChunkKind) -> Result<Vec<StoredDay>, IndexError> {
        self.read(move |connection| work::days(connection, kind)).await
    }

    async fn expired(&self, from: &ExpiredPlace, limit: usize) -> Result<ExpiredSlice, IndexError> {
        let from = from.clone();
        self.read(move |connection| work::expired(connection, &from.0, limit))
            .await
    }

    async fn remove(&self, keys: &[String]) -> Result<(), IndexError> {
        let keys = keys.to_vec();
        self.write(move |transaction| work::remove(transaction, &keys))
            .await
    }

    async fn forget(&self, key: &ChunkKey, why: &str, now: Timestamp) -> Result<Forgotten, IndexError> {
        let (key, why) = (key.clone(), why.to_owned());
        self.write(move |transaction| work::forget(transaction, &key, &why, now))
            .await
    }

    async fn tombstones(&self) -> Result<Vec<Tombstone>, IndexError> {
        let read = |row: &Row<'_>| {
            let chunk: String = row.get(1)?;
            Ok(Tombstone {
                key: row.get(0)?,
                chunk: chunk
                    .parse()
                    .map_err(|error| Error::FromSqlConversionFailure(1, Type::Text, Box::new(error)))?,
                why: row.get(2)?,
            })
        };
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(sql::TOMBSTONES)?;
            statement.query_map([], read)?.collect()
        })
        .await
    }
}
