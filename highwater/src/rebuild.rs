//! `highwater rebuild`: folds everything anew into a shadow, then swaps.

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use crate::change::change;
use crate::cli::Data;
use crate::pipeline::Request;

/// Runs the command.
pub(crate) async fn run(data: &Data) -> anyhow::Result<()> {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} pings {elapsed} {eta}");
    bar.set_style(style.context("a template of known parts")?);
    let done = change(data, Request::Rebuild, |progress| {
        bar.set_length(progress["records_total"].as_u64().unwrap_or(0));
        bar.set_position(progress["records"].as_u64().unwrap_or(0));
    })
    .await;
    bar.finish_and_clear();
    let done = done?;
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
    Ok(())
}
