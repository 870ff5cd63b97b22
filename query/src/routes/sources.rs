//! Where pings came from: what is counted of each source, and which are only stored.

use std::collections::BTreeMap;

use aggregate_store::{AboutSource, AggregateReads, Counters, Source};
use index_schema::Index;
use ping::OTHER;
use serde::Serialize;

use crate::charted::Charted;
use crate::definitions::Definitions;
use crate::generic::{dimensions_of, is_of_rates, refuse_strangers};
use crate::limits::{LIST_PRODUCTS_MAX, LIST_SOURCES_MAX, LIST_VALUES_MAX};
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::reply::{Reply, made};
use crate::uncounted::is_told_apart;

#[derive(Debug, Serialize)]
struct Sources {
    /// Ascending by name.
    sources: Vec<OneSource>,
    /// How many more are counted.
    left_out: u64,
}

#[derive(Debug, Default, Serialize)]
struct OneSource {
    source: String,
    #[serde(flatten)]
    counted: Counted,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_day: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_day: Option<String>,
    /// Absent where there are more than a list has.
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<usize>,
    /// Pings that are stored, of a source that is not counted, repeated copies among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<u64>,
    /// Why nothing is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// What is known of the pings themselves: who reads them, and what became of them.
#[derive(Debug, Default, Serialize)]
struct Counted {
    #[serde(skip_serializing_if = "Option::is_none")]
    reader: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pings: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    folded: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errored: Option<u64>,
}

/// All of them.
pub(crate) async fn answer(
    reads: &dyn AggregateReads,
    index: &dyn Index,
    charted: &Charted,
    definitions: &Definitions,
    parameters: &Parameters,
) -> Result<Reply, Problem> {
    refuse_strangers(parameters, &[])?;
    let mut sources = stored_only(index, charted).await?;
    let known = reads.sources(LIST_SOURCES_MAX).await?;
    let pings = reads.source_pings(LIST_SOURCES_MAX).await?.values.into_iter();
    let pings: BTreeMap<Source, Counters> = pings.map(|pings| (pings.source, pings.counters)).collect();
    for source in &known.values {
        if let Some(about) = reads.about(source).await? {
            let metrics = reads.metrics(source, None, LIST_VALUES_MAX).await?;
            let is_whole = metrics.len() < LIST_VALUES_MAX;
            let metrics = metrics.iter().filter(|metric| !is_of_rates(&metric.metric));
            let entry = counted(
                (source, pings.get(source)),
                definitions,
                &about,
                is_whole.then(|| metrics.count()),
            );
            sources.insert(source.as_str().to_owned(), entry);
        }
    }
    // What lies under partitions that do not tell types apart, or left no cell.
    for (source, counters) in pings.iter().filter(|(source, _)| source.as_str() != OTHER) {
        let entry = || uncharted((source, reader_of(source, definitions)), counters);
        sources.entry(source.as_str().to_owned()).or_insert_with(entry);
    }
    let answer = Sources {
        sources: sources.into_values().collect(),
        left_out: known.left_out,
    };
    made(move || Reply::json(&answer)).await
}

/// Who reads the pings of a source that is counted.
fn reader_of(source: &Source, definitions: &Definitions) -> &'static str {
    match source.as_str() {
        Source::TELEMETRY_MAIN => "telemetry",
        _ if definitions.is_declared(source) => "declared",
        _ => "glean",
    }
}

fn counted(
    (source, pings): (&Source, Option<&Counters>),
    definitions: &Definitions,
    about: &AboutSource,
    metrics: Option<usize>,
) -> OneSource {
    let reader = reader_of(source, definitions);
    OneSource {
        source: source.as_str().to_owned(),
        counted: Counted {
            reader: Some(reader),
            // Different ones: a repeat is none.
            pings: pings.map(|pings| pings.accounted().saturating_sub(number(pings.repeated))),
            folded: pings.map(|pings| number(pings.folded)),
            errored: pings.map(|pings| number(pings.errored_pings)),
        },
        dimensions: dimensions_of(source, Some(about), definitions),
        first_day: Some(about.first_day.to_string()),
        last_day: Some(about.last_day.to_string()),
        metrics,
        ..OneSource::default()
    }
}

/// A source of which no cell is there.
fn uncharted((source, reader): (&Source, &'static str), counters: &Counters) -> OneSource {
    let is_counted = counters.folded > 0;
    let known = Counted {
        reader: Some(if is_counted { reader } else { "none" }),
        pings: is_counted.then(|| counters.accounted().saturating_sub(number(counters.repeated))),
        folded: is_counted.then(|| number(counters.folded)),
        errored: is_counted.then(|| number(counters.errored_pings)),
    };
    OneSource {
        source: source.as_str().to_owned(),
        counted: known,
        stored: (!is_counted).then(|| counters.accounted()),
        reason: (!is_counted).then_some(STORED_ONLY),
        ..OneSource::default()
    }
}

const STORED_ONLY: &str = "Pings of this type are stored and not counted.";

fn number(pings: i64) -> u64 {
    u64::try_from(pings).unwrap_or(0)
}

/// Sources whose pings are stored and not counted, by name.
async fn stored_only(index: &dyn Index, charted: &Charted) -> Result<BTreeMap<String, OneSource>, Problem> {
    let products = index
        .products(LIST_PRODUCTS_MAX)
        .await
        .map_err(|error| Problem::unavailable("index", &error))?;
    let mut sources: BTreeMap<String, OneSource> = BTreeMap::new();
    let only_stored = products.products.iter();
    let only_stored =
        only_stored.filter(|product| product.records > 0 && is_told_apart(product) && !charted(product));
    for product in only_stored {
        let source = format!("{}/{}", product.namespace, product.doc_type);
        let entry = sources.entry(source.clone()).or_default();
        entry.source = source;
        entry.counted.reader = Some("none");
        entry.reason = Some(STORED_ONLY);
        entry.stored = Some(entry.stored.unwrap_or(0) + product.records);
    }
    Ok(sources)
}
