//! The write-ahead log: one sequence of segment files that holds pings, plans and done-marks.
//!
//! `frame` and `segment` say how the bytes look, `recovery` reads them at a start, `writer` appends, `handle` is what
//! the rest of the edge holds. What does not live here: which pings become which chunk.

pub(crate) mod frame;
pub(crate) mod segment;
