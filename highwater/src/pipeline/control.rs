//! What the running process does when a command asks it through the control socket.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use aggregate_store::Days;
use anyhow::Context;
use index_schema::{Forgotten, Lowered, SourceFloor};
use lambda_indexer::Reconciled;
use ping::SubmissionDate;
use query::health::HealthSource;
use retention::{Consent, Retained};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::control::{ControlHandler, Progress};

use super::core::Core;
use super::folding_anew::chunks_to_json;
use super::watcher::Watcher;
use crate::import::import_file;

/// A request, as JSON on one line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// Take the pings of a file.
    Import {
        /// The file, absolute.
        file: PathBuf,
    },
    /// Fold everything anew.
    Rebuild {
        /// Also when aggregates get lost whose pings were deleted.
        forget_older: bool,
        /// One source alone, beside what is in use.
        #[serde(default)]
        source: Option<String>,
        /// Its first day, `YYYYMMDD`.
        #[serde(default)]
        from: Option<String>,
        /// Its last day.
        #[serde(default)]
        to: Option<String>,
    },
    /// Read errored pings again.
    ReplayErrors,
    /// Delete what is not to be kept.
    Retain {
        /// Only look what would go.
        dry_run: bool,
        /// A person agreed to what is much at once.
        #[serde(default)]
        yes: bool,
    },
    /// Lower floor dates that a wrong clock raised.
    LowerFloors {
        /// To this day, `YYYYMMDD`.
        to: String,
    },
    /// Delete one chunk on purpose.
    ForgetChunk {
        /// Its key.
        key: String,
        /// Why.
        why: String,
    },
    /// List the store against the index.
    Reconcile,
    /// Write what is folded and in memory only.
    Persist,
    /// The counters, and how the pipeline is where it runs.
    Status,
}

/// What a comparison of store and index found, as it is answered.
pub(crate) fn said(found: &Reconciled) -> Value {
    let (added, unreadable, unanswered) = (found.outcome.added, found.outcome.unreadable, found.unanswered);
    json!({
        "listed": found.listed, "missing": added + unreadable + unanswered, "added": added,
        "unreadable": unreadable, "unanswered": unanswered
    })
}

/// What retention deleted, or would, as it is answered.
pub(crate) fn retained(retained: &Retained) -> Value {
    let Retained {
        floors,
        source_floors,
        gone,
        over_budget_bytes,
        held,
    } = retained;
    let held: Vec<_> = held.iter().map(ToString::to_string).collect();
    let text = |floor: Option<SubmissionDate>| floor.map(|floor| floor.to_string());
    let of_source = |(source, floor): (&str, &SourceFloor)| json!({"source": source, "pings_floor": text(floor.chunks), "aggregates_floor": text(floor.aggregates)});
    let sources: Vec<Value> = source_floors.iter().map(of_source).collect();
    json!({
        "objects": gone.objects, "records": gone.records, "stored_bytes": gone.stored_bytes,
        "aggregates": gone.aggregates, "rows": gone.rows, "aggregate_days": gone.aggregate_days, "held": held, "over_budget_bytes": over_budget_bytes,
        "pings_floor": text(floors.pings), "errors_floor": text(floors.errors),
        "aggregates_floor": text(floors.aggregates), "sources": sources,
    })
}

/// What lowering the floors did, as it is answered.
pub(crate) fn lowered(lowered: &Lowered) -> Value {
    let Lowered {
        floors,
        admitted,
        rebuild_wanted,
    } = lowered;
    let text = |floor: Option<SubmissionDate>| floor.map(|floor| floor.to_string());
    json!({
        "pings_floor": text(floors.pings), "errors_floor": text(floors.errors),
        "aggregates_floor": text(floors.aggregates), "admitted": admitted, "rebuild_wanted": rebuild_wanted,
    })
}

/// What a forgotten chunk was before, as it is answered.
pub(crate) fn forgotten(forgotten: Forgotten) -> Value {
    let was = match forgotten {
        Forgotten::Folded => "folded",
        Forgotten::Indexed => "indexed",
        Forgotten::Unknown => "unknown",
        Forgotten::Before => "before",
    };
    json!({ "was": was })
}

/// A request, and the settings that were given with it.
#[derive(Debug, Deserialize)]
struct Wish {
    request: Request,
    given: BTreeMap<String, String>,
}

impl Wish {
    /// A request may also stand alone.
    fn parse(value: Value) -> Result<Self, serde_json::Error> {
        if value.get("request").is_some() {
            return serde_json::from_value(value);
        }
        Ok(Self {
            request: serde_json::from_value(value)?,
            given: BTreeMap::new(),
        })
    }
}

/// Answers requests with the pipeline's parts.
pub(super) struct Requests {
    core: Arc<Core>,
    watcher: Arc<Watcher>,
}

impl Requests {
    /// Answers with these parts, and with what was found by who watches them.
    pub(super) const fn new(core: Arc<Core>, watcher: Arc<Watcher>) -> Self {
        Self { core, watcher }
    }
}

impl ControlHandler for Requests {
    async fn handle(&self, request: Value, progress: Progress) -> Result<Value, String> {
        let wish = Wish::parse(request).map_err(|error| format!("not understood: {error}"))?;
        self.core.anew.refuse_other_settings(&wish.given)?;
        let is_status = matches!(wish.request, Request::Status);
        let done = perform(&self.core, wish.request, move |value| progress.say(value))
            .await
            .map_err(|error| format!("{error:#}"))?;
        Ok(match is_status {
            true => with_health(self.watcher.health().to_json(), done),
            false => done,
        })
    }
}

/// How the pipeline was up to a second ago, with the counts of this moment.
fn with_health(mut health: Value, counts: Value) -> Value {
    if let (Some(health), Value::Object(counts)) = (health.as_object_mut(), counts) {
        health.extend(counts);
    }
    health
}

/// Does what is asked, here or in the process that holds the directory.
pub(crate) async fn perform(
    core: &Arc<Core>,
    request: Request,
    say: impl Fn(Value) + Send + Sync,
) -> anyhow::Result<Value> {
    match request {
        Request::Import { file } => {
            let imported = import_file(core.edge(), &file, |progress| say(json!(progress))).await?;
            core.settle().await.with_context(|| {
                format!(
                    "{} pings are taken and stored ({} known already, {} bad lines): nothing has to be imported again; they are in \
                     no number yet",
                    imported.taken, imported.known, imported.bad
                )
            })?;
            Ok(json!(imported))
        }
        Request::Rebuild {
            source: Some(source),
            from,
            to,
            ..
        } => {
            let day = |day: Option<String>| day.map(|day| day.parse()).transpose();
            let days = Days {
                first: day(from)?,
                last: day(to)?,
            };
            core.rebuild_source(&source, days, &say).await
        }
        Request::Rebuild { forget_older, .. } => {
            let (generation, unread) = core.rebuild(forget_older, &say).await?;
            let mut done = json!({"generation": generation, "set_aside": core.status().await?.set_aside});
            if !unread.is_empty() {
                done["unreadable_chunks"] = chunks_to_json(&unread);
            }
            Ok(done)
        }
        Request::ReplayErrors => core.replay_errors(&say).await,
        Request::Reconcile => {
            let found = core.reconcile().await?;
            core.settle().await.with_context(|| {
                format!(
                    "{} chunks are added to the index, and not folded yet",
                    found.outcome.added
                )
            })?;
            Ok(said(&found))
        }
        Request::Persist => {
            core.persist().await?;
            Ok(json!({}))
        }
        Request::Retain { dry_run: true, .. } => Ok(retained(&core.would_retain().await?)),
        Request::Retain { yes, .. } => {
            let consent = if yes { Consent::Given } else { Consent::Bounded };
            Ok(retained(&core.retain(consent).await?))
        }
        Request::LowerFloors { to } => Ok(lowered(&core.lower_floors(to.parse()?).await?)),
        Request::ForgetChunk { key, why } => Ok(forgotten(core.forget(&key, &why).await?)),
        Request::Status => {
            let mut status = core.status().await?.to_json();
            core.add_work(&mut status).await;
            Ok(status)
        }
    }
}
