//! The door to rebuilds.

use std::collections::BTreeMap;

use async_trait::async_trait;
use ping::ChunkId;

use super::{PostgresAggregates, chunks, epochs, flip, unused, wishes};
use crate::{AggregateError, Epochs, Flip, Flipped, Rebuild, RebuildWish, Rebuilds, Source};

/// Whatever changes something waits for batches under way, and they for it.
#[async_trait]
impl Rebuilds for PostgresAggregates {
    async fn epochs(&self) -> Result<Epochs, AggregateError> {
        self.read("read the epochs", (), |client, ()| Box::pin(epochs::all(client)))
            .await
    }

    async fn source_rules(&self) -> Result<BTreeMap<String, String>, AggregateError> {
        self.read("read the rules of sources", (), |client, ()| {
            Box::pin(epochs::source_rules(client))
        })
        .await
    }

    async fn adopt_rules(&self, source: &Source, rules: &str) -> Result<bool, AggregateError> {
        let given = (source, rules);
        self.write(
            "adopt rules of a source",
            given,
            |transaction, (source, rules)| Box::pin(epochs::adopt_rules(transaction.client(), source, rules)),
        )
        .await
    }

    async fn rebuilds(&self) -> Result<Vec<Rebuild>, AggregateError> {
        self.read("list rebuilds", (), |client, ()| Box::pin(wishes::all(client)))
            .await
    }

    async fn begin_rebuild(&self, wish: &RebuildWish) -> Result<Rebuild, AggregateError> {
        self.write("begin a rebuild", wish, |transaction, wish| {
            Box::pin(wishes::begin(transaction.client(), wish))
        })
        .await
    }

    async fn give_up_rebuild(&self, epoch: u32) -> Result<(), AggregateError> {
        self.write("give a rebuild up", epoch, |transaction, epoch| {
            Box::pin(wishes::end(transaction.client(), *epoch))
        })
        .await
    }

    async fn rebuilt(&self, epoch: u32, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        let given = (epoch, chunks);
        self.read("look up rebuilt chunks", given, |client, (epoch, chunks)| {
            Box::pin(chunks::are_folded(client, Some(*epoch), chunks))
        })
        .await
    }

    async fn put_into_use(&self, flip: &Flip) -> Result<Flipped, AggregateError> {
        self.write("put a rebuild into use", flip, |transaction, flip| {
            Box::pin(flip::put_into_use(transaction.client(), flip))
        })
        .await
    }

    async fn remove_unused(&self) -> Result<bool, AggregateError> {
        self.write("remove what is not in use", (), |transaction, ()| {
            Box::pin(unused::remove(transaction.client()))
        })
        .await
    }
}
