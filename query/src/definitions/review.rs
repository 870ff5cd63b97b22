//! What arrives of Glean's metrics held against what is defined: undeclared, expired, never seen. Pure: who looks is told what was found.

use std::collections::BTreeSet;

use aggregate_store::{CellQuery, Dimension, Filter, Source, Wanted};
use ping::SubmissionDate;
use readers::definitions::{Expiry, MetricDefinition};
use readers::glean::EVENTS;
use readers::values::beside::{is_beside, only_stored};

use super::said::{TELEMETRY, is_sent_in};
use super::table::Definitions;
use crate::limits::{EXPIRED_ASKED_MAX, EXPIRED_DAYS};

/// The SDK's own metrics: they are in no application's definitions.
const OWN: &str = "glean.";

/// A source, and the metrics that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenSource {
    /// Which one.
    pub source: Source,
    /// Its metrics, by the names under which they count.
    pub metrics: Vec<String>,
    /// Whether these are all.
    pub is_whole: bool,
}

/// What was found. Names are those of source and metric, or of the metric alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// What arrives and is not defined.
    pub undeclared: Vec<String>,
    /// What is defined and never arrived; nothing where not all that arrived is known.
    pub never_seen: Vec<String>,
    /// What arrived once, and must not arrive any more.
    pub expired: Vec<Lapsed>,
    /// How many of these are left out.
    pub expired_left_out: u64,
}

/// A metric that is expired, or is from some version on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lapsed {
    source: Source,
    metric: String,
    expiry: Expiry,
    /// The first day of which it is asked whether it still arrives.
    from: SubmissionDate,
}

impl Lapsed {
    /// Source and metric.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.source, self.metric)
    }

    /// The versions of the pings in which it arrived of late, to be asked of the store: [`still_arrives`](Self::still_arrives) judges them.
    #[must_use]
    pub fn question(&self) -> (CellQuery, Dimension) {
        let day = Filter {
            dimension: Dimension::named(Dimension::SUBMISSION_DATE),
            wanted: Wanted::Between {
                from: Some(self.from.to_string()),
                to: None,
            },
        };
        let query = CellQuery {
            source: self.source.clone(),
            metric: self.metric.clone(),
            filters: vec![day],
            label: None,
            processes: None,
            group_by: Vec::new(),
            by_process: false,
        };
        (query, Dimension::named(Dimension::VERSION))
    }

    /// Whether it arrives although it is expired, in pings of these versions.
    #[must_use]
    pub fn still_arrives(&self, versions: &[String]) -> bool {
        match self.expiry {
            Expiry::Never => false,
            Expiry::Expired | Expiry::Date(_) => !versions.is_empty(),
            Expiry::Version(last) => {
                let later = |version: &String| version.parse::<i64>().is_ok_and(|version| version >= last);
                versions.iter().any(later)
            }
        }
    }
}

impl Definitions {
    /// Whether pings of a source may be Glean's.
    #[must_use]
    pub fn may_be_gleans(&self, source: &Source) -> bool {
        let (namespace, _) = source.as_str().split_once('/').unwrap_or_default();
        namespace != TELEMETRY && !self.is_declared(source)
    }

    /// Holds what there is against what is defined. Namespaces of which no metric is defined are other applications', whose definitions were
    /// not given: nothing is said of them.
    #[must_use]
    pub fn review(&self, seen: &[SeenSource], today: SubmissionDate) -> Review {
        let definition = |source: &Source, metric: &str| {
            let definition = self.glean().metric(metric);
            definition.filter(|definition| is_sent_in(definition, source))
        };
        let namespace = |seen: &SeenSource| -> String {
            let parts = seen.source.as_str().split_once('/');
            parts.map_or("", |(namespace, _)| namespace).to_owned()
        };
        let is_known = |seen: &&SeenSource| {
            let mut metrics = seen.metrics.iter();
            metrics.any(|metric| definition(&seen.source, metric).is_some())
        };
        let is_all = seen.iter().all(|seen| seen.is_whole);
        let covered: BTreeSet<String> = seen.iter().filter(is_known).map(namespace).collect();
        let seen: Vec<&SeenSource> = seen
            .iter()
            .filter(|seen| covered.contains(&namespace(seen)))
            .collect();
        let mut review = Review::default();
        for SeenSource { source, metrics, .. } in seen.iter().copied() {
            let told = metrics.iter().filter(|metric| !is_beside(metric));
            for metric in told {
                let name = metric.strip_prefix(EVENTS).unwrap_or(metric);
                match definition(source, metric) {
                    None if name.starts_with(OWN) => {}
                    None => review.undeclared.push(format!("{source} {metric}")),
                    Some(definition) => review.note_expiry(source, metric, definition, today),
                }
            }
        }
        if !seen.is_empty() && is_all {
            let arrived = seen.iter().flat_map(|seen| &seen.metrics);
            let arrived: BTreeSet<&str> = arrived
                .map(|metric| only_stored(metric).unwrap_or(metric))
                .collect();
            review.never_seen = self.never_among(&arrived, today);
        }
        review
    }

    /// Metrics that count, are recorded, and are not among these.
    fn never_among(&self, arrived: &BTreeSet<&str>, today: SubmissionDate) -> Vec<String> {
        let defined = self.glean().metrics.iter();
        let is_recorded = |definition: &MetricDefinition| match definition.expires {
            Some(Expiry::Expired) => false,
            Some(Expiry::Date(day)) => today < day,
            _ => !definition.disabled,
        };
        let never = defined.filter(|(name, definition)| {
            let counted = definition.counted_as(name);
            let mut counted = counted.iter().filter(|(_, kind)| kind.is_some()).peekable();
            is_recorded(definition)
                && counted.peek().is_some()
                && counted.all(|(name, _)| !arrived.contains(name.as_str()))
        });
        never.map(|(name, _)| name.clone()).collect()
    }
}

impl Review {
    fn note_expiry(
        &mut self,
        source: &Source,
        metric: &str,
        definition: &MetricDefinition,
        today: SubmissionDate,
    ) {
        let late = today.plus_days(-EXPIRED_DAYS);
        let from = match definition.expires {
            Some(Expiry::Expired | Expiry::Version(_)) => late,
            Some(Expiry::Date(day)) if day <= today => day.max(late),
            _ => return,
        };
        let Some(expiry) = definition.expires else { return };
        if self.expired.len() < EXPIRED_ASKED_MAX {
            self.expired.push(Lapsed {
                source: source.clone(),
                metric: metric.to_owned(),
                expiry,
                from,
            });
        } else {
            self.expired_left_out += 1;
        }
    }
}
