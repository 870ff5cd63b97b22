//! What is folded anew: the rebuild into the next generation, the replay of errored pings, and what is told of both.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aggregator::{Generations, PassedOver, RebuildProgress, ReplayProgress};
use serde_json::{Value, json};
use service::clock::Clock;
use service::task;

use super::core::Core;

/// How often a log line tells how far a rebuild is.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What folding anew needs.
pub(super) struct Anew {
    generations: Generations,
    /// The settings of this process, as texts by their keys.
    settings: BTreeMap<String, String>,
    clock: Arc<dyn Clock>,
    /// One rebuild or replay at a time.
    pub(super) alone: tokio::sync::Mutex<()>,
    rebuild: Mutex<Option<Value>>,
}

/// Tells how far a rebuild is: each time to who asked, now and then in the log, and in the status.
struct Teller<'a> {
    anew: &'a Anew,
    begin: Duration,
    told: Mutex<Option<Duration>>,
}

impl Anew {
    pub(super) fn new(
        generations: Generations,
        settings: BTreeMap<String, String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            generations,
            settings,
            clock,
            alone: tokio::sync::Mutex::default(),
            rebuild: Mutex::default(),
        }
    }

    fn set_rebuild(&self, progress: Option<Value>) {
        *self.rebuild.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }
}

impl<'a> Teller<'a> {
    fn new(anew: &'a Anew) -> Self {
        Self {
            anew,
            begin: anew.clock.monotonic(),
            told: Mutex::default(),
        }
    }

    fn tell(&self, progress: RebuildProgress) -> Value {
        let elapsed = self.anew.clock.monotonic().saturating_sub(self.begin);
        let told = to_json(&progress, progress.time_left(elapsed));
        self.anew.set_rebuild(Some(told.clone()));
        let mut last = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| elapsed.saturating_sub(last) >= TELL_EVERY) {
            *last = Some(elapsed);
            tracing::info!(
                chunks = progress.chunks,
                chunks_total = progress.chunks_total,
                pings = progress.records,
                percent = progress.percent(),
                seconds_left = told["seconds_left"].as_u64(),
                "rebuilding"
            );
        }
        told
    }
}

/// The status says nothing of a rebuild that ended, however it did.
impl Drop for Teller<'_> {
    fn drop(&mut self) {
        self.anew.set_rebuild(None);
    }
}

impl Core {
    /// Folds everything into the next generation of aggregates and puts it into use. Answers its number, and the chunks that
    /// could not be read.
    pub(super) async fn rebuild(
        &self,
        forget_older: bool,
        say: &(impl Fn(Value) + Send + Sync),
    ) -> anyhow::Result<(u64, PassedOver)> {
        let anew = &self.anew;
        let _alone = anew.alone.lock().await;
        self.retaining.check_rebuild(forget_older).await?;
        let changes = self.aggregator.changed_rules().await;
        if !changes.is_empty() {
            tracing::warn!(?changes, "a rebuild changes what the fold reads");
            say(json!({"changes": changes}));
        }
        // What the index lacks would be missing in the new aggregates.
        self.reconcile().await?;
        let old = self.index.generation().await?;
        let rules = self.aggregator.rules().await;
        let shadow = anew
            .generations
            .shadow(old + 1, &rules, self.index.as_ref())
            .await?;
        // Its layer stays empty until it is in use: a rebuild commits.
        let shadow = self.layered(shadow).await?;
        let teller = Teller::new(anew);
        let progress = |progress| say(teller.tell(progress));
        let rebuilt = self
            .aggregator
            .rebuild(shadow.clone(), old + 1, &progress)
            .await?;
        let retained = self.retaining.aggregates.exchange(shadow.clone());
        let replaced = (self.reads.exchange(shadow), retained);
        // The last holder ends the old store's threads and waits for them.
        task::blocking(move || drop(replaced)).await;
        anew.generations.remove(old);
        Ok((old + 1, rebuilt.passed_over))
    }

    /// Reads errored pings again. Answers how many are folded now, and how many still are not, by reason.
    pub(super) async fn replay_errors(&self, say: &(impl Fn(Value) + Send + Sync)) -> anyhow::Result<Value> {
        let _alone = self.anew.alone.lock().await;
        let changes = self.aggregator.changed_rules().await;
        let progress = |progress: ReplayProgress| {
            say(json!({"tried": progress.tried, "replayed": progress.replayed}));
        };
        let done = self.aggregator.replay_errors(&progress).await?;
        let mut told = json!({"replayed": done.replayed, "still_errored": done.still_errored});
        if done.unreadable > 0 {
            told["unreadable"] = json!(done.unreadable);
        }
        if !done.passed_over.is_empty() {
            told["unreadable_chunks"] = chunks_to_json(&done.passed_over);
        }
        if !changes.is_empty() {
            told["changes"] = json!(changes);
        }
        Ok(told)
    }

    /// Adds to a status what is being done, and what somebody must do before anything is folded.
    pub(super) async fn add_work(&self, status: &mut Value) {
        let rebuild = &self.anew.rebuild;
        if let Some(rebuild) = &*rebuild.lock().unwrap_or_else(PoisonError::into_inner) {
            status["rebuild"] = rebuild.clone();
        }
        if let Err(error) = self.aggregator.check_rules().await {
            status["not_folding"] = json!(error.to_string());
        }
    }

    /// Refuses settings that this process has otherwise, naming both.
    pub(super) fn refuse_other_settings(&self, given: &BTreeMap<String, String>) -> Result<(), String> {
        for (key, theirs) in given {
            match self.anew.settings.get(key) {
                Some(ours) if ours != theirs => {
                    return Err(format!(
                        "you gave {key} = {theirs}, and the process that runs on this data directory has {ours}, which is \
                         what counts: leave the setting out, or restart the process with it"
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Chunks that could not be read: how many, and the first of them with what was wrong.
pub(super) fn chunks_to_json(passed_over: &PassedOver) -> Value {
    let named = passed_over.named.iter();
    let named = named.map(|(chunk, reason)| json!({"chunk": chunk.to_string(), "reason": reason}));
    json!({"count": passed_over.chunks, "first": named.collect::<Vec<_>>()})
}

fn to_json(progress: &RebuildProgress, left: Option<Duration>) -> Value {
    json!({
        "chunks": progress.chunks, "chunks_total": progress.chunks_total,
        "records": progress.records, "records_total": progress.records_total,
        "bytes": progress.bytes, "bytes_total": progress.bytes_total,
        "percent": progress.percent(), "seconds_left": left.map(|left| left.as_secs()),
    })
}
