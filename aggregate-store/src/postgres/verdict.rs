//! Whether a batch may be written, looked at behind the gate before anything is: so nothing has to be taken back.

use std::collections::{BTreeSet, HashMap};

use ping::{ChunkId, DocumentKey};
use postgres_connections::Failure;
use tokio_postgres::Client;

use super::limits::ROWS;
use super::refusal::Unwritten;
use super::{chunks, copies, epochs, errored, fences};
use crate::{Batch, Committed, SeenRow};

/// Fails with [`Unwritten`] when it may not.
pub(super) async fn check(client: &Client, batch: &Batch) -> Result<(), Failure> {
    if !fences::hold_fast(client, &batch.fences).await? {
        return Err(Unwritten(Committed::Outdated).into());
    }
    let done = already_done(client, batch).await?;
    if !done.is_empty() {
        return Err(Unwritten(Committed::AlreadyFolded(done)).into());
    }
    if !epochs::are_of(client, batch).await? || !copies_are_known(client, batch).await? {
        return Err(Unwritten(Committed::Outdated).into());
    }
    Ok(())
}

/// The chunks that are folded already, or of which what the batch replays or tries again was done already.
async fn already_done(client: &Client, batch: &Batch) -> Result<Vec<ChunkId>, Failure> {
    let ids: Vec<ChunkId> = batch.chunks.iter().map(|chunk| chunk.id).collect();
    let folded = chunks::are_folded(client, batch.rebuild, &ids).await?;
    let folded = ids.into_iter().zip(folded);
    let mut done: Vec<ChunkId> = folded.filter_map(|(id, folded)| folded.then_some(id)).collect();
    done.extend(errored::absent(client, &batch.replayed).await?);
    done.extend(retried(client, batch).await?);
    Ok(done)
}

/// Whether the stored copies of all documents that the batch has copies of are those that it knows.
async fn copies_are_known(client: &Client, batch: &Batch) -> Result<bool, Failure> {
    let documents: BTreeSet<DocumentKey> = batch.seen.iter().map(|row| row.key).collect();
    let known = batch.known.iter().filter(|row| documents.contains(&row.key));
    let mut known: Vec<&SeenRow> = known.collect();
    // The order in which stored ones are answered.
    known.sort_by_key(|row| (row.key, row.received, row.record));
    let mut rest = known.as_slice();
    let documents: Vec<DocumentKey> = documents.into_iter().collect();
    for slice in documents.chunks(ROWS) {
        let end = slice
            .last()
            .map_or(0, |last| rest.partition_point(|row| row.key <= *last));
        let (of_slice, later) = rest.split_at(end);
        rest = later;
        if !copies::find(client, slice)
            .await?
            .iter()
            .eq(of_slice.iter().copied())
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The chunks of which another cap is known than the batch says.
async fn retried(client: &Client, batch: &Batch) -> Result<Vec<ChunkId>, Failure> {
    let ids: Vec<ChunkId> = batch.retried.iter().map(|retried| retried.id).collect();
    let stored = chunks::caps(client, &ids).await?;
    let mut caps: HashMap<ChunkId, u64> = ids.into_iter().zip(stored).collect();
    let mut others = Vec::new();
    for retried in &batch.retried {
        let cap = caps.entry(retried.id).or_default();
        if *cap == retried.before {
            *cap = retried.now;
        } else {
            others.push(retried.id);
        }
    }
    Ok(others)
}
