//! `highwater rebuild`: folds everything anew, or one source, beside what is in use, then swaps.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::time::Duration;

use aggregate_store::Days;
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use ping::SubmissionDate;
use serde_json::Value;
use service::clock::SystemClock;

use crate::change::change;
use crate::cli::Rebuild;
use crate::pipeline::Request;
use crate::shared::{rebuild_everything, rebuild_source};

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Runs the command.
pub(crate) async fn run(rebuild: &Rebuild) -> anyhow::Result<()> {
    check_source(rebuild)?;
    let (bar, lines, waits) = (bar()?, Lines::default(), Waits::default());
    let day = |day: Option<SubmissionDate>| day.map(|day| day.to_string());
    let request = Request::Rebuild {
        forget_older: rebuild.forget_older,
        source: rebuild.source.clone(),
        from: day(rebuild.from),
        to: day(rebuild.to),
    };
    let say = |progress: Value| {
        for changed in progress["changes"].as_array().into_iter().flatten() {
            bar.suspend(|| eprintln!("a rule changes: {}", changed.as_str().unwrap_or_default()));
        }
        let Some(total) = progress["bytes_total"].as_u64() else {
            return;
        };
        waits.tell(&progress["unreadable_chunks"], &bar);
        if io::stderr().is_terminal() {
            bar.set_length(total);
            bar.set_position(progress["bytes"].as_u64().unwrap_or(0));
            bar.set_message(line(&progress));
        } else {
            lines.print(&progress);
        }
    };
    let done = match (rebuild.data.places.aggregates.is_some(), &rebuild.source) {
        (true, Some(source)) => {
            let days = Days {
                first: rebuild.from,
                last: rebuild.to,
            };
            rebuild_source(&rebuild.data, source, days, say).await
        }
        (true, None) => rebuild_everything(&rebuild.data, rebuild.forget_older, say).await,
        (false, _) => change(&rebuild.data, request, say).await,
    };
    bar.finish_and_clear();
    let done = done?;
    if let Some(source) = done["source"].as_str() {
        let days = match (done["from"].as_str(), done["to"].as_str()) {
            (Some(from), Some(to)) => format!(" from {from} to {to}"),
            (Some(from), None) => format!(" from {from} on"),
            (None, Some(to)) => format!(" up to {to}"),
            (None, None) => String::new(),
        };
        eprintln!("{source} is folded anew{days} and in use");
        return Ok(());
    }
    eprintln!(
        "everything is folded anew: generation {} of the aggregates is in use",
        done["generation"]
    );
    if done["set_aside"] != 0 {
        eprintln!(
            "{} chunks are set aside: `highwater status` says so until they are repaired",
            done["set_aside"]
        );
    }
    let unread = &done["unreadable_chunks"];
    if unread["count"].is_number() {
        eprintln!(
            "{} chunks could not be read and are missing in the new aggregates; they are folded as soon as they can be:",
            unread["count"]
        );
        for chunk in unread["first"].as_array().into_iter().flatten() {
            let text = |name: &str| chunk[name].as_str().unwrap_or_default();
            eprintln!("{}: {}", text("chunk"), text("reason"));
        }
    }
    Ok(())
}

/// Refuses what is no source, and days of which none is left.
fn check_source(rebuild: &Rebuild) -> anyhow::Result<()> {
    if let Some(source) = &rebuild.source {
        let is_named = source.split_once('/').is_some_and(|(namespace, document_type)| {
            !namespace.is_empty() && !document_type.is_empty() && !document_type.contains('/')
        });
        anyhow::ensure!(
            is_named,
            "--source {source}: write a namespace and a document type, such as telemetry/main"
        );
    }
    if let (Some(from), Some(to)) = (rebuild.from, rebuild.to) {
        anyhow::ensure!(from <= to, "--from {from} lies behind --to {to}");
    }
    Ok(())
}

fn bar() -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{bar:30} {msg}");
    bar.set_style(style.context("a template of known parts")?);
    Ok(bar)
}

/// `12 of 40 chunks, 1200 of 4000 pings, 31 %, about 1m 5s left`
fn line(progress: &Value) -> String {
    let number = |name: &str| progress[name].as_u64().unwrap_or(0);
    let left = match progress["seconds_left"].as_u64() {
        None => String::new(),
        Some(seconds) if seconds < 60 => format!(", about {seconds}s left"),
        Some(seconds) if seconds < 3_600 => format!(", about {}m {}s left", seconds / 60, seconds % 60),
        Some(seconds) => format!(", about {}h {}m left", seconds / 3_600, seconds / 60 % 60),
    };
    format!(
        "{} of {} chunks, {} of {} pings, {} of {} MB, {} %{left}",
        number("chunks"),
        number("chunks_total"),
        number("records"),
        number("records_total"),
        number("bytes") / 1_000_000,
        number("bytes_total") / 1_000_000,
        number("percent"),
    )
}

/// Chunks for which a rebuild waits, each told once.
#[derive(Default)]
struct Waits(Mutex<BTreeSet<String>>);

impl Waits {
    fn tell(&self, unreadable: &Value, bar: &ProgressBar) {
        let Ok(mut told) = self.0.lock() else { return };
        for chunk in unreadable["first"].as_array().into_iter().flatten() {
            let text = |name: &str| chunk[name].as_str().unwrap_or_default();
            if told.insert(text("chunk").to_owned()) {
                bar.suspend(|| {
                    eprintln!(
                        "it waits for chunk {}, which is folded and cannot be read ({}): restore it in the store, or give it up \
                         with `highwater forget-chunk`",
                        text("chunk"),
                        text("reason")
                    );
                });
            }
        }
    }
}

/// Lines of progress, not too many.
#[derive(Default)]
struct Lines(Mutex<Option<Duration>>);

impl Lines {
    fn print(&self, progress: &Value) {
        let now = SystemClock::shared().monotonic();
        let Ok(mut last) = self.0.lock() else { return };
        if last.is_none_or(|last| now.saturating_sub(last) >= LINE_EVERY) {
            *last = Some(now);
            eprintln!("{}", line(progress));
        }
    }
}
