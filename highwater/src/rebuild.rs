//! `highwater rebuild`: folds everything anew into a shadow, then swaps.

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use crate::change::change;
use crate::cli::Data;
use crate::pipeline::Request;

/// Runs the command.
pub async fn run(data: &Data) -> anyhow::Result<()> {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} chunks {elapsed} {eta}");
    bar.set_style(style.context("a template of known parts")?);
    let done = change(data, Request::Rebuild, |progress| {
        bar.set_length(progress["chunks"].as_u64().unwrap_or(0));
        bar.set_position(progress["done"].as_u64().unwrap_or(0));
    })
    .await;
    bar.finish_and_clear();
    let done = done?;
    eprintln!("{} chunks folded into generation {}, {} set aside", done["folded"], done["generation"], done["set_aside"]);
    Ok(())
}
