//! Reads the end of an object, and makes its index entry.

use bytes::Bytes;
use chunk::limits::TAIL_BYTES;
use chunk::{Tail, TailError, entry_of};
use index_schema::{ChunkKey, IndexEntry};
use store::{Store, StoreError};

/// The most that is read of an object's end: no chunk's summary and seek table are longer, whatever it claims.
const TAIL_BYTES_MAX: u64 = 8 * TAIL_BYTES;

/// What the end of an object says.
#[derive(Debug)]
pub(crate) enum Read {
    /// It is a chunk.
    Chunk(Box<IndexEntry>),
    /// It is no readable chunk, for this reason.
    Unreadable(String),
    /// It is not there any more.
    Gone,
}

/// Reads an object's end: one request, and a second one only for a chunk that says it needs it.
pub(crate) async fn read(store: &dyn Store, key: &str) -> Result<Read, StoreError> {
    // A key that is none is not worth a request.
    if let Err(error) = ChunkKey::parse(key) {
        return Ok(Read::Unreadable(error.to_string()));
    }
    let Some((bytes, total)) = fetch(store, key, TAIL_BYTES).await? else {
        return Ok(Read::Gone);
    };
    let parsed = match Tail::parse(&bytes, total) {
        Err(TailError::NeedMore(needed)) if needed <= TAIL_BYTES_MAX => {
            let Some((bytes, total)) = fetch(store, key, needed).await? else {
                return Ok(Read::Gone);
            };
            (Tail::parse(&bytes, total), total)
        }
        other => (other, total),
    };
    Ok(match parsed {
        (Ok(tail), total) => match entry_of(key, &tail, total) {
            Ok(entry) => Read::Chunk(Box::new(entry)),
            Err(error) => Read::Unreadable(error.to_string()),
        },
        (Err(error), _) => Read::Unreadable(error.to_string()),
    })
}

async fn fetch(store: &dyn Store, key: &str, len: u64) -> Result<Option<(Bytes, u64)>, StoreError> {
    match store.get_tail(key, len).await {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
