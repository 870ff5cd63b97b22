//! Why an answer over any source is empty: asked of the store step by step, from the largest reason to the smallest.

use aggregate_store::{AboutSource, AggregateReads, CellQuery, Dimension, Filter, Source, ValueOf, Wanted};
use index_schema::Index;
use serde_json::{Value, json};

use crate::generic::{self, AggregatesQuestion};
use crate::limits::LIST_PRODUCTS_MAX;
use crate::problem::{Problem, list};

/// The reason as one word, with what helps. `stored` are the names under which the metric was looked for.
pub(crate) async fn reason(
    reads: &dyn AggregateReads,
    index: &dyn Index,
    question: &AggregatesQuestion,
    known: Option<&AboutSource>,
    stored: &[String],
) -> Result<Value, Problem> {
    let Some(known) = known else {
        return no_source(reads, index, &question.source).await;
    };
    let mut found = None;
    for stored in stored {
        if found.is_none() && is_there(reads, &question.anywhere(stored)).await? {
            found = Some(stored);
        }
    }
    let Some(stored) = found else {
        let detail = format!(
            "No ping of {} with this metric was counted. /api/v1/metrics?source={} lists those that it has.",
            question.source, question.source
        );
        return Ok(json!({"reason": "no_such_metric", "detail": detail}));
    };
    let anywhere = question.anywhere(stored);
    for (at, filter) in question.filters.iter().enumerate() {
        let narrowed = CellQuery {
            filters: question.filters[..=at].to_vec(),
            ..anywhere.clone()
        };
        if !is_there(reads, &narrowed).await? {
            let sent = question.sent.get(at).map_or("", String::as_str);
            if is_before(filter, known) {
                let detail = format!(
                    "The first day of {} that is kept is {}.",
                    question.source, known.first_day
                );
                return Ok(json!({
                    "reason": "older_than_kept", "filter": sent, "first_day": known.first_day.to_string(),
                    "detail": detail,
                }));
            }
            let before = question.sent[..at].iter().map(String::as_str);
            return Ok(emptied(sent, &list(before, 0)));
        }
    }
    let sent = |name: &str, values: &[String]| format!("{name}={}", values.join(","));
    let before = list(question.sent.iter().map(String::as_str), 0);
    if let Some(processes) = &question.processes
        && !is_there(reads, &question.cells(stored)).await?
    {
        return Ok(emptied(&sent("process", processes), &before));
    }
    let labels = question.labels.as_deref().unwrap_or_default();
    Ok(emptied(&sent("label", labels), &before))
}

fn emptied(filter: &str, before: &str) -> Value {
    let detail = match before {
        "" => format!("No aggregate of this metric has {filter}."),
        before => {
            format!("With {before} there are aggregates of this metric, but none that has {filter}, too.")
        }
    };
    json!({"reason": "not_under_these_filters", "filter": filter, "detail": detail})
}

async fn is_there(reads: &dyn AggregateReads, query: &CellQuery) -> Result<bool, Problem> {
    let query = CellQuery {
        group_by: Vec::new(),
        by_process: false,
        ..query.clone()
    };
    let day = ValueOf::Dimension(Dimension::named(Dimension::SUBMISSION_DATE));
    Ok(!reads.values_of(&query, day, 1).await?.values.is_empty())
}

/// Whether a filter asks for days before the first that is kept, and for none after.
fn is_before(filter: &Filter, known: &AboutSource) -> bool {
    let first = known.first_day.to_string();
    let is_older = |day: &String| *day < first;
    filter.dimension.as_str() == Dimension::SUBMISSION_DATE
        && match &filter.wanted {
            Wanted::AnyOf(days) => days.iter().all(is_older),
            Wanted::Between { to, .. } => to.as_ref().is_some_and(is_older),
            Wanted::OriginalOsVersion(_) => false,
        }
}

/// Nothing of the source is counted; maybe its pings are stored.
async fn no_source(reads: &dyn AggregateReads, index: &dyn Index, source: &Source) -> Result<Value, Problem> {
    let products = index
        .products(LIST_PRODUCTS_MAX)
        .await
        .map_err(|error| Problem::unavailable("index", &error))?;
    let of_source = products.products.iter();
    let of_source =
        of_source.filter(|product| format!("{}/{}", product.namespace, product.doc_type) == source.as_str());
    let stored: u64 = of_source.map(|product| product.records).sum();
    if stored > 0 {
        let detail = format!(
            "{stored} pings of {source} are stored; none is in a number: pings of its type are not counted, or not yet."
        );
        return Ok(json!({"reason": "stored_not_counted", "stored": stored, "detail": detail}));
    }
    let detail = generic::no_source(reads, source).await?.description;
    Ok(json!({"reason": "no_such_source", "detail": detail}))
}
