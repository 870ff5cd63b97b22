//! The status of a data directory on which no process runs, read without a lock.

use std::path::Path;

use disk::RealDisk;
use ping::Incarnation;
use query::StatusReport;
use service::task;

use super::status::report;
use crate::local::Local;

/// Reads the counters of log, index and aggregates.
pub(crate) async fn offline_status(data_dir: &Path) -> anyhow::Result<StatusReport> {
    let local = Local::open(data_dir).await?;
    let (log, own) = (
        local.directory.log(),
        Incarnation::from_bytes(local.directory.incarnation()),
    );
    let counts = task::blocking(move || edge::read_counts(RealDisk::shared().as_ref(), &log, own)).await?;
    Ok(report(
        counts.waiting,
        counts.chunked,
        local.index.as_ref(),
        local.aggregates.as_ref(),
    )
    .await?)
}
