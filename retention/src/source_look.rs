//! A look at what there is of sources that have rules.

use aggregate_store::RetainAggregates;
use index_schema::RetainIndex;

use crate::source_steps::Found;
use crate::{RetentionError, RulesBySource};

/// What there is of sources that have rules, and why nothing is known of their aggregates.
pub(crate) async fn look_at_sources(
    index: &dyn RetainIndex,
    aggregates: &dyn RetainAggregates,
    rules: &RulesBySource,
) -> Result<(Found, Option<RetentionError>), RetentionError> {
    let sources: Vec<String> = rules.keys().cloned().collect();
    let mut found = Found {
        floors: index.all_floors().await?,
        ..Found::default()
    };
    if sources.is_empty() {
        return Ok((found, None));
    }
    found.chunks = index.days_of_sources(&sources).await?;
    match aggregates.days_of_sources(&sources).await {
        Ok(days) => {
            found.aggregates = days;
            Ok((found, None))
        }
        Err(trouble) => Ok((found, Some(trouble.into()))),
    }
}
