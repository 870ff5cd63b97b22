//! HTTP in, chunks out: submission, write-ahead log, 200; later gather, seal, put.

mod admission;
mod claim;
pub mod door;
mod edge;
mod failure;
mod fit;
mod floor;
mod forward;
#[doc(hidden)]
pub mod fuzzing;
mod gather;
mod gatherer_queue;
mod gatherers;
mod gathering;
mod gauges;
mod inflate;
pub mod intake;
mod ledger;
mod limits;
mod log;
mod log_watch;
pub mod metrics;
mod partition_key;
mod partitioning;
mod placed_store;
mod put;
mod relief;
mod resume;
mod schedule;
mod seal;
mod segment_bytes;
mod staging;
mod staging_room;
mod start;
mod status;
mod stuck;
mod waiting;

pub use claim::{ClaimError, Claims};
pub use door::stores_header;
pub use edge::{Edge, EdgeOptions, ImportedPing, Parts};
pub use limits::{BODY_BYTES_MAX, EdgeLimits, IMPORTED_FILES_MAX, LOG_BYTES_MIN};
pub use log::look::{LogCounts, damaged_pieces, read_counts};
pub use log::open::OpenError;
pub use start::EdgeError;
pub use status::EdgeStatus;
