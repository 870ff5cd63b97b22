//! What becomes of a ping's JSON. Pure: no I/O, no clock.
//!
//! - [`json`]: one walk over a body, without a tree.
//! - [`glean`]: the reader of Glean's pings.
//! - [`values`]: the sink that a reader tells what a body holds.

pub mod dates;
pub mod declaration;
pub mod declared;
pub mod glean;
pub mod json;
mod texts;
pub mod values;
