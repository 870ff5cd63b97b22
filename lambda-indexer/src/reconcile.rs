//! Compares store and index, and adds what the index lacks. The store is the truth; absence from a list proves
//! nothing, so no entry is ever removed. Only what was set aside is asked for by name, and cleared when it is gone.

use std::collections::BTreeSet;

use index_schema::ChunkKey;

use crate::indexer::Indexer;
use crate::{IndexingError, Reconciled, metrics};

/// Objects listed at once: what S3 answers with.
const PAGE: usize = 1_000;

/// Chunks whose entries are added at once.
const BATCH: usize = 100;

impl Indexer {
    /// Lists the objects below a prefix, page by page, and indexes those that the index lacks. Run at every start, it
    /// announces what was put but never announced.
    ///
    /// # Errors
    /// When the store could not list, or the index did not answer. What was added until then stays. Chunks whose end
    /// the store did not answer for are counted, not errors.
    pub async fn reconcile(&self, prefix: &str) -> Result<Reconciled, IndexingError> {
        let mut found = Reconciled::default();
        let below = format!("{prefix}/");
        let mut noted = self.noted(prefix).await?;
        let mut after: Option<String> = None;
        loop {
            let page = self.store.list(&below, after.as_deref(), PAGE).await?;
            found.listed += page.objects.len() as u64;
            after = page.objects.last().map(|object| object.key.clone());
            let keys = page.objects.into_iter().map(|object| object.key);
            let keys = keys.inspect(|key| {
                noted.remove(key);
            });
            let (keys, others): (Vec<_>, Vec<_>) = keys.partition(|key| is_ours(key, prefix));
            found.outcome.foreign += others.len() as u64;
            self.add_missing(keys, &mut found).await?;
            if !page.more || after.is_none() {
                break;
            }
        }
        found.cleared = self.clear_gone(noted).await?;
        metrics::count_reconciled(&found);
        tracing::info!(
            listed = found.listed,
            added = found.outcome.added,
            unreadable = found.outcome.unreadable,
            unanswered = found.unanswered,
            "compared the store with the index"
        );
        Ok(found)
    }

    /// The keys of what was set aside or noted as unreadable, below a prefix.
    async fn noted(&self, prefix: &str) -> Result<BTreeSet<String>, IndexingError> {
        let keys = self.index.set_aside().await?.into_iter().map(|aside| aside.key);
        Ok(keys.filter(|key| is_ours(key, prefix)).collect())
    }

    /// Clears notes of unreadable objects that are no longer there, of those that were not in the list: what was in it needs
    /// no question. A chunk that was indexed and is gone stays set aside: acknowledged pings were in it, so somebody must
    /// bring it back, or say with `forget-chunk` that it is to be gone.
    async fn clear_gone(&self, unlisted: BTreeSet<String>) -> Result<u64, IndexingError> {
        let mut gone = Vec::new();
        for key in unlisted {
            // Where the store does not answer, the next comparison asks again.
            if matches!(self.store.head(&key).await, Ok(None)) {
                gone.push(key);
            }
        }
        let indexed = self.index.contains(&gone).await?;
        let mut indexed = indexed.into_iter();
        gone.retain(|key| {
            let lost = indexed.next().unwrap_or(false);
            if lost {
                tracing::error!(key, "a chunk is gone from the store: bring it back and rebuild, or `highwater forget-chunk` it");
            } else {
                tracing::warn!(key, "an unreadable object is gone: its note is cleared");
            }
            !lost
        });
        if gone.is_empty() {
            return Ok(0);
        }
        Ok(self.index.clear_gone(&gone).await?)
    }

    async fn add_missing(&self, keys: Vec<String>, found: &mut Reconciled) -> Result<(), IndexingError> {
        let known = self.index.contains(&keys).await?;
        let missing: Vec<String> = keys
            .into_iter()
            .zip(known)
            .filter(|(_, known)| !known)
            .map(|(key, _)| key)
            .collect();
        for batch in missing.chunks(BATCH) {
            let (outcome, failed) = self.index_batch(batch).await?;
            found.outcome += outcome;
            found.unanswered += failed.len() as u64;
        }
        Ok(())
    }
}

/// Whether an object is to be looked at: it ends like a chunk, and is none of another, longer prefix.
fn is_ours(key: &str, prefix: &str) -> bool {
    key.ends_with(".zst") && ChunkKey::parse(key).map_or(true, |key| key.prefix == prefix)
}
