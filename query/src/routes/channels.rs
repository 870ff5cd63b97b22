//! Which channels have data: a list of names as pings state them, release among them. Those that clients of the original
//! could not ask for are left to [`super::values`].

use aggregate_store::{AggregateReads, Source};

use crate::compatible::is_usable_name;
use crate::limits::LIST_VALUES_MAX;
use crate::problem::Problem;
use crate::reply::{Reply, made};

/// Channels, ascending; none before the first ping is folded.
pub(crate) async fn answer(reads: &dyn AggregateReads) -> Result<Reply, Problem> {
    let mut known = reads.channels(&Source::telemetry_main(), LIST_VALUES_MAX).await?;
    made(move || {
        known.values.retain(|channel| is_usable_name(channel));
        Ok(Reply::json(&known.values)?.leaving_out(known.left_out))
    })
    .await
}
