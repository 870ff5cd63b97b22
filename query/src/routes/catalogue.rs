//! What there is to ask for: sources with their dimensions and metrics, and questions to begin with.

use aggregate_store::{AggregateReads, Source};
use index_schema::Index;
use serde::Serialize;

use super::metric_list::{self, OneMetric};
use super::sources::{self, OneSource};
use crate::charted::Charted;
use crate::definitions::Definitions;
use crate::limits::{CATALOGUE_METRICS_MAX, CATALOGUE_METRICS_OF_A_SOURCE};
use crate::live::{Live, Reach};
use crate::parameters::encode;
use crate::problem::Problem;
use crate::reply::{Reply, made};
use crate::withheld::Withheld;

#[derive(Debug, Serialize)]
struct Catalogue {
    sources: Vec<Listed>,
    /// How many more sources are counted.
    left_out: u64,
    #[serde(flatten)]
    reach: Reach,
}

/// A source, with what can be asked of it.
#[derive(Debug, Serialize)]
struct Listed {
    #[serde(flatten)]
    about: OneSource,
    /// Its first metrics, ascending by name.
    listed_metrics: Vec<OneMetric>,
    /// Whether it has more, which `/api/v1/metrics` lists.
    has_more_metrics: bool,
    /// Addresses below this server that answer something.
    questions: Vec<String>,
}

/// All of it.
pub(crate) async fn answer(
    reads: &dyn AggregateReads,
    index: &dyn Index,
    charted: &Charted,
    (definitions, withheld): (&Definitions, &Withheld),
    live: Live,
) -> Result<Reply, Problem> {
    let listed = sources::list(reads, index, charted, definitions, live).await?;
    let mut room = CATALOGUE_METRICS_MAX;
    let mut all = Vec::with_capacity(listed.sources.len());
    for about in listed.sources {
        let source = Source::named(&about.source);
        let (mut metrics, mut is_all) = (Vec::new(), true);
        if about.dimensions.is_some() {
            let limit = room.min(CATALOGUE_METRICS_OF_A_SOURCE);
            (metrics, is_all) = metric_list::first_of(reads, definitions, withheld, &source, limit).await?;
        }
        room -= metrics.len();
        all.push(Listed {
            questions: questions(&about, &metrics),
            about,
            listed_metrics: metrics,
            has_more_metrics: !is_all,
        });
    }
    let catalogue = Catalogue {
        sources: all,
        left_out: listed.left_out,
        reach: listed.reach,
    };
    made(move || Reply::json(&catalogue)).await
}

/// Questions to begin with: how many pings are of each version, how the first metric is distributed, and from version to version.
fn questions(about: &OneSource, metrics: &[OneMetric]) -> Vec<String> {
    let source = encode(&about.source);
    let Some(dimensions) = &about.dimensions else {
        return Vec::new();
    };
    let by = ["version", "build_date"].into_iter();
    let by = by.chain(dimensions.iter().rev().map(String::as_str));
    let mut by = by.filter(|name| dimensions.iter().any(|known| known == name));
    let by = encode(by.next().unwrap_or("submission_date"));
    let mut questions = vec![
        format!("/api/v1/values?source={source}&dimension={by}"),
        format!("/api/v1/metrics?source={source}"),
    ];
    if let Some(metric) = metrics.iter().find(|metric| metric.kind != Some("stored")) {
        let metric = encode(&metric.metric);
        let asked = format!("/api/v1/aggregates?source={source}&metric={metric}");
        questions.push(asked.clone());
        questions.push(format!("{asked}&group_by={by}&order=pings&limit=10"));
    }
    questions
}
