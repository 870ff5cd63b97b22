//! The newest layer of aggregates, in memory: what was folded and is not written yet. Visible at once, written in large
//! merges.

mod kept;

pub use kept::{HeldSize, Kept, LayerStatus, Persisted};
