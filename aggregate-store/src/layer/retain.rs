//! Deletion by date goes to the database: nothing below the floor is held, for whoever raised it had the layer written
//! first.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use ping::SubmissionDate;

use super::LayeredAggregates;
use crate::{AggregateError, Below, BelowOfSource, DayBytes, DeletePlace, Deleted, RetainAggregates};

#[async_trait]
impl RetainAggregates for LayeredAggregates {
    async fn delete_below(&self, below: &Below, at: DeletePlace) -> Result<Deleted, AggregateError> {
        self.base().delete_below(below, at).await
    }

    async fn delete_of_sources(&self, below: &[BelowOfSource]) -> Result<Deleted, AggregateError> {
        self.base().delete_of_sources(below).await
    }

    async fn days_of_sources(
        &self,
        sources: &[String],
    ) -> Result<BTreeMap<String, BTreeSet<SubmissionDate>>, AggregateError> {
        self.base().days_of_sources(sources).await
    }

    async fn days(&self) -> Result<Vec<SubmissionDate>, AggregateError> {
        self.base().days().await
    }

    async fn day_bytes(&self) -> Result<Vec<DayBytes>, AggregateError> {
        self.base().day_bytes().await
    }

    async fn copy_bytes(&self) -> Result<Vec<DayBytes>, AggregateError> {
        self.base().copy_bytes().await
    }
}
