//! Whether a batch may be written, looked at behind the gate before anything is: so nothing has to be taken back.

use std::collections::HashMap;

use ping::ChunkId;
use postgres_connections::Failure;
use tokio_postgres::Client;

use super::refusal::Unwritten;
use super::{chunks, errored};
use crate::{Batch, Committed};

/// Fails with [`Unwritten`] when it may not.
pub(super) async fn check(client: &Client, batch: &Batch) -> Result<(), Failure> {
    let done = already_done(client, batch).await?;
    if !done.is_empty() {
        return Err(Unwritten(Committed::AlreadyFolded(done)).into());
    }
    Ok(())
}

/// The chunks that are folded already, or of which what the batch replays or tries again was done already.
async fn already_done(client: &Client, batch: &Batch) -> Result<Vec<ChunkId>, Failure> {
    let ids: Vec<ChunkId> = batch.chunks.iter().map(|chunk| chunk.id).collect();
    let folded = chunks::are_folded(client, &ids).await?;
    let folded = ids.into_iter().zip(folded);
    let mut done: Vec<ChunkId> = folded.filter_map(|(id, folded)| folded.then_some(id)).collect();
    done.extend(errored::absent(client, &batch.replayed).await?);
    done.extend(retried(client, batch).await?);
    Ok(done)
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
