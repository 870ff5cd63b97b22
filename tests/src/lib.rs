//! What the tests of the whole house share: starting real processes, speaking HTTP to them, ending them.

mod http;
mod program;
mod recorded;
pub mod soak;

pub use http::{Client, Response};
pub use program::{Finished, Pipeline, free_address, highwater, run};
pub use recorded::recorded;
pub use rustix::process::Signal;
pub use simulation::{CrashPoints, CrashingAggregates, CrashingIndex, CrashingStore, SmallPing, gzip};
