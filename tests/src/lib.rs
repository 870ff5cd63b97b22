//! What the tests of the whole house share: starting real processes, speaking HTTP to them, ending them.

mod crash;
mod gzip;
mod http;
mod program;
mod recorded;
mod small_ping;

pub use crash::{CrashPoints, CrashingAggregates, CrashingIndex, CrashingStore};
pub use gzip::gzip;
pub use http::{Client, Response};
pub use program::{Finished, Pipeline, free_address, highwater, run};
pub use recorded::recorded;
pub use small_ping::SmallPing;
