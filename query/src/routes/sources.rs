//! Where pings came from: what is counted of each source, and which are only stored.

use std::collections::BTreeMap;

use aggregate_store::{AboutSource, AggregateReads, Counters, Source};
use index_schema::{Index, ProductCount};
use ping::OTHER;
use readers::values::beside::{is_beside, only_stored};
use serde::Serialize;

use crate::charted::Charted;
use crate::definitions::Definitions;
use crate::generic::{dimensions_of, refuse_strangers};
use crate::limits::{LIST_PRODUCTS_MAX, LIST_SOURCES_MAX, LIST_VALUES_MAX};
use crate::live::{Live, Reach};
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::reply::{Reply, made};
use crate::uncounted::is_told_apart;

#[derive(Debug, Serialize)]
pub(super) struct Sources {
    /// Ascending by name.
    pub(super) sources: Vec<OneSource>,
    /// How many more are counted.
    pub(super) left_out: u64,
    #[serde(flatten)]
    pub(super) reach: Reach,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct OneSource {
    pub(super) source: String,
    #[serde(flatten)]
    counted: Counted,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dimensions: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_day: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_day: Option<String>,
    /// Absent where there are more than a list has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metrics: Option<usize>,
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
    live: Live,
    parameters: &Parameters,
) -> Result<Reply, Problem> {
    refuse_strangers(parameters, &[])?;
    let answer = list(reads, index, charted, definitions, live).await?;
    made(move || Reply::json(&answer)).await
}

/// The list of them.
pub(super) async fn list(
    reads: &dyn AggregateReads,
    index: &dyn Index,
    charted: &Charted,
    definitions: &Definitions,
    live: Live,
) -> Result<Sources, Problem> {
    let mut sources = stored_only(index, charted).await?;
    let known = reads.sources(LIST_SOURCES_MAX).await?;
    let pings = reads.source_pings(LIST_SOURCES_MAX).await?.values.into_iter();
    let pings: BTreeMap<Source, Counters> = pings.map(|pings| (pings.source, pings.counters)).collect();
    for source in &known.values {
        if let Some(about) = reads.about(source).await? {
            let metrics = reads.metrics(source, None, LIST_VALUES_MAX).await?;
            let is_whole = metrics.len() < LIST_VALUES_MAX;
            let metrics = metrics.iter();
            let metrics =
                metrics.filter(|metric| only_stored(&metric.metric).is_some() || !is_beside(&metric.metric));
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
        let reader = reader_of(source, definitions);
        let is_by_rule = reader != "glean" || charted(&named(source));
        let entry = sources.entry(source.as_str().to_owned());
        let entry = entry.or_insert_with(|| OneSource::of(source));
        if entry.counted.pings.is_none() {
            entry.fill(
                counters,
                if is_by_rule || counters.folded > 0 {
                    reader
                } else {
                    "none"
                },
            );
        }
    }
    Ok(Sources {
        sources: sources.into_values().collect(),
        left_out: known.left_out,
        reach: live.reach(reads.status().await?.newest_received),
    })
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
        counted: Counted::by(reader, pings),
        dimensions: dimensions_of(source, Some(about), definitions),
        first_day: Some(about.first_day.to_string()),
        last_day: Some(about.last_day.to_string()),
        metrics,
        ..OneSource::default()
    }
}

impl Counted {
    fn by(reader: &'static str, pings: Option<&Counters>) -> Self {
        Self {
            reader: Some(reader),
            // Different ones: a repeat is none.
            pings: pings.map(|pings| pings.accounted().saturating_sub(number(pings.repeated))),
            folded: pings.map(|pings| number(pings.folded)),
            errored: pings.map(|pings| number(pings.errored_pings)),
        }
    }
}

impl OneSource {
    fn of(source: &Source) -> Self {
        Self {
            source: source.as_str().to_owned(),
            ..Self::default()
        }
    }

    /// Says of a source of which no cell is there what became of its pings.
    fn fill(&mut self, counters: &Counters, reader: &'static str) {
        self.counted = Counted::by(reader, Some(counters));
        if counters.folded > 0 {
            return;
        }
        let stored_only = number(counters.stored_only);
        self.reason = match (reader, counters.errored_pings > 0) {
            ("none", true) if stored_only == 0 => Some(ALL_ERRORED),
            ("none", _) => Some(STORED_ONLY),
            (_, true) => Some(ALL_ERRORED),
            (_, false) => None,
        };
        if reader == "none" && stored_only > 0 {
            self.stored.get_or_insert(stored_only);
        }
    }
}

/// A source as the index names its products.
fn named(source: &Source) -> ProductCount {
    let (namespace, doc_type) = source.as_str().split_once('/').unwrap_or_default();
    ProductCount {
        namespace: namespace.to_owned(),
        doc_type: doc_type.to_owned(),
        app_name: String::new(),
        records: 0,
    }
}

const STORED_ONLY: &str = "Pings of this type are stored and not counted.";
const ALL_ERRORED: &str = "None of its pings could be counted: they are errored. /health says why.";

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
