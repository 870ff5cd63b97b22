//! `highwater dump`: every aggregate, sorted, so that two stores can be compared byte by byte.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use aggregate_store::AggregateReads;
use readers::values::beside::{SAMPLED, is_beside};
use service::task;
use tokio::sync::mpsc;

use crate::data::Data;
use crate::local::Local;
use crate::places;

/// Lines that may wait to be printed.
const LINES_WAITING: usize = 1_024;

/// Before a metric's name in a line.
const METRIC: &str = "\"metric\":\"";

/// Whether a line says what is kept beside the values of pings (decision 0056): programs before did not, but for rates.
fn is_new(line: &str) -> bool {
    let metric = line.split_once(METRIC).map_or("", |(_, rest)| rest);
    let metric = metric.split_once('"').map_or(metric, |(metric, _)| metric);
    is_beside(metric) && !metric.starts_with(SAMPLED)
}

/// Runs the command; without `all` what is kept beside values is left out.
pub(crate) async fn run(data: &Data, all: bool) -> anyhow::Result<()> {
    let aggregates: Arc<dyn AggregateReads> = match &data.places.aggregates {
        Some(url) => places::shared_aggregates(url).await?.reads,
        None => Local::open_written(data).await?.aggregates,
    };
    let (sender, mut lines) = mpsc::channel::<String>(LINES_WAITING);
    let printer = task::spawn("print", async move {
        task::blocking(move || -> io::Result<()> {
            let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
            while let Some(line) = lines.blocking_recv() {
                if all || !is_new(&line) {
                    writeln!(out, "{line}")?;
                }
            }
            out.flush()
        })
        .await
    });
    aggregates.dump(sender).await?;
    printer.await??;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_beside_values_is_told_by_the_name_of_the_metric_alone() {
        let line = |metric: &str| {
            format!(r#"{{"kind":"cell","source":"a/b","metric":"{metric}","label":"pings:"}}"#)
        };
        for metric in ["pings:", "left_out:", "stored:docs.note"] {
            assert!(is_new(&line(metric)), "{metric}");
        }
        for metric in ["pings", "pings:x", "GC_MS", "sampled:events:a.b", "docs.stored:"] {
            assert!(!is_new(&line(metric)), "{metric}");
        }
        assert!(!is_new(r#"{"kind":"users","source":"a/b","version":"pings:"}"#));
    }
}
