//! The HTTP API and the page over aggregates and the index.

pub mod compatible;
pub mod definitions;
