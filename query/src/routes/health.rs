//! How the pipeline is, in numbers and in words.

use crate::health::HealthSource;
use crate::problem::Problem;
use crate::reply::Reply;

/// The newest report.
pub(crate) fn answer(source: &dyn HealthSource) -> Result<Reply, Problem> {
    Reply::json(&source.health().to_json())
}
