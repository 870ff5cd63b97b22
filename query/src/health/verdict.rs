//! A verdict: one thing that is so, since when, and what to do about it.

use std::time::Duration;

use ping::Timestamp;
use serde_json::{Value, json};

use super::words::lasting;
use crate::status_report::rfc3339;

/// How much a verdict matters, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing to do.
    Well,
    /// Worth knowing; nobody is woken for it.
    Notice,
    /// To be looked at in working hours, or before it becomes an alarm.
    Warning,
    /// Somebody has to act now.
    Alarm,
}

impl Severity {
    /// The word for it, on the wire and on the page.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Alarm => "alarm",
        }
    }
}

/// The names of all verdicts. Each has a section of that name in `docs/operations.md` (with `-` for `_`).
pub const NAMES: [&str; 33] = [
    "well",
    "nothing_received",
    "ending",
    "process_failing",
    "log_gone",
    "log_unwritable",
    "log_full",
    "log_filling",
    "disk_nearly_full",
    "store_gone",
    "store_empty",
    "plans_stuck",
    "log_damaged",
    "database_gone",
    "rebuild_needed",
    "replay_needed",
    "sealing_behind",
    "indexing_behind",
    "folding_behind",
    "chunks_unreadable",
    "set_aside",
    "below_floor",
    "retention_held",
    "retention_failing",
    "many_errored",
    "displaced_unreadable",
    "partitions_capped",
    "declarations_refused",
    "metrics_expired",
    "metrics_undeclared",
    "metrics_never_seen",
    "dimensions_crowded",
    "declared_never_seen",
];

/// One thing that is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// One of [`NAMES`].
    pub name: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is so, in whole sentences.
    pub what: String,
    /// What to do, in whole sentences; empty when nothing is.
    pub advice: String,
    /// Since when, if that is known.
    pub since: Option<Timestamp>,
}

impl Verdict {
    pub(super) fn new(name: &'static str, severity: Severity, what: impl Into<String>, advice: &str) -> Self {
        Self {
            name,
            severity,
            what: what.into(),
            advice: advice.to_owned(),
            since: None,
        }
    }

    #[must_use]
    pub(super) const fn since(mut self, since: Option<Timestamp>) -> Self {
        self.since = since;
        self
    }

    /// How long it has been so.
    pub fn age(&self, now: Timestamp) -> Option<Duration> {
        let since = self.since?;
        Some(Duration::from_micros(
            u64::try_from(now.micros_since(since)).unwrap_or(0),
        ))
    }

    /// The section of `docs/operations.md` that says more.
    pub fn section(&self) -> String {
        self.name.replace('_', "-")
    }

    /// The verdict as one text: what, since when, what to do.
    pub fn sentence(&self, now: Timestamp) -> String {
        let since = self
            .age(now)
            .map(|age| format!(" (For {}.)", lasting(age)))
            .unwrap_or_default();
        let advice = match self.advice.as_str() {
            "" => String::new(),
            advice => format!(" {advice}"),
        };
        format!("{}{since}{advice}", self.what)
    }

    pub(super) fn to_json(&self, now: Timestamp) -> Value {
        let Self {
            name,
            severity,
            what,
            advice,
            since,
        } = self;
        json!({
            "name": name, "severity": severity.word(), "what": what, "advice": advice,
            "since": since.map(rfc3339), "seconds": self.age(now).map(|age| age.as_secs()),
            "section": self.section(),
        })
    }
}
