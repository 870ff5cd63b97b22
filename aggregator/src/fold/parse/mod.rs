//! Streams a body into the stage, object by object, over one cursor (crate `readers`); never a tree of values.
//!
//! Everything is checked, also what is skipped: a body is JSON for the fold exactly if it is for `serde_json::Value` once
//! what cannot be read inside of its texts is replaced.

mod admission;
mod bins;
mod document;
mod header;
mod histogram;
mod keyed;
mod numbers;
mod section;
mod sections;

pub(super) use document::read;
pub(super) use header::Headers;
