//! The house seen from its plan: which crate may lean on which, read from `cargo metadata` and the sources; and whether the
//! papers say what the sources say.

mod circles;
mod floors;
mod installing;
mod limits;
mod papers;
mod sources;
mod testing;
