//! `highwater dump`: every aggregate, sorted, so that two stores can be compared byte by byte.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use aggregate_store::AggregateReads;
use readers::values::beside::{LEFT_OUT, PINGS, STORED};
use service::task;
use tokio::sync::mpsc;

use crate::data::Data;
use crate::local::Local;
use crate::places;

/// Lines that may wait to be printed.
const LINES_WAITING: usize = 1_024;

/// Before a metric's name in a line.
const METRIC: &str = "\"metric\":\"";

/// Whether a line says what is kept beside the values of pings (decision 0056): programs before did not.
fn is_beside(line: &str) -> bool {
    let name = line.split_once(METRIC).map_or("", |(_, name)| name);
    let is_one = |kept: &str| name.strip_prefix(kept).is_some_and(|rest| rest.starts_with('"'));
    [PINGS, LEFT_OUT].into_iter().any(is_one) || name.starts_with(STORED)
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
                if all || !is_beside(&line) {
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
            assert!(is_beside(&line(metric)), "{metric}");
        }
        for metric in ["pings", "pings:x", "GC_MS", "sampled:events:a.b", "docs.stored:"] {
            assert!(!is_beside(&line(metric)), "{metric}");
        }
        assert!(!is_beside(
            r#"{"kind":"users","source":"a/b","version":"pings:"}"#
        ));
    }
}
