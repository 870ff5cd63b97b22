//! `highwater dump`: every aggregate, sorted, so that two stores can be compared byte by byte.

use std::io::{self, BufWriter, Write};

use aggregate_store::AggregateReads;
use service::control::{ControlError, ask};
use service::task;
use tokio::sync::mpsc;

use crate::cli::Data;
use crate::local::Local;
use crate::pipeline::Request;

/// Lines that may wait to be printed.
const LINES_WAITING: usize = 1_024;

/// Runs the command.
pub(crate) async fn run(data: &Data) -> anyhow::Result<()> {
    // Who runs here holds the newest aggregates in memory. Nobody may run here, too.
    match ask(&data.data_dir, &serde_json::to_value(Request::Persist)?).await {
        Ok(answers) => drop(answers.result(|_| {}).await?),
        Err(ControlError::NobodyListens(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let local = Local::open(&data.data_dir).await?;
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
    local.aggregates.dump(sender).await?;
    printer.await??;
    Ok(())
}
