//! Streams a body into the stage: visitors over `serde_json`, never a tree of values.
//!
//! Everything goes through `deserialize_any`, also what is skipped: so a body is JSON for the fold exactly if it is for
//! `serde_json::Value` (depth, number range, escapes).

mod bins;
mod document;
mod histogram;
mod keyed;
mod leaf;
mod numbers;
mod object;
mod sections;

pub(super) use document::read;
