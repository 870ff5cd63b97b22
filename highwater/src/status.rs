//! `highwater status`: the counters, by the running process or from what is on disk.

use std::io::{self, Write};

use serde_json::Value;
use service::control::{ControlError, ask};

use crate::cli::Status;
use crate::pipeline::{Request, offline_status};

/// Runs the command.
pub(crate) async fn run(command: &Status) -> anyhow::Result<()> {
    let data_dir = &command.data.data_dir;
    let status = match ask(data_dir, &serde_json::to_value(Request::Status)?).await {
        Ok(answers) => answers.result(|_| ()).await?,
        Err(ControlError::NobodyListens(_)) => offline_status(data_dir).await?.to_json(),
        Err(error) => return Err(error.into()),
    };
    let mut out = io::stdout().lock();
    if command.json {
        writeln!(out, "{status}")?;
        return Ok(());
    }
    for (name, value) in status.as_object().into_iter().flatten() {
        match value {
            Value::Object(reasons) => {
                for (reason, count) in reasons {
                    writeln!(out, "{name:<22} {count} {reason}")?;
                }
            }
            Value::String(text) => writeln!(out, "{name:<22} {text}")?,
            other => writeln!(out, "{name:<22} {other}")?,
        }
    }
    Ok(())
}
