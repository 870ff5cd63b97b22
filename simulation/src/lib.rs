//! The whole pipeline in one thread under seeded faults, and what it is made of: doors behind gates, a scheduler, the
//! judge and his oracle.

mod doors;
mod found;
mod gzip;
mod oracle;
mod small_ping;

pub use doors::{Call, CrashPoints, CrashingAggregates, CrashingIndex, CrashingStore, Gate, Shut};
pub use found::{Chunks, Found, chunks};
pub use gzip::gzip;
pub use oracle::{Expected, expected, normal};
pub use small_ping::SmallPing;
