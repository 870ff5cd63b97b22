//! What rules of sources say: which of their floors rise, and what waits. Pure.

use std::collections::{BTreeMap, BTreeSet};

use index_schema::{AllFloors, SeenSources, SourceFloor, SourceFloors, StoredDay};
use ping::SubmissionDate;

use crate::plan::{RulesBySource, SourceRules};
use crate::step::{Consent, Day, Held, Kind, Step, by_which};
use crate::today::Today;

/// What there is of sources.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The floors before.
    pub(crate) floors: AllFloors,
    /// What their chunks take by day.
    pub(crate) chunks: BTreeMap<String, Vec<StoredDay>>,
    /// The days of their aggregates.
    pub(crate) aggregates: BTreeMap<String, BTreeSet<SubmissionDate>>,
}

/// What the rules say now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SourceSteps {
    /// How far floors rise.
    pub(crate) floors: SourceFloors,
    /// What waits for a person.
    pub(crate) held: Vec<Held>,
    /// The days of chunks of which this was said.
    pub(crate) seen: SeenSources,
}

impl SourceSteps {
    /// What the rules of all sources say.
    pub(crate) fn of(rules: &RulesBySource, found: &Found, today: &Today, consent: Consent) -> Self {
        let mut steps = Self::default();
        let mut floors = Vec::new();
        for (source, keep) in rules {
            let of_source = found.steps(source, keep, today, consent);
            let floor = SourceFloor {
                chunks: of_source[0].floor,
                aggregates: of_source[1].floor,
            };
            floors.push((source.clone(), floor));
            let held = of_source.into_iter().filter_map(|step| step.held);
            steps.held.extend(held.map(|held| Held {
                source: Some(source.clone()),
                ..held
            }));
            let days = found.chunks.get(source).into_iter().flatten();
            let days = days.map(|day| day.date).collect();
            steps.seen.insert(source.clone(), days);
        }
        steps.floors = SourceFloors::default().raised(&floors.into_iter().collect());
        steps
    }
}

impl Found {
    /// What the rules of one source say of its chunks, and of its aggregates.
    fn steps(&self, source: &str, keep: &SourceRules, today: &Today, consent: Consent) -> [Step; 2] {
        let own = self.floors.sources.get(source);
        let raised = [
            own.chunks.and_then(|floor| by_which(floor, &keep.chunks)),
            own.aggregates.and_then(|floor| by_which(floor, &keep.aggregates)),
        ];
        let today = today.since(raised.into_iter().flatten().max());
        let all = self.floors.all;
        let chunks = self.chunks.get(source).into_iter().flatten();
        // What is below both floors of all goes in any case.
        let goes = |day: SubmissionDate| Some(day) < all.pings.min(all.errors) || Some(day) < own.chunks;
        let chunks: Vec<Day> = chunks
            .filter(|day| !goes(day.date))
            .map(|day| (day.date, day.stored_bytes))
            .collect();
        let goes = |day: SubmissionDate| Some(day) < all.aggregates.max(own.aggregates);
        let aggregates = self.aggregates.get(source).into_iter().flatten();
        // Days count alike: no size is asked for.
        let aggregates: Vec<Day> = aggregates
            .filter(|day| !goes(**day))
            .map(|day| (*day, 1))
            .collect();
        let kinds = [
            (Kind::Pings, &keep.chunks, chunks),
            (Kind::Aggregates, &keep.aggregates, aggregates),
        ];
        kinds.map(|(of, keep, days)| Step::of((of, keep), &days, &today, consent))
    }
}

#[cfg(test)]
mod tests;
