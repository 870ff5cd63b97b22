//! What lies in the store: every record of every chunk.

use std::collections::BTreeMap;

use chunk::ChunkReader;
use ping::{ChunkId, RecordId, SubmissionDate, Timestamp};
use store::Store;

/// A record in a chunk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Found {
    pub(crate) id: RecordId,
    pub(crate) received: Timestamp,
    pub(crate) date: SubmissionDate,
    pub(crate) uri: String,
    pub(crate) body: Vec<u8>,
    pub(crate) error: Option<String>,
}

/// All chunks, by key.
pub(crate) type Chunks = BTreeMap<String, (ChunkId, Vec<Found>)>;

/// Reads everything; a chunk that cannot be read is an error.
pub(crate) async fn chunks(store: &dyn Store) -> Result<Chunks, String> {
    let page = store
        .list("pings/", None, 100_000)
        .await
        .map_err(|error| error.to_string())?;
    let mut chunks = Chunks::new();
    for object in page.objects {
        let bytes = store.get(&object.key).await.map_err(|error| error.to_string())?;
        chunk::verify(&bytes).map_err(|damage| format!("{}: {damage}", object.key))?;
        let key = index_schema::ChunkKey::parse(&object.key).map_err(|error| error.to_string())?;
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
        chunks.insert(object.key, (key.id, found));
    }
    Ok(chunks)
}
