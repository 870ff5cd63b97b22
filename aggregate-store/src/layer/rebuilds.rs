//! Rebuilds go to the database: a batch of a rebuild is never held, and nothing is held when one comes into use.

use std::collections::BTreeMap;

use async_trait::async_trait;
use ping::ChunkId;

use super::LayeredAggregates;
use crate::{AggregateError, Epochs, Flip, Flipped, Rebuild, RebuildWish, Rebuilds, Source};

#[async_trait]
impl Rebuilds for LayeredAggregates {
    async fn epochs(&self) -> Result<Epochs, AggregateError> {
        self.base().epochs().await
    }

    async fn source_rules(&self) -> Result<BTreeMap<String, String>, AggregateError> {
        self.base().source_rules().await
    }

    async fn adopt_rules(&self, source: &Source, rules: &str) -> Result<bool, AggregateError> {
        let _writing = self.write_alone().await?;
        let adopted = self.base().adopt_rules(source, rules).await?;
        self.look_at_epochs().await?;
        Ok(adopted)
    }

    async fn rebuilds(&self) -> Result<Vec<Rebuild>, AggregateError> {
        self.base().rebuilds().await
    }

    async fn begin_rebuild(&self, wish: &RebuildWish) -> Result<Rebuild, AggregateError> {
        self.base().begin_rebuild(wish).await
    }

    async fn give_up_rebuild(&self, epoch: u32) -> Result<(), AggregateError> {
        self.base().give_up_rebuild(epoch).await
    }

    async fn rebuilt(&self, epoch: u32, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        self.base().rebuilt(epoch, chunks).await
    }

    async fn put_into_use(&self, flip: &Flip) -> Result<Flipped, AggregateError> {
        let _writing = self.write_alone().await?;
        let flipped = self.base().put_into_use(flip).await?;
        self.look_at_epochs().await?;
        Ok(flipped)
    }

    async fn remove_unused(&self) -> Result<bool, AggregateError> {
        self.base().remove_unused().await
    }
}
