//! The door by which retention reaches the aggregates, behind a gate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use aggregate_store::{
    AggregateError, Below, BelowOfSource, DayBytes, DeletePlace, Deleted, RetainAggregates,
};
use async_trait::async_trait;
use ping::SubmissionDate;

use super::aggregates::pass;
use super::gate::Gate;

/// Aggregates, as retention sees them, behind a gate.
pub struct CrashingRetained {
    inner: Arc<dyn RetainAggregates>,
    gate: Arc<dyn Gate>,
}

impl CrashingRetained {
    /// These aggregates behind this gate.
    pub fn new(inner: Arc<dyn RetainAggregates>, gate: Arc<impl Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

impl fmt::Debug for CrashingRetained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrashingRetained")
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl RetainAggregates for CrashingRetained {
    async fn delete_below(&self, below: &Below, at: DeletePlace) -> Result<Deleted, AggregateError> {
        pass(&*self.gate, "delete_below", self.inner.delete_below(below, at)).await
    }
    async fn delete_of_sources(&self, below: &[BelowOfSource]) -> Result<Deleted, AggregateError> {
        pass(
            &*self.gate,
            "delete_of_sources",
            self.inner.delete_of_sources(below),
        )
        .await
    }
    async fn days_of_sources(
        &self,
        sources: &[String],
    ) -> Result<BTreeMap<String, BTreeSet<SubmissionDate>>, AggregateError> {
        pass(
            &*self.gate,
            "days_of_sources",
            self.inner.days_of_sources(sources),
        )
        .await
    }
    async fn days(&self) -> Result<Vec<SubmissionDate>, AggregateError> {
        pass(&*self.gate, "days", self.inner.days()).await
    }
    async fn day_bytes(&self) -> Result<Vec<DayBytes>, AggregateError> {
        pass(&*self.gate, "day_bytes", self.inner.day_bytes()).await
    }
    async fn copy_bytes(&self) -> Result<Vec<DayBytes>, AggregateError> {
        pass(&*self.gate, "copy_bytes", self.inner.copy_bytes()).await
    }
}
