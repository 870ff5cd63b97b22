//! How many pings came and what became of them.

use crate::problem::Problem;
use crate::reply::Reply;
use crate::status_report::StatusSource;

/// The numbers now.
pub(crate) async fn answer(source: &dyn StatusSource) -> Result<Reply, Problem> {
    let report = source
        .status()
        .await
        .map_err(|error| Problem::unavailable("status", &error))?;
    Reply::json(&report.to_json())
}
