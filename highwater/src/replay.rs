//! `highwater replay-errors`: reads errored pings again and folds those that can be folded now.

use std::io::{self, Write};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::change::change;
use crate::data::Data;
use crate::pipeline::Request;
use crate::shared::replay_errors;

/// Runs the command. Prints what came of it as one JSON object.
pub(crate) async fn run(data: &Data) -> anyhow::Result<()> {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {msg}");
    bar.set_style(style.context("a template of known parts")?);
    let say = |progress: Value| {
        bar.set_message(format!(
            "{} read again, {} folded",
            progress["tried"], progress["replayed"]
        ));
        bar.tick();
    };
    let done = match data.places.aggregates.is_some() {
        true => replay_errors(data, say).await,
        false => change(data, Request::ReplayErrors, say).await,
    };
    bar.finish_and_clear();
    let mut done = done?;
    for changed in done["changes"].take().as_array().into_iter().flatten() {
        eprintln!("a rule changed: {}", changed.as_str().unwrap_or_default());
    }
    if let Some(done) = done.as_object_mut() {
        done.remove("changes");
    }
    if done["unreadable"].as_u64().is_some() {
        eprintln!(
            "{} errored pings could not be read, or the pings that they repeat could not: restore their chunks in the store and \
             call this again",
            done["unreadable"]
        );
    }
    writeln!(io::stdout().lock(), "{done}")?;
    Ok(())
}
