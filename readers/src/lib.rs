//! What becomes of a ping's JSON. Pure: no I/O, no clock.
//!
//! - [`json`]: one walk over a body, without a tree.

pub mod json;
