//! The whole pipeline in one thread under seeded faults, and what it is made of: doors behind gates, a scheduler, the
//! judge and his oracle.

mod announcements;
mod client;
mod deletions;
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
mod promise;
mod remote;
mod retained;
mod retaining;
mod run;
mod scheduler;
mod sent;
mod small_ping;
mod trace;
mod verdict;
mod world;

pub use deletions::{Deletions, MayGo, RememberingStore};
pub use doors::{
    Call, CrashPoints, CrashingAggregates, CrashingIndex, CrashingRetained, CrashingStore, Gate, Shut,
};
pub use found::{Chunks, Found, chunks};
pub use gzip::gzip;
pub use oracle::{Expected, cell_lines, expected, normal};
pub use retained::Left;
pub use retaining::{Days, Retaining};
pub use run::{Report, run, run_consenting, run_spoilt};
pub use sent::Sent;
pub use small_ping::SmallPing;
pub use verdict::Verdict;
