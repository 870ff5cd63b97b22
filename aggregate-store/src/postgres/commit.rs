//! One batch, or one batch in parts, one transaction.

use postgres_connections::{Failure, Transaction};
use tokio::sync::mpsc;
use tokio_postgres::Client;

use super::{cells, chunks, copies, counters, counts, errored, users, verdict, wishes};
use crate::layer::check_numbers;
use crate::replays::Replays;
use crate::{AggregateError, Batch, Committed};

/// A batch in parts on its way, and how many cells it brought.
#[derive(Debug)]
pub(super) struct Coming<'a> {
    pub(super) parts: mpsc::Receiver<Batch>,
    pub(super) cells: &'a mut usize,
}

/// Writes all of a batch, or fails with [`Unwritten`](super::refusal::Unwritten).
pub(super) async fn write(transaction: &Transaction<'_>, batch: &Batch) -> Result<Committed, Failure> {
    write_one(transaction.client(), batch).await?;
    let mut replays = Replays::default();
    replays.note(batch);
    wishes::begin_anew_those_of(transaction.client(), &replays.into_chunks()).await?;
    Ok(Committed::Written)
}

/// Writes part after part up to the last one.
pub(super) async fn write_parts(
    transaction: &Transaction<'_>,
    coming: &mut Coming<'_>,
) -> Result<Committed, Failure> {
    let mut replays = Replays::default();
    while let Some(part) = coming.parts.recv().await {
        write_one(transaction.client(), &part).await?;
        *coming.cells += part.cells.len();
        replays.note(&part);
        if part.is_last() {
            wishes::begin_anew_those_of(transaction.client(), &replays.into_chunks()).await?;
            return Ok(Committed::Written);
        }
    }
    Err(AggregateError::Unfinished.into())
}

async fn write_one(client: &Client, batch: &Batch) -> Result<(), Failure> {
    check_numbers(batch)?;
    verdict::check(client, batch).await?;
    errored::remove(client, &batch.replayed).await?;
    chunks::write_caps(client, &batch.retried).await?;
    chunks::write(client, batch.rebuild, &batch.chunks).await?;
    cells::write(client, batch).await?;
    users::write(client, batch).await?;
    copies::write(client, &batch.seen).await?;
    errored::write(client, batch).await?;
    counts::write(client, &batch.by_source).await?;
    match batch.rebuild {
        // What a rebuild counted is counted when it comes into use.
        Some(_) => Ok(()),
        None => counters::write(client, batch).await,
    }
}
