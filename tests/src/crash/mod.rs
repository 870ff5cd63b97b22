//! Doors that lead nowhere from a chosen call on, as if the process had died there.

mod aggregates;
mod index;
mod points;
mod store;

pub use aggregates::CrashingAggregates;
pub use index::CrashingIndex;
pub use points::CrashPoints;
pub use store::CrashingStore;
