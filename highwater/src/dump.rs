//! `highwater dump`: every aggregate, sorted, so that two stores can be compared byte by byte.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use aggregate_store::AggregateReads;
use service::task;
use tokio::sync::mpsc;

use crate::data::Data;
use crate::local::Local;
use crate::places;

/// Lines that may wait to be printed.
const LINES_WAITING: usize = 1_024;

/// Runs the command.
pub(crate) async fn run(data: &Data) -> anyhow::Result<()> {
    let aggregates: Arc<dyn AggregateReads> = match &data.places.aggregates {
        Some(url) => places::shared_aggregates(url).await?.reads,
        None => Local::open_written(data).await?.aggregates,
    };
    let (sender, mut lines) = mpsc::channel(LINES_WAITING);
    let printer = task::spawn("print", async move {
        task::blocking(move || -> io::Result<()> {
            let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
            while let Some(line) = lines.blocking_recv() {
                writeln!(out, "{line}")?;
            }
            out.flush()
        })
        .await
    });
    aggregates.dump(sender).await?;
    printer.await??;
    Ok(())
}
