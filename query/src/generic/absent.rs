//! A source of which nothing is counted.

use aggregate_store::{AggregateError, AggregateReads, Source};

use crate::limits::LIST_SOURCES_MAX;
use crate::problem::{Problem, Reason, list};

/// Names those of which something is.
pub(crate) async fn no_source(
    reads: &dyn AggregateReads,
    source: &Source,
) -> Result<Problem, AggregateError> {
    let known = reads.sources(LIST_SOURCES_MAX).await?;
    let names = list(known.values.iter().map(Source::as_str), known.left_out);
    let asked = source.as_str().escape_debug();
    let sentence = match names.as_str() {
        "" => format!("No ping of `{asked}` was counted, nor of any other source."),
        names => format!("No ping of `{asked}` was counted. Sources with aggregates: {names}."),
    };
    Ok(Problem::new(Reason::SourceUnknown, sentence))
}
