//! Which channels have data: a list of names as pings state them, release among them.

use aggregate_store::{AggregateReads, DateClock};

use crate::problem::Problem;
use crate::reply::Reply;

/// Channels, ascending; none before the first ping is folded.
pub(crate) async fn answer(reads: &dyn AggregateReads, clock: DateClock) -> Result<Reply, Problem> {
    Ok(Reply::json(&reads.channels(clock).await?))
}
