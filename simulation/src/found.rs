//! What lies in the store: every record of every chunk.

use std::collections::BTreeMap;

use bytes::Bytes;
use chunk::ChunkReader;
use ping::{ChunkId, RecordId, SubmissionDate, Timestamp};
use store::Store;

/// A record in a chunk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Found {
    /// Its permanent id.
    pub id: RecordId,
    /// When it was received.
    pub received: Timestamp,
    /// Its submission date.
    pub date: SubmissionDate,
    /// Where it was posted.
    pub uri: String,
    /// The body as stored.
    pub body: Vec<u8>,
    /// Why it is an errored ping, if it is.
    pub error: Option<String>,
}

/// All chunks, by key.
pub type Chunks = BTreeMap<String, (ChunkId, Vec<Found>)>;

/// Reads everything.
///
/// # Errors
/// When the store does not answer, or a chunk is not what it should be.
///
/// # Panics
/// When a verified chunk has a record that cannot be read.
pub async fn chunks(store: &dyn Store) -> Result<Chunks, String> {
    let page = store
        .list("pings/", None, 100_000)
        .await
        .map_err(|error| error.to_string())?;
    let mut chunks = Chunks::new();
    for object in page.objects {
        let bytes = store.get(&object.key).await.map_err(|error| error.to_string())?;
        let found = chunk_of(&object.key, bytes)?;
        chunks.insert(object.key, found);
    }
    Ok(chunks)
}

/// Reads one chunk.
///
/// # Errors
/// When it is not what it should be.
///
/// # Panics
/// When a verified chunk has a record that cannot be read.
pub(crate) fn chunk_of(key: &str, bytes: Bytes) -> Result<(ChunkId, Vec<Found>), String> {
    chunk::verify(&bytes).map_err(|damage| format!("{key}: {damage}"))?;
    let key = index_schema::ChunkKey::parse(key).map_err(|error| error.to_string())?;
    let mut reader = ChunkReader::new(bytes).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    for number in 0..reader.frames().len() {
        let raw = reader.frame(number).map_err(|damage| damage.to_string())?;
        found.extend(chunk::records(&raw).map(|record| {
            let record = record.expect("verified");
            Found {
                id: record.id,
                received: record.received,
                date: record.submission_date,
                uri: String::from_utf8_lossy(record.uri).into_owned(),
                body: record.body.to_vec(),
                error: record.error.map(str::to_owned),
            }
        }));
    }
    Ok((key.id, found))
}
