//! From the end of a chunk to its index entry.

use index_schema::{ChunkKey, IndexEntry, KeyError};
use ping::Timestamp;

use crate::Tail;

/// Why a chunk has no index entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Its key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It lies under another chunk's key.
    #[error("`{key}` holds another chunk than its key says: the {what} differs")]
    Misplaced {
        /// The object's key.
        key: String,
        /// What differs.
        what: &'static str,
    },
    /// It says that it replaces something that is no chunk.
    #[error("`{key}` says that it replaces `{replaced}`, which is no chunk id")]
    Replaces {
        /// The object's key.
        key: String,
        /// What it names.
        replaced: String,
    },
}

/// The index entry of the chunk with this end, that lies under `key` and has `total_len` bytes.
///
/// # Errors
/// When the key does not say what the chunk's summary says.
pub fn entry_of(key: &str, tail: &Tail, total_len: u64) -> Result<IndexEntry, EntryError> {
    let parsed = ChunkKey::parse(key)?;
    let differing = if parsed.id != tail.id {
        Some("chunk id")
    } else if parsed.kind != tail.kind {
        Some("kind")
    } else if parsed.partition != tail.partition {
        Some("partition")
    } else {
        None
    };
    if let Some(what) = differing {
        return Err(EntryError::Misplaced {
            key: key.to_owned(),
            what,
        });
    }
    let summary = &tail.summary;
    let replaced = |text: &String| {
        text.parse().map_err(|_| EntryError::Replaces {
            key: key.to_owned(),
            replaced: text.clone(),
        })
    };
    Ok(IndexEntry {
        key: key.to_owned(),
        id: tail.id,
        kind: tail.kind,
        partition: parsed.partition,
        records: summary.records,
        raw_bytes: summary.raw_bytes,
        stored_bytes: total_len,
        received_bytes: summary.received_bytes,
        received_min: Timestamp::from_micros(summary.received_min_us),
        received_max: Timestamp::from_micros(summary.received_max_us),
        sealed: Timestamp::from_micros(summary.sealed_us),
        replaces: summary.replaces.iter().map(replaced).collect::<Result<_, _>>()?,
        error_reasons: summary
            .error_reasons
            .iter()
            .map(|count| (count.reason.clone(), count.records))
            .collect(),
    })
}
