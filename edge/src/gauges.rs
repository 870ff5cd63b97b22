//! The gauges of log and seals, published by a clock of their own: what an operator needs in an outage moves in an outage, whatever
//! the seals wait for.

use std::time::Duration;

use crate::metrics as names;
use crate::seal::Sealer;

/// How often.
const EVERY: Duration = Duration::from_secs(1);

/// Publishes for ever, the first time at once.
pub(crate) async fn publish_for_ever(sealer: &Sealer) {
    loop {
        publish(sealer);
        service::task::sleep(EVERY).await;
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
fn publish(sealer: &Sealer) {
    let counts = sealer.ledger.counts();
    metrics::gauge!(names::WAITING).set(counts.waiting as f64);
    metrics::gauge!(names::PARTITIONS).set(counts.partitions as f64);
    metrics::gauge!(names::OLDEST_WAITING).set(counts.oldest.unwrap_or_default().as_secs_f64());
    metrics::gauge!(names::PLANS_STUCK).set(counts.stuck as f64);
    metrics::gauge!(names::PLANS_STUCK_AGE).set(counts.oldest_stuck.unwrap_or_default().as_secs_f64());
    metrics::gauge!(names::LOG_BYTES).set(sealer.log.budget().used() as f64);
}
