//! The command: one file after the other, by the running process if there is one.

use std::fs;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::file::Imported;
use crate::change::change;
use crate::cli::Import;
use crate::pipeline::Request;

/// Runs the command.
///
/// # Errors
/// When anything of the files is not taken, all else of them is.
pub(crate) async fn run(command: &Import) -> anyhow::Result<()> {
    let (mut bad, mut all) = (0, 0);
    for file in &command.files {
        let file = fs::canonicalize(file).with_context(|| format!("cannot read {}", file.display()))?;
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {msg} {eta}");
        bar.set_style(style.context("a template of known parts")?);
        let result = change(
            &command.data,
            Request::Import { file: file.clone() },
            |progress| show(&bar, &progress),
        )
        .await;
        bar.finish_and_clear();
        let imported: Imported = serde_json::from_value(result?)?;
        for (line, reason) in &imported.first_bad {
            eprintln!("{}: line {line}: {reason}", file.display());
        }
        let not_shown = imported.bad.saturating_sub(imported.first_bad.len() as u64);
        if not_shown > 0 {
            eprintln!("{}: and {not_shown} bad lines more", file.display());
        }
        eprintln!(
            "{}: {} pings taken, {} known already, {} bad lines",
            file.display(),
            imported.taken,
            imported.known,
            imported.bad
        );
        bad += imported.bad;
        all += imported.taken + imported.known + imported.bad;
    }
    anyhow::ensure!(
        bad == 0,
        "{bad} of {all} lines are bad and were not taken (the other {} were): what is wrong with them stands above; mend \
         them, and import them in a file of their own",
        all - bad
    );
    Ok(())
}

fn show(bar: &ProgressBar, progress: &Value) {
    bar.set_length(progress["bytes"].as_u64().unwrap_or(0));
    bar.set_position(progress["read"].as_u64().unwrap_or(0));
    bar.set_message(format!("{} pings", progress["taken"]));
}
