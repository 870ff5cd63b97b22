//! Why an answer over any source is empty: asked of the store step by step, from the largest reason to the smallest.

use aggregate_store::{AboutSource, AggregateReads, CellQuery, Dimension, Filter, Source, ValueOf, Wanted};
use index_schema::{Index, ProductCount};
use ping::SubmissionDate;
use readers::values::beside::STORED;
use serde_json::{Value, json};

use crate::charted::Charted;
use crate::definitions::Definitions;
use crate::generic::{self, AggregatesQuestion};
use crate::kept::pings_with;
use crate::limits::{LIST_PRODUCTS_MAX, LIST_SOURCES_MAX};
use crate::live::Live;
use crate::problem::{Problem, list};

/// Who is asked why there is nothing.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) reads: &'a dyn AggregateReads,
    pub(crate) index: &'a dyn Index,
    pub(crate) charted: &'a Charted,
    pub(crate) live: Live,
    pub(crate) definitions: &'a Definitions,
    /// The source that is asked for, if it is counted.
    pub(crate) source: Option<&'a AboutSource>,
}

/// The reason as one word, with what helps. `stored` are the names under which the metric was looked for.
pub(crate) async fn reason(
    asked: Known<'_>,
    question: &AggregatesQuestion,
    stored: &[String],
) -> Result<Value, Problem> {
    let Known {
        reads, live, source, ..
    } = asked;
    let Some(known) = source else {
        return no_source(asked, &question.source).await;
    };
    let mut found = None;
    for stored in stored {
        if found.is_none() && is_there(reads, &question.anywhere(stored)).await? {
            found = Some(stored);
        }
    }
    let Some(stored) = found else {
        let kept = format!("{STORED}{}", question.metric);
        if let Some(pings) = pings_with(reads, &question.source, &kept).await? {
            let detail = format!(
                "{} of {} have {}: it stays in the ping and is in no number.",
                words(number(pings)),
                question.source,
                question.metric
            );
            return Ok(json!({"reason": "stored_not_counted", "stored": pings, "detail": detail}));
        }
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
            let floors = asked.index.all_floors().await;
            let floors = floors.map_err(|error| Problem::unavailable("index", &error))?;
            let floor = floors.of_source(question.source.as_str()).aggregates;
            if let Some(floor) = floor.filter(|floor| is_before(filter, *floor)) {
                let first_day = known.first_day.max(floor);
                let detail = format!("Numbers of {} are kept from {floor} on.", question.source);
                return Ok(json!({
                    "reason": "older_than_kept", "filter": sent, "first_day": first_day.to_string(), "detail": detail,
                }));
            }
            if let Some(today) = live.today().map(|today| today.to_string())
                && is_of_today(filter, &today)
            {
                let detail = format!("{today} is not over, by UTC.{}", live.sentence());
                return Ok(
                    json!({"reason": "incomplete_day", "filter": sent, "day": today, "detail": detail}),
                );
            }
            let before = question.sent[..at].iter().map(String::as_str);
            let mut why = emptied(sent, &list(before, 0));
            if is_before(filter, known.first_day) {
                why["detail"] = json!(format!(
                    "The first day of {} is {}.",
                    question.source, known.first_day
                ));
            }
            return Ok(why);
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

fn number(pings: i64) -> u64 {
    u64::try_from(pings).unwrap_or(0)
}

/// So many pings, in words.
fn words(number: u64) -> String {
    match number {
        1 => "1 ping".to_owned(),
        many => format!("{many} pings"),
    }
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
fn is_before(filter: &Filter, first: SubmissionDate) -> bool {
    let first = first.to_string();
    let is_older = |day: &String| *day < first;
    filter.dimension.as_str() == Dimension::SUBMISSION_DATE
        && match &filter.wanted {
            Wanted::AnyOf(days) => days.iter().all(is_older),
            Wanted::Between { to, .. } => to.as_ref().is_some_and(is_older),
            Wanted::AnyItemOf(_) | Wanted::OriginalOsVersion(_) => false,
        }
}

/// Whether a filter asks for the day that is not over, and for none before.
fn is_of_today(filter: &Filter, today: &str) -> bool {
    filter.dimension.as_str() == Dimension::SUBMISSION_DATE
        && match &filter.wanted {
            Wanted::AnyOf(days) => days.iter().all(|day| day == today),
            Wanted::Between { from, to } => {
                from.as_deref() == Some(today) && to.as_deref().is_none_or(|to| to >= today)
            }
            Wanted::AnyItemOf(_) | Wanted::OriginalOsVersion(_) => false,
        }
}

/// Nothing of the source is counted; maybe its pings are stored, or on their way.
async fn no_source(asked: Known<'_>, source: &Source) -> Result<Value, Problem> {
    let Known {
        reads,
        index,
        charted,
        live,
        definitions,
        ..
    } = asked;
    let products = index
        .products(LIST_PRODUCTS_MAX)
        .await
        .map_err(|error| Problem::unavailable("index", &error))?;
    let of_source = products.products.iter();
    let of_source =
        of_source.filter(|product| format!("{}/{}", product.namespace, product.doc_type) == source.as_str());
    let of_source: Vec<&ProductCount> = of_source.collect();
    let stored: u64 = of_source.iter().map(|product| product.records).sum();
    let counted = reads.source_pings(LIST_SOURCES_MAX).await?.values.into_iter();
    let counters = counted
        .filter(|pings| pings.source == *source)
        .map(|pings| pings.counters);
    let counters = counters.last().unwrap_or_default();
    if counters.folded == 0 && counters.stored_only == 0 && counters.errored_pings > 0 {
        let errored = counters.errored_pings;
        let detail = format!(
            "{} of {source} came, and none could be counted: they are errored. /health says why.",
            words(number(errored))
        );
        return Ok(
            json!({"reason": "stored_not_counted", "stored": errored, "errored": errored, "detail": detail}),
        );
    }
    if stored > 0 && of_source.into_iter().any(charted) {
        let detail = format!(
            "{source} has {} stored that will be counted.{}",
            words(stored),
            live.sentence()
        );
        let age = live.newest_age.map(|age| age.as_secs());
        return Ok(json!({
            "reason": "not_folded_yet", "stored": stored, "newest_fold_seconds": age, "detail": detail,
        }));
    }
    if stored > 0 {
        let detail = format!(
            "{source} has {} stored and in no number: pings of its type are not counted, or not yet.",
            words(stored)
        );
        return Ok(json!({"reason": "stored_not_counted", "stored": stored, "detail": detail}));
    }
    if definitions.is_declared(source) {
        let detail = format!(
            "{source} is declared, and none of its pings is counted yet.{}",
            live.sentence()
        );
        let age = live.newest_age.map(|age| age.as_secs());
        return Ok(json!({
            "reason": "not_folded_yet", "stored": stored, "newest_fold_seconds": age, "detail": detail,
        }));
    }
    let mut detail = generic::no_source(reads, source).await?.description;
    if live.behind > 0 {
        detail.push_str(&live.sentence());
    }
    Ok(json!({"reason": "no_such_source", "detail": detail}))
}
