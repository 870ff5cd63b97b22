//! Holds what arrives against the definitions, again and again, beside the watch: a long list of metrics must not keep it from looking.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aggregate_store::{AggregateError, AggregateReads, Counters, ValueOf};
use ping::{SubmissionDate, Timestamp};
use query::definitions::{Definitions, SeenSource};
use query::health::{DefinitionNumbers, Named};
use service::clock::Clock;
use service::current::Current;
use service::shutdown::Shutdown;
use service::task;

use super::arrived::metrics_of;

/// How often.
const EVERY: Duration = Duration::from_secs(10);

/// Sources whose metrics are listed.
const SOURCES_MAX: usize = 1_000;

/// Metrics that are listed of all of them: above it nothing can be said to have never been seen.
const METRICS_MAX: usize = 10_000;

/// Versions of which a metric's pings are listed.
const VERSIONS_MAX: usize = 1_000;

/// What the numbers depend on.
type State = (SubmissionDate, Option<Timestamp>, Counters);

/// Definitions, and how what arrives fitted to them when it was looked at last.
pub(crate) struct Defined {
    definitions: Arc<Current<Definitions>>,
    newest: RwLock<Option<DefinitionNumbers>>,
}

impl fmt::Debug for Defined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Defined").finish_non_exhaustive()
    }
}

impl Defined {
    /// By these definitions, which may be exchanged.
    pub(crate) fn by(definitions: Arc<Current<Definitions>>) -> Arc<Self> {
        Arc::new(Self {
            definitions,
            newest: RwLock::new(None),
        })
    }

    /// What was found last; nothing where definitions say nothing of Glean's metrics.
    pub(super) fn told(&self) -> Option<DefinitionNumbers> {
        self.newest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks whenever something was folded, or other definitions are there, since it last did, until the wish to end.
    pub(crate) async fn run(
        &self,
        reads: Arc<Current<dyn AggregateReads>>,
        clock: Arc<dyn Clock>,
        shutdown: Shutdown,
    ) {
        let (mut looked_at, mut by) = (None, self.definitions.get());
        loop {
            let definitions = self.definitions.get();
            if !Arc::ptr_eq(&by, &definitions) {
                (looked_at, by) = (None, definitions);
            }
            let now = Timestamp::from_micros(clock.now_micros());
            let reads = reads.get();
            if let Err(error) = self.look_if_new(&by, reads.as_ref(), now, &mut looked_at).await {
                tracing::debug!(%error, "metrics could not be held against their definitions");
            }
            tokio::select! {
                biased;
                () = shutdown.wished() => return,
                () = task::sleep(EVERY) => {}
            }
        }
    }

    async fn look_if_new(
        &self,
        definitions: &Definitions,
        reads: &dyn AggregateReads,
        now: Timestamp,
        looked_at: &mut Option<State>,
    ) -> Result<(), AggregateError> {
        if definitions.glean().metrics.is_empty() {
            self.note(None);
            return Ok(());
        }
        let status = reads.status().await?;
        let state = Some((now.submission_date(), status.newest_received, status.counters));
        if *looked_at == state {
            return Ok(());
        }
        self.note(Some(look(definitions, reads, now).await?));
        *looked_at = state;
        Ok(())
    }

    fn note(&self, found: Option<DefinitionNumbers>) {
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = found;
    }
}

async fn look(
    definitions: &Definitions,
    reads: &dyn AggregateReads,
    now: Timestamp,
) -> Result<DefinitionNumbers, AggregateError> {
    let mut seen = Vec::new();
    let mut left = METRICS_MAX;
    let sources = reads.sources(SOURCES_MAX).await?;
    for source in sources.values {
        if !definitions.may_be_gleans(&source) {
            continue;
        }
        let (metrics, is_whole) = metrics_of(reads, &source, left).await?;
        left -= metrics.len();
        seen.push(SeenSource {
            source,
            metrics,
            is_whole: is_whole && sources.left_out == 0,
        });
    }
    let review = definitions.review(&seen, now.submission_date());
    let mut expired = Vec::new();
    for lapsed in &review.expired {
        let (query, version) = lapsed.question();
        let versions = reads
            .values_of(&query, ValueOf::Dimension(version), VERSIONS_MAX)
            .await?;
        if lapsed.still_arrives(&versions.values) {
            expired.push(lapsed.name());
        }
    }
    Ok(DefinitionNumbers {
        undeclared: Named::of(review.undeclared),
        expired: Named::of(expired).and_more(review.expired_left_out),
        never_seen: Named::of(review.never_seen),
    })
}
