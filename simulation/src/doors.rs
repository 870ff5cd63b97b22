//! The doors to store, index and aggregates, each behind a gate that may delay, refuse, or end the process.

mod aggregates;
mod gate;
mod index;
mod points;
mod retained;
mod store;

pub use aggregates::CrashingAggregates;
pub use gate::{Call, Gate, Shut};
pub use index::CrashingIndex;
pub use points::CrashPoints;
pub use retained::CrashingRetained;
pub use store::CrashingStore;
