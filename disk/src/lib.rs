//! The only door to files: what the log, the seal and the directory store need of a file system, real or simulated.
//!
//! What does not live here: any word of the domain, and SQLite, which keeps its own promises.

mod door;
mod group;
mod real;
mod replace;
mod room;
mod simulated;

pub use door::{Disk, File, FileIdentity, Group};
pub use real::RealDisk;
pub use replace::replace;
pub use room::is_want_of_room;
pub use simulated::{Moment, SimulatedDisk, SyncKind};
