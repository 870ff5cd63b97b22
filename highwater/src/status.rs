//! `highwater status`: the counts and how the pipeline is, by the running process or from what is on disk.

mod screen;
mod watch;

use std::io::{self, Write};

use query::StatusReport;
use serde_json::{Value, json};
use service::control::{ControlError, ask};

use crate::cli::Status;
use crate::pipeline::{Request, offline_status};
use crate::shared;

/// Runs the command.
pub(crate) async fn run(command: &Status) -> anyhow::Result<()> {
    let is_shared = command.data.places.aggregates.is_some();
    if command.watch {
        anyhow::ensure!(
            !is_shared,
            "--watch follows the process of one data directory: ask shared index and aggregates without it, again and again"
        );
        return watch::run(command).await;
    }
    let status = if is_shared {
        from_databases(command).await?
    } else {
        match from_process(command).await {
            Err(ControlError::NobodyListens(_)) => from_disk(command).await?,
            answered => answered?,
        }
    };
    let mut out = io::stdout().lock();
    if command.json {
        writeln!(out, "{status}")?;
    } else {
        for line in screen::lines(&status) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// What the process says that runs on the data directory.
async fn from_process(command: &Status) -> Result<Value, ControlError> {
    let request = serde_json::to_value(Request::Status).expect("a request is JSON");
    ask(&command.data.data_dir, &request).await?.result(|_| ()).await
}

/// The counts of shared index and aggregates, with a verdict that says of what they are.
async fn from_databases(command: &Status) -> anyhow::Result<Value> {
    let counts = shared::counts(&command.data).await?;
    let what = "These are the counts of index and aggregates, which many processes share. What waits in the log of an edge is \
                not among them; each process says at /__heartbeat__ and /metrics how it is.";
    Ok(with_verdict(&counts, "shared", what))
}

/// The counts on disk, with a verdict that says that nothing runs.
async fn from_disk(command: &Status) -> anyhow::Result<Value> {
    let counts = offline_status(&command.data).await?;
    let what = format!(
        "No process runs on {}: these are the counts on its disk.",
        command.data.data_dir.display()
    );
    Ok(with_verdict(&counts, "not_running", &what))
}

fn with_verdict(counts: &StatusReport, name: &str, what: &str) -> Value {
    let mut status = counts.to_json();
    status["severity"] = "notice".into();
    status["verdicts"] = json!([{
        "name": name, "severity": "notice", "since": null, "seconds": null, "section": name.replace('_', "-"),
        "what": what, "advice": "",
    }]);
    status
}
