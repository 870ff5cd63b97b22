//! Retention as the program wires it up, and the law that it is held to: what is younger than what is kept stays, whatever
//! the clock says.

use std::sync::Arc;
use std::time::Duration;

use aggregate_store::RetainAggregates;
use aggregator::Aggregator;
use aggregator::fold::FoldSettings;
use async_trait::async_trait;
use index_schema::{ChunkKey, RetainIndex};
use ping::{Dimension, SubmissionDate, Timestamp};
use retention::{Consent, Parts, Retained, Retainer, RetentionError, RetentionRule, Rules, Standstill};
use service::current::Current;
use store::Store;

const DAY: Duration = Duration::from_secs(86_400);

/// Retention of one process.
#[derive(Debug)]
pub struct Retaining {
    retainer: Retainer,
    consent: Consent,
    /// The aggregates in use, which a rebuild exchanges.
    pub aggregates: Arc<Current<dyn RetainAggregates>>,
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
    /// Pings, errored pings and aggregates are kept for so many days.
    pub fn new(
        store: Arc<dyn Store>,
        index: Arc<dyn RetainIndex>,
        aggregates: Arc<dyn RetainAggregates>,
        aggregator: Arc<Aggregator>,
        (days, consent): (u32, Consent),
    ) -> Self {
        let keep = RetentionRule {
            age: Some(DAY * days),
            bytes: None,
        };
        let rules = Rules {
            pings: keep,
            errors: keep,
            aggregates: keep,
            copies: RetentionRule::default(),
            repeat_window: FoldSettings::default().repeat_window,
        };
        let aggregates = Arc::new(Current::new(aggregates));
        let parts = Parts {
            store,
            index,
            aggregates: Arc::clone(&aggregates),
            folding: Arc::new(Folding(aggregator)),
        };
        Self {
            retainer: Retainer::new(parts, rules),
            consent,
            aggregates,
        }
    }

    /// One run, by this clock.
    ///
    /// # Errors
    /// What kept something from being deleted.
    pub async fn run(&self, now_micros: i64) -> Result<Retained, RetentionError> {
        let today = Timestamp::from_micros(now_micros).submission_date();
        self.retainer.run(today, self.consent).await
    }
}

/// What is known of days beside the clock.
#[derive(Clone, Debug)]
pub struct Days {
    /// The first day of everything.
    pub first: SubmissionDate,
    /// By how many days the clock was off, now or at other times.
    pub leaps: Vec<i64>,
    /// How many days are kept.
    pub keep: u32,
}

impl Days {
    /// Whether a chunk may go on this day, which is the right one.
    ///
    /// # Errors
    /// Why it must stay.
    pub fn may_go(&self, key: &ChunkKey, today: SubmissionDate) -> Result<(), String> {
        let written = date(key);
        let first = self.first;
        let right = [0].iter().chain(&self.leaps).find_map(|leap| {
            let day = written.plus_days(-leap);
            (first..=today).contains(&day).then_some(day)
        });
        match right {
            None => Err(format!("nothing was received on {written}, {first} to {today}")),
            Some(day) if day.plus_days(i64::from(self.keep)) < today => Ok(()),
            Some(day) => Err(format!(
                "it is of {day}, today is {today}, {} days are kept",
                self.keep
            )),
        }
    }
}

/// The day that a chunk says it is of.
///
/// # Panics
/// When it says none.
pub(crate) fn date(key: &ChunkKey) -> SubmissionDate {
    let day = key.partition.get(Dimension::SubmissionDate);
    day.parse().expect("chunks are of a day")
}

#[cfg(test)]
mod tests {
    use ping::{ChunkId, Incarnation, Partition};

    use super::*;

    fn key(day: &str) -> ChunkKey {
        let values = [
            day,
            "telemetry",
            "4",
            "main",
            "Firefox",
            "nightly",
            "54.0a1",
            "20170130030205",
        ];
        ChunkKey {
            prefix: "pings".to_owned(),
            kind: index_schema::ChunkKind::Pings,
            partition: Partition::new(values.map(str::to_owned)),
            id: ChunkId {
                incarnation: Incarnation::from_bytes([1; 16]),
                boot: 1,
                plan: 1,
            },
        }
    }

    #[test]
    fn a_chunk_may_go_when_all_days_are_over_that_are_kept_after_its_right_day() {
        let days = Days {
            first: "20261120".parse().expect("a date"),
            leaps: vec![-90],
            keep: 2,
        };
        let may = |day: &str, today: &str| days.may_go(&key(day), today.parse().expect("a date")).is_ok();
        assert!(may("20261120", "20261123"));
        assert!(!may("20261121", "20261123"), "two days are kept");
        assert!(
            !may("20260825", "20261123"),
            "it came under a clock 90 days behind, on the 23rd"
        );
        assert!(may("20260825", "20261126"));
        assert!(!may("20270101", "20261126"), "no clock said so");
    }
}
