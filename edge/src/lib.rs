//! HTTP in, chunks out: submission, write-ahead log, 200; later gather, seal, put.

mod inflate;
mod ledger;
mod log;
mod metrics;
mod staging;
mod waiting;
