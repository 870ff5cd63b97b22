//! Which metrics a source has, and what each of them is.

use std::pin::pin;

use aggregate_store::{AggregateReads, Source, StoredMetric};
use readers::values::beside::{is_beside, only_stored};
use serde::Serialize;
use service::task;

use crate::definitions::{Definitions, own_unit};
use crate::generic::{Form, no_source, refuse_strangers, unit_of};
use crate::kept::{LeftOut, left_out_of, pings_with};
use crate::limits::{
    LABELS_NAMED_MAX, LEFT_OUT_NAMED_MAX, LIST_VALUES_MAX, METRICS_AT_ONCE, METRICS_ON_A_PAGE, PINGS_TIME_MAX,
};
use crate::live::{Live, Reach};
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::reply::{Reply, made};
use crate::withheld::Withheld;

/// The parameters of this route.
pub(crate) const PARAMETERS: [&str; 3] = ["source", "q", "after"];

/// The kind of what stays in pings, and is in no number.
const STORED: &str = "stored";

/// Before the name of a metric that pings of the original's source send as a count.
const COUNT: &str = "[[COUNT]]_";

#[derive(Debug, Serialize)]
struct Metrics {
    source: String,
    metrics: Vec<OneMetric>,
    /// What of the source's pings is left out, that of the most pings first; on the first page.
    /// Absent where it is more than may be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<Vec<LeftOut>>,
    #[serde(flatten)]
    reach: Reach,
    /// What `after` is for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct OneMetric {
    pub(super) metric: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    labelled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// How many pings have it; absent where only its labels are counted, or there was no time to count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pings: Option<i64>,
    /// Whether a definition, or the product's declaration, says what it is.
    declared: bool,
    /// The labels that are defined; absent where the client makes them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    /// How many more there are.
    #[serde(skip_serializing_if = "is_none")]
    labels_left_out: usize,
    /// Until when it is recorded, as its definition says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

/// Whether a number is left away.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
const fn is_none(number: &usize) -> bool {
    *number == 0
}

/// A page of metrics with data, ascending by the names under which they are stored.
pub(crate) async fn answer(
    reads: &dyn AggregateReads,
    definitions: &Definitions,
    withheld: &Withheld,
    live: Live,
    parameters: &Parameters,
) -> Result<Reply, Problem> {
    refuse_strangers(parameters, &PARAMETERS)?;
    let [name] = parameters.required(["source"])?;
    let source = Source::named(name);
    let wanted = parameters.given("q").map(str::to_lowercase);
    let is_wanted = |metric: &StoredMetric| {
        let name = only_stored(&metric.metric)
            .unwrap_or(&metric.metric)
            .to_lowercase();
        is_listed(metric, withheld)
            && wanted
                .as_ref()
                .is_none_or(|wanted| name.contains(wanted.as_str()))
    };
    let first = parameters.given("after").map(str::to_owned);
    let (mut after, mut found, mut looked_at) = (first.clone(), Vec::new(), 0);
    let mut is_last = false;
    while found.len() < METRICS_ON_A_PAGE && looked_at < LIST_VALUES_MAX && !is_last {
        let page = reads.metrics(&source, after.as_deref(), METRICS_AT_ONCE).await?;
        is_last = page.len() < METRICS_AT_ONCE;
        looked_at += page.len();
        after = page.last().map(|metric| metric.metric.clone()).or(after);
        found.extend(page.into_iter().filter(|metric| is_wanted(metric)));
    }
    if looked_at == 0 && first.is_none() && reads.about(&source).await?.is_none() {
        return Err(no_source(reads, &source).await?);
    }
    if found.len() > METRICS_ON_A_PAGE {
        found.truncate(METRICS_ON_A_PAGE);
        after = found.last().map(|metric| metric.metric.clone());
        is_last = false;
    }
    let mut metrics = Vec::with_capacity(found.len());
    let mut late = pin!(task::sleep(PINGS_TIME_MAX));
    let mut is_late = false;
    for metric in &found {
        let pings = tokio::select! {
            biased;
            () = &mut late, if !is_late => {
                is_late = true;
                None
            }
            pings = pings_with(reads, &source, &metric.metric), if !is_late => pings?,
            else => None,
        };
        metrics.push(OneMetric {
            pings,
            ..shown(&source, metric, definitions)
        });
    }
    let left_out = match first {
        None => left_out_of(reads, &source).await?,
        Some(_) => None,
    };
    let left_out = left_out.map(|mut left_out| {
        left_out.retain(|one| !withheld.holds(&one.subject));
        left_out.truncate(LEFT_OUT_NAMED_MAX);
        left_out
    });
    let answer = Metrics {
        source: name.to_owned(),
        metrics,
        left_out,
        reach: live.reach(reads.status().await?.newest_received),
        next: after.filter(|_| !is_last),
    };
    made(move || Reply::json(&answer)).await
}

/// The first metrics of a source, without their pings, at most so many; and whether these are all.
pub(super) async fn first_of(
    reads: &dyn AggregateReads,
    definitions: &Definitions,
    withheld: &Withheld,
    source: &Source,
    limit: usize,
) -> Result<(Vec<OneMetric>, bool), Problem> {
    let found = reads.metrics(source, None, limit + 1).await?;
    let is_all = found.len() <= limit;
    let found = found
        .iter()
        .take(limit)
        .filter(|metric| is_listed(metric, withheld));
    Ok((
        found.map(|metric| shown(source, metric, definitions)).collect(),
        is_all,
    ))
}

/// Whether a metric is in lists at all.
fn is_listed(metric: &StoredMetric, withheld: &Withheld) -> bool {
    let shown = only_stored(&metric.metric);
    !withheld.holds(shown.unwrap_or(&metric.metric)) && (shown.is_some() || !is_beside(&metric.metric))
}

fn shown(source: &Source, metric: &StoredMetric, definitions: &Definitions) -> OneMetric {
    if let Some(name) = only_stored(&metric.metric) {
        let said = definitions.said(source, name);
        let described = said.map(|said| said.description.to_owned());
        return OneMetric {
            metric: name.to_owned(),
            kind: Some(STORED),
            description: described.filter(|description| !description.is_empty()),
            declared: said.is_some(),
            ..OneMetric::default()
        };
    }
    let (form, labelled) = Form::of_metric(source, metric);
    let is_main = source.as_str() == Source::TELEMETRY_MAIN;
    let bare = metric.metric.strip_prefix(COUNT).filter(|_| is_main);
    let name = bare.unwrap_or(&metric.metric);
    let definition = definitions.get(name).filter(|_| is_main);
    let said = definitions.said(source, name).filter(|_| !is_main);
    let described = definition.map(|definition| definition.description);
    let described = described.or_else(|| said.map(|said| said.description.to_owned()));
    let told = metric.examples.iter().find_map(|(_, layout)| unit_of(layout));
    let unit = said.and_then(|said| said.unit).or_else(|| own_unit(name));
    let labels = said.map_or(&[][..], |said| said.labels);
    OneMetric {
        metric: name.to_owned(),
        kind: form.map(Form::name),
        unit: unit.or(told).map(str::to_owned),
        labelled,
        pings: None,
        description: described.filter(|description| !description.is_empty()),
        declared: said.is_some() || is_main && definitions.names(name),
        labels: labels.iter().take(LABELS_NAMED_MAX).cloned().collect(),
        labels_left_out: labels.len().saturating_sub(LABELS_NAMED_MAX),
        expires: said
            .and_then(|said| said.expires)
            .map(|expires| expires.to_string()),
    }
}
