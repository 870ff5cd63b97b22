//! The soak: load, kills, full disks, stores that go away, clock steps and restarts mixed at random on the real program,
//! and in the end everything that was acknowledged held against what is stored and counted.
//!
//! What does not live here: faults at chosen calls, which are the simulation's.

mod commands;
mod conditions;
mod document;
mod fleet;
mod ledger;
mod load;
mod mixed;
mod options;
mod partitions;
mod picture;
mod plan;
mod process;
mod report;
mod stage;
mod stored;
mod totals;
mod verdict;

pub use fleet::{Fleet, Role, mixed_fleet};
pub use mixed::mixed;
pub use options::{Options, seed};
pub use partitions::partitions;
pub use report::Outcome;
