//! What becomes of a ping's JSON. Pure: no I/O, no clock.
//!
//! - [`declaration`]: what a team writes so that its own JSON is counted, checked.
//! - [`declared`]: the reader of declared products.
//! - [`explain`]: what a ping becomes, value by value, for people.
//! - [`glean`]: the reader of Glean's pings; [`definitions`]: what their `metrics.yaml` says.
//! - [`json`]: one walk over a body, without a tree.
//! - [`privacy`]: what is taken out of a body before it is stored, and what then stands for the client.
//! - [`shipped`]: declarations that come with this program.
//! - [`values`]: the sink that a reader tells what a body holds.

pub mod dates;
pub mod declaration;
pub mod declared;
pub mod definitions;
pub mod explain;
pub mod glean;
mod identifier;
pub mod json;
pub mod privacy;
pub mod shipped;
mod texts;
pub mod values;
