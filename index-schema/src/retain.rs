//! The door to the index for who deletes: floors are raised first, objects go next, rows last.

use std::collections::BTreeMap;

use async_trait::async_trait;
use ping::{SubmissionDate, Timestamp};

use crate::{
    ChunkKey, ChunkKind, ExpiredPlace, ExpiredSlice, Floors, Forgotten, Index, IndexError, Lowered, Raised,
    RaisedSources, SeenDays, SeenSources, SourceFloors, StoredDay, Tombstone,
};

/// The index, for who deletes. A crash between any two of these calls is gone on from by calling them again.
#[async_trait]
pub trait RetainIndex: Index {
    /// Raises floors, each where `to` is higher, if every day of chunks that comes to lie below is among those `seen`, where
    /// that is given. In the same transaction, what waits to be folded below them stops waiting (its
    /// records count as `unfolded_records`), and tombstones below them go.
    ///
    /// # Errors
    /// When the database refused: then the floors are as before.
    async fn raise_floors(&self, to: Floors, seen: Option<&SeenDays>) -> Result<Raised, IndexError>;

    /// The same of floors of sources, if every day of chunks of a source that comes to lie below is among those `seen`.
    ///
    /// # Errors
    /// When the database refused: then the floors are as before.
    async fn raise_source_floors(
        &self,
        to: &SourceFloors,
        seen: Option<&SeenSources>,
    ) -> Result<RaisedSources, IndexError>;

    /// Lowers floors to a day, those of sources, too, each where it is higher: the way back from floors that a wrong clock raised. What was refused
    /// on or above them counts as refused no more, so that a comparison of store and index adds it. What was deleted
    /// stays deleted.
    ///
    /// # Errors
    /// When the database refused: then the floors are as before.
    async fn lower_floors(&self, to: SubmissionDate) -> Result<Lowered, IndexError>;

    /// What chunks of one kind take by day, the oldest day first.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn days(&self, kind: ChunkKind) -> Result<Vec<StoredDay>, IndexError>;

    /// What chunks of these sources take by day, pings and errored pings together, the oldest day first. Reads all entries.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn days_of_sources(
        &self,
        sources: &[String],
    ) -> Result<BTreeMap<String, Vec<StoredDay>>, IndexError>;

    /// Objects whose deletion is decided and not yet noted as done, from a place on, at most `limit`: indexed or unreadable
    /// ones below the floor of their kind or source, and forgotten ones. An object may come twice.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn expired(&self, from: &ExpiredPlace, limit: usize) -> Result<ExpiredSlice, IndexError>;

    /// Removes the rows of objects that are deleted. Keys that were not [`expired`](Self::expired) are left alone.
    /// Those below their floor are remembered until the floors rise from more than a week above them: what comes late is
    /// refused, and counts for nothing.
    ///
    /// # Errors
    /// When the database refused: then nothing was removed.
    async fn remove(&self, keys: &[String]) -> Result<(), IndexError>;

    /// Decides that an object is to be deleted, with the reason: it is not folded from now on, nor indexed again. When
    /// it was folded, the index wants a rebuild.
    ///
    /// # Errors
    /// When the database refused: then nothing was changed.
    async fn forget(&self, key: &ChunkKey, why: &str, now: Timestamp) -> Result<Forgotten, IndexError>;

    /// What was forgotten, by key.
    ///
    /// # Errors
    /// When the question could not be answered.
    async fn tombstones(&self) -> Result<Vec<Tombstone>, IndexError>;
}
