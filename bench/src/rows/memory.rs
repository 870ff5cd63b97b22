//! Memory of the edge, by how many partitions are open.

use anyhow::Result;

use super::load::{CONNECTIONS, Load};
use super::metrics::wait_for;
use super::process::{self, Process};
use crate::options::Options;
use crate::outcome::Row;
use crate::sample::Sample;

const BAR_MB: f64 = 200.0;
/// So much more than with the fewest partitions may those with the most take.
const MORE_MB: f64 = 100.0;
/// So many pings wait, or one a partition.
const PINGS: usize = 1_000;

/// Measures few, some and very many.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    if let Some(reason) = process::missing(&options.highwater) {
        return Ok(vec![Row::left_out("edge memory", reason)]);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (mut rows, mut first) = (Vec::new(), None);
    for partitions in [10, 1_000, 100_000] {
        let work = format!("edge memory, {partitions} open partitions, {CONNECTIONS} connections");
        rows.push(match runtime.block_on(peak(options, sample, partitions)) {
            Ok((megabytes, note)) => {
                let bar = BAR_MB.min(*first.get_or_insert(megabytes) + MORE_MB);
                let bar = if partitions > PINGS { bar } else { BAR_MB };
                Row::figure(work, megabytes, "MB", Some(bar)).note(note)
            }
            Err(error) => Row::left_out(work, format!("{error:#}")),
        });
    }
    Ok(rows)
}

/// The most memory of an edge in whose log pings of so many partitions wait, and under which conditions.
async fn peak(options: &Options, sample: &Sample, partitions: usize) -> Result<(f64, String)> {
    // Nothing is sealed, neither by age nor because the log fills.
    let settings = [
        "--seal-age",
        "1h",
        "--log-budget",
        "64GiB",
        "--new-partitions",
        "1000000",
    ];
    let process = Process::edge_with(&options.highwater, &settings).await?;
    let number = sample.pings.len().max(PINGS).max(partitions);
    Load::new(&sample.pings, number, partitions)
        .send(&process.edge)
        .await?;
    let waiting = [
        ("highwater_edge_open_partitions", partitions as f64),
        ("highwater_edge_waiting_pings", number as f64),
    ];
    wait_for(&process.edge, &waiting).await?;
    let log = process.metrics().await?.value("highwater_edge_log_bytes");
    let note = format!(
        "VmHWM; {number} whole pings wait in {:.2} GB of log",
        log.unwrap_or(f64::NAN) / 1e9
    );
    Ok((process.peak_megabytes()?, note))
}
