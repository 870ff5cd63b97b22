//! Whether the pings of a product are counted, or only stored.

use std::collections::BTreeSet;

use aggregate_store::{AggregateError, AggregateReads};
use index_schema::ProductCount;

use crate::limits::LIST_SOURCES_MAX;

/// Whether all pings of a product are folded; the fold's settings say. Of others, the bodies decide: whether they were Glean's
/// shows in what is counted.
pub type Charted = dyn Fn(&ProductCount) -> bool + Send + Sync;

/// What is counted, by the settings and by what there is.
pub(crate) struct Counted<'a> {
    charted: &'a Charted,
    sources: BTreeSet<String>,
}

impl<'a> Counted<'a> {
    /// As of now.
    pub(crate) async fn of(reads: &dyn AggregateReads, charted: &'a Charted) -> Result<Self, AggregateError> {
        let known = reads.sources(LIST_SOURCES_MAX).await?;
        let sources = known.values.iter().map(ToString::to_string);
        Ok(Self {
            charted,
            sources: sources.collect(),
        })
    }

    /// Whether pings of a product are in some number.
    pub(crate) fn holds(&self, product: &ProductCount) -> bool {
        (self.charted)(product)
            || self
                .sources
                .contains(&format!("{}/{}", product.namespace, product.doc_type))
    }
}
