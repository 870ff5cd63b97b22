//! HTTP in, chunks out: submission, write-ahead log, 200; later gather, seal, put.

pub mod door;
pub mod intake;
