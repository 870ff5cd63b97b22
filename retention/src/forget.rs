//! Forgetting one object on purpose: a tombstone first, then the object, then its row.

use index_schema::{ChunkKey, Forgotten};
use ping::Timestamp;

use crate::{Retainer, RetentionError};

impl Retainer {
    /// Deletes an object for the reason given. It is not indexed again, by no event and no comparison, until the floor
    /// passes its day. If it was folded, the index wants a rebuild, which takes its pings out of the aggregates.
    ///
    /// # Errors
    /// When the key is none, or something failed; the next run goes on where this stopped.
    pub async fn forget(&self, key: &str, why: &str, now: Timestamp) -> Result<Forgotten, RetentionError> {
        let key = ChunkKey::parse(key)?;
        let _one_at_a_time = self.past.lock().await;
        let forgotten = {
            let standing = self.parts.folding.stand_still().await;
            let _standing = standing.map_err(RetentionError::Standstill)?;
            self.parts.index.forget(&key, why, now).await?
        };
        tracing::warn!(%key, why, "a chunk is forgotten on purpose");
        // This one alone: what else cannot be deleted is no concern of who forgets it.
        let key = key.to_string();
        if let Err(source) = self.parts.store.delete(&key).await {
            return Err(RetentionError::Store {
                objects: 1,
                key,
                source,
            });
        }
        self.parts.index.remove(&[key]).await?;
        Ok(forgotten)
    }
}
