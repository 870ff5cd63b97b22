//! The house seen from its plan: which crate may lean on which, read from `cargo metadata` and the sources.

mod floors;
mod sources;
