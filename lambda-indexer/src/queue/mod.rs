//! The indexer as a process that takes messages from a queue itself, where AWS has no Lambda to bring them to.
//!
//! `door.rs` is the door to queues, `sqs.rs` what stands behind it (feature `sqs`); `follow.rs` takes messages for as long as
//! the process lives, `redrive.rs` empties a dead-letter queue.

mod batch;
mod door;
mod follow;
mod redrive;
#[cfg(feature = "sqs")]
mod sqs;

pub use door::{Queue, QueueError, QueueState, Received};
pub use follow::follow;
pub use redrive::{Redriven, redrive};
#[cfg(feature = "sqs")]
pub use sqs::{SqsQueue, SqsSettings};
