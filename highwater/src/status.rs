//! `highwater status`: the counts and how the pipeline is, by the running process or from what is on disk.

mod screen;
mod watch;

use std::io::{self, Write};

use serde_json::{Value, json};
use service::control::{ControlError, ask};

use crate::cli::Status;
use crate::pipeline::{Request, offline_status};

/// Runs the command.
pub(crate) async fn run(command: &Status) -> anyhow::Result<()> {
    if command.watch {
        return watch::run(command).await;
    }
    let status = match from_process(command).await {
        Err(ControlError::NobodyListens(_)) => from_disk(command).await?,
        answered => answered?,
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

/// The counts on disk, with a verdict that says that nothing runs.
async fn from_disk(command: &Status) -> anyhow::Result<Value> {
    let report = offline_status(&command.data).await?;
    let mut status = report.to_json();
    status["severity"] = "notice".into();
    status["verdicts"] = json!([{
        "name": "not_running", "severity": "notice", "since": null, "seconds": null, "section": "not-running",
        "what": format!("No process runs on {}: these are the counts on its disk.", command.data.data_dir.display()),
        "advice": "",
    }]);
    Ok(status)
}
