//! A file system in memory that forgets what was not synced. `disk.rs` is what a test may do to it, `door.rs` the door,
//! `handle.rs` an open file, `content.rs` bytes, `inode.rs` a file with its unsynced changes, `tree.rs` folders with
//! theirs, `power.rs` crash points, `faults.rs` what goes wrong while the power is on.

mod content;
mod disk;
mod door;
mod faults;
mod handle;
mod inode;
mod power;
mod tree;

pub use disk::SimulatedDisk;
pub use faults::SyncKind;
pub use power::Moment;
