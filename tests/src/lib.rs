//! What the tests of the whole house share: starting real processes, speaking HTTP to them, ending them.

pub mod alarms;
pub mod aws;
mod faults;
mod http;
mod member;
mod program;
mod recorded;
mod small_disk;
pub mod soak;

pub use faults::Faults;
pub use http::{Client, Response};
pub use loopback_ports::free_address;
pub use member::{Member, Wish};
pub use program::{Finished, Pipeline, highwater, run, thread_sleep as pause};
pub use recorded::recorded;
pub use rustix::process::Signal;
pub use simulation::{
    CrashPoints, CrashingAggregates, CrashingIndex, CrashingRetained, CrashingStore, SmallPing, gzip,
};
pub use small_disk::SmallDisk;
