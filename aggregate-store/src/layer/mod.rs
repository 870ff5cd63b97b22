//! The newest layer of aggregates, in memory: what was folded and is not written yet. Visible at once, written in large
//! merges.

mod aggregates;
mod core;
mod held;
mod kept;
mod part;
mod rebuilds;
mod retain;
mod select;
#[cfg(test)]
mod tests;

pub use aggregates::LayeredAggregates;
pub(crate) use held::{Held, LayerStamp};
pub use kept::{HeldSize, Kept, LayerStatus, Persisted};
#[cfg(feature = "postgres")]
pub(crate) use part::check_numbers;
pub(crate) use part::{CellName, Part};
pub(crate) use select::{HeldCells, add_held, matching};
