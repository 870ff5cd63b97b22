//! The write-ahead log: one sequence of segment files that holds pings, plans and done-marks.
//!
//! `frame` and `segment` say how the bytes look, `recovery` reads them at a start, `writer` appends what `queue` brings it,
//! `handle` is what the rest of the edge holds. What does not live here: which pings become which chunk.

pub(crate) mod budget;
pub(crate) mod chain;
pub(crate) mod counters;
pub(crate) mod damage;
pub(crate) mod find;
pub(crate) mod frame;
pub(crate) mod group;
pub(crate) mod handle;
pub(crate) mod logged_head;
pub(crate) mod look;
pub(crate) mod message;
pub(crate) mod names;
pub(crate) mod open;
pub(crate) mod position;
pub(crate) mod probe;
pub(crate) mod queue;
pub(crate) mod recovery;
pub(crate) mod runs;
pub(crate) mod segment;
pub(crate) mod spare;
pub(crate) mod starts;
#[cfg(test)]
mod tests;
pub(crate) mod writer;
