//! The status of a data directory on which no process runs, read without a lock.

use anyhow::Context;
use disk::RealDisk;
use ping::Incarnation;
use query::StatusReport;
use service::task;

use super::status::report;
use crate::data::Data;
use crate::local::Local;

/// Reads the counters of log, index and aggregates.
pub(crate) async fn offline_status(data: &Data) -> anyhow::Result<StatusReport> {
    let local = Local::open(data).await?;
    let (log, own) = (
        local.directory.log(),
        Incarnation::from_bytes(local.directory.incarnation()),
    );
    let counts = task::blocking(move || edge::read_counts(RealDisk::shared().as_ref(), &log, own)).await?;
    let (index, aggregates) = (local.index.as_ref(), local.aggregates.as_ref());
    let mut report = report(counts.waiting, counts.chunked, index, aggregates).await?;
    let damaged = local.directory.damaged();
    report.set_aside += task::blocking(move || {
        edge::damaged_pieces(RealDisk::shared().as_ref(), &damaged)
            .with_context(|| format!("cannot read {}", damaged.display()))
    })
    .await?;
    Ok(report)
}
