//! The whole pipeline in one thread under seeded faults, and what it is made of: doors behind gates, a scheduler, the
//! judge and his oracle.

mod announcements;
mod client;
mod dice;
mod doors;
mod found;
mod gate;
mod gzip;
mod import;
mod life;
mod live;
mod oracle;
mod plan;
mod process;
mod remote;
mod run;
mod scheduler;
mod sent;
mod small_ping;
mod trace;
mod verdict;
mod world;

pub use doors::{Call, CrashPoints, CrashingAggregates, CrashingIndex, CrashingStore, Gate, Shut};
pub use found::{Chunks, Found, chunks};
pub use gzip::gzip;
pub use oracle::{Expected, cell_lines, expected, normal};
pub use run::{Report, run, run_spoilt};
pub use sent::Sent;
pub use small_ping::SmallPing;
pub use verdict::Verdict;
