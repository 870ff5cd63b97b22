//! What folding anew needs, and how far a rebuild is: told to who asked, in the log and in the status.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aggregator::{Generations, RebuildProgress};
use serde_json::{Value, json};
use service::clock::Clock;

/// How often a log line tells how far a rebuild is.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What folding anew needs.
pub(super) struct Anew {
    pub(super) generations: Generations,
    /// The settings of this process, as texts by their keys.
    settings: BTreeMap<String, String>,
    clock: Arc<dyn Clock>,
    /// One rebuild or replay at a time.
    pub(super) alone: tokio::sync::Mutex<()>,
    rebuild: Mutex<Option<Value>>,
}

/// Tells how far a rebuild is: each time to who asked, now and then in the log, and in the status.
pub(super) struct Teller<'a> {
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

    /// Refuses settings that this process has otherwise, naming both.
    pub(super) fn refuse_other_settings(&self, given: &BTreeMap<String, String>) -> Result<(), String> {
        for (key, theirs) in given {
            match self.settings.get(key) {
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

    /// How far the rebuild that goes on is.
    pub(super) fn rebuild(&self) -> Option<Value> {
        self.rebuild
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_rebuild(&self, progress: Option<Value>) {
        *self.rebuild.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }
}

impl<'a> Teller<'a> {
    pub(super) fn new(anew: &'a Anew) -> Self {
        Self {
            anew,
            begin: anew.clock.monotonic(),
            told: Mutex::default(),
        }
    }

    pub(super) fn tell(&self, progress: RebuildProgress) -> Value {
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

/// For the status, and for who asked.
pub(super) fn to_json(progress: &RebuildProgress, left: Option<Duration>) -> Value {
    json!({
        "chunks": progress.chunks, "chunks_total": progress.chunks_total,
        "records": progress.records, "records_total": progress.records_total,
        "bytes": progress.bytes, "bytes_total": progress.bytes_total,
        "percent": progress.percent(), "seconds_left": left.map(|left| left.as_secs()),
    })
}
