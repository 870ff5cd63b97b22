//! Retention as a task of the pipeline, and what it is told.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aggregate_store::RetainAggregates;
use aggregator::Aggregator;
use async_trait::async_trait;
use index_schema::{AllFloors, Forgotten, RetainIndex};
use ping::{SubmissionDate, Timestamp};
use retention::{Consent, Parts, Retained, Retainer, RetentionError, Rules, RulesBySource, Standstill};
use service::clock::Clock;
use service::current::Current;
use store::Store;

/// How often what is kept is compared with the rules: days go whole, and sizes change slowly.
pub(super) const EVERY: Duration = Duration::from_secs(3_600);

/// The pause after a run that failed.
pub(super) const AGAIN: Duration = Duration::from_secs(60);

/// Retention over a pipeline's parts.
pub(super) struct Retaining {
    retainer: Retainer,
    index: Arc<dyn RetainIndex>,
    clock: Arc<dyn Clock>,
    last: Arc<LastRun>,
    /// The aggregates in use, which a rebuild exchanges.
    pub(super) aggregates: Arc<Current<dyn RetainAggregates>>,
}

/// What the last run left, in words.
#[derive(Debug, Default)]
pub(crate) struct LastRun(Mutex<(Vec<String>, Option<String>)>);

impl LastRun {
    /// What waits for a person, and why the run did not delete everything.
    pub(super) fn told(&self) -> (Vec<String>, Option<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, outcome: &Result<Retained, RetentionError>) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(retained) => *last = (retained.held.iter().map(ToString::to_string).collect(), None),
            // What was held before may be what this run deletes: it is not known any more.
            Err(error) => *last = (Vec::new(), Some(error.to_string())),
        }
    }
}

/// The aggregator, as it can be held up.
#[derive(Debug)]
struct Folding(Arc<Aggregator>);

#[async_trait]
impl Standstill for Folding {
    async fn stand_still<'a>(&'a self) -> Result<Box<dyn Send + 'a>, String> {
        let standing = self.0.stand_still().await.map_err(|error| error.to_string())?;
        Ok(Box::new(standing))
    }
}

impl Retaining {
    pub(super) fn new(
        store: Arc<dyn Store>,
        index: Arc<dyn RetainIndex>,
        aggregates: Arc<dyn RetainAggregates>,
        aggregator: Arc<Aggregator>,
        clock: Arc<dyn Clock>,
        (rules, sources): (Rules, RulesBySource),
    ) -> Self {
        let aggregates = Arc::new(Current::new(aggregates));
        let parts = Parts {
            store,
            index: index.clone(),
            aggregates: aggregates.clone(),
            folding: Arc::new(Folding(aggregator)),
        };
        Self {
            retainer: Retainer::with_sources(parts, rules, sources),
            index,
            clock,
            last: Arc::default(),
            aggregates,
        }
    }

    /// What the last run left.
    pub(super) const fn last(&self) -> &Arc<LastRun> {
        &self.last
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.clock.now_micros())
    }

    /// Goes by other rules of sources from the next run on.
    pub(super) fn go_by(&self, by_source: RulesBySource) {
        self.retainer.go_by(by_source);
    }

    /// What a run would do.
    pub(super) async fn look(&self) -> anyhow::Result<Retained> {
        Ok(self.retainer.look(self.now().submission_date()).await?)
    }

    /// One run.
    pub(super) async fn run(&self, consent: Consent) -> anyhow::Result<Retained> {
        let outcome = self.retainer.run(self.now().submission_date(), consent).await;
        self.last.note(&outcome);
        Ok(outcome?)
    }

    /// Forgets one object.
    pub(super) async fn forget(&self, key: &str, why: &str) -> anyhow::Result<Forgotten> {
        Ok(self.retainer.forget(key, why, self.now()).await?)
    }

    /// The same of sources whose pings go earlier.
    async fn check_sources(
        &self,
        floors: &AllFloors,
        aggregates: &dyn RetainAggregates,
    ) -> anyhow::Result<()> {
        let sources: Vec<String> = floors
            .sources
            .iter()
            .map(|(source, _)| source.to_owned())
            .collect();
        for (source, days) in aggregates.days_of_sources(&sources).await? {
            let of_source = floors.of_source(&source);
            let is_kept = |day: &&SubmissionDate| Some(**day) >= of_source.aggregates;
            if let (Some(floor), Some(oldest)) = (of_source.pings, days.iter().find(is_kept)) {
                anyhow::ensure!(
                    *oldest >= floor,
                    "a rebuild would lose the aggregates of {source} of {oldest} to {}, whose pings were deleted (its pings are kept from \
                     {floor} on): fold the sources anew that need it, one by one (`highwater rebuild --source`), which leaves those days as \
                     they are, or all without them (`highwater rebuild --forget-older`)",
                    floor.plus_days(-1)
                );
            }
        }
        Ok(())
    }

    /// Whether a rebuild keeps everything that is in the aggregates: it cannot make those of deleted pings again.
    pub(super) async fn check_rebuild(&self, forget_older: bool) -> anyhow::Result<()> {
        let floors = self.index.all_floors().await?;
        let aggregates = self.aggregates.get();
        if !forget_older {
            self.check_sources(&floors, &*aggregates).await?;
        }
        let floors = floors.all;
        let oldest = aggregates.days().await?.into_iter().next();
        match (floors.pings, oldest) {
            (Some(floor), Some(oldest)) if oldest < floor && !forget_older => anyhow::bail!(
                "a rebuild would lose the aggregates of {oldest} to {}, whose pings were deleted (pings are kept from {floor} on): \
                 `highwater rebuild --forget-older` rebuilds without them",
                floor.plus_days(-1)
            ),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_run_that_failed_nothing_is_said_to_wait_that_it_may_have_deleted() {
        let day = |text: &str| text.parse().expect("a day");
        let held = retention::Held {
            of: retention::Kind::Pings,
            source: None,
            keep: retention::RetentionRule::default(),
            today: day("20261129"),
            floor: day("20261128"),
            oldest: day("20261101"),
            newest: day("20261128"),
            days: 20,
            bytes: 1,
            of_bytes: 2,
        };
        let last = LastRun::default();
        last.note(&Ok(Retained {
            held: vec![held],
            ..Retained::default()
        }));
        assert_eq!((last.told().0.len(), last.told().1), (1, None));
        last.note(&Err(RetentionError::Standstill("busy".to_owned())));
        let (held, failed) = last.told();
        assert!(
            held.is_empty() && failed.is_some_and(|words| words.contains("busy")),
            "{held:?}"
        );
    }
}
