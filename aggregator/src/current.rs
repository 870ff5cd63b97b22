//! The aggregates in use. A rebuild puts others in their place while the process runs.

use std::sync::{Arc, PoisonError, RwLock};

use aggregate_store::AggregateStore;

/// Holds the aggregates in use.
#[derive(Debug)]
pub struct Current {
    aggregates: RwLock<Arc<dyn AggregateStore>>,
}

impl Current {
    /// Begins with these.
    pub fn new(aggregates: Arc<dyn AggregateStore>) -> Arc<Self> {
        Arc::new(Self {
            aggregates: RwLock::new(aggregates),
        })
    }

    /// Those in use now. Ask again for each question, so that a rebuild is seen.
    pub fn get(&self) -> Arc<dyn AggregateStore> {
        // Each change is one assignment: a panic leaves nothing half done.
        Arc::clone(&self.aggregates.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts others into use, and answers those that were.
    pub fn replace(&self, aggregates: Arc<dyn AggregateStore>) -> Arc<dyn AggregateStore> {
        let mut current = self.aggregates.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut current, aggregates)
    }
}
