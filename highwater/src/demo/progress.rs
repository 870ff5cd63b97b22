//! How the demo tells how it goes: one line that changes on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use query::StatusReport;

/// Seconds between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Shows the status.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    last_plain: Option<Duration>,
}

impl Progress {
    /// On standard error, as a line that changes if that is a terminal.
    pub(super) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(
                ProgressStyle::with_template("{spinner} {wide_msg}").expect("a template of known parts"),
            );
            bar
        });
        Self {
            bar,
            last_plain: None,
        }
    }

    /// Shows it, at a time told by the caller.
    pub(super) fn show(
        &mut self,
        status: &StatusReport,
        newest_age: Option<Duration>,
        note: &str,
        now: Duration,
    ) {
        let age = newest_age.map_or_else(
            || "none yet".to_owned(),
            |age| format!("{:.1} s old", age.as_secs_f64()),
        );
        let line = format!(
            "accepted {}  chunked {}  folded {}  repeated {}  newest number {age}{note}",
            status.accepted, status.chunked, status.folded, status.repeated
        );
        match &self.bar {
            Some(bar) => {
                bar.set_message(line);
                bar.tick();
            }
            None if self.last_plain.is_none_or(|last| now >= last + PLAIN_EVERY) => {
                eprintln!("{line}");
                self.last_plain = Some(now);
            }
            None => {}
        }
    }

    /// Leaves the terminal as it was.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
