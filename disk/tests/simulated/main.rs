//! The simulated disk beside the real one, and what it leaves after a power cut.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod faults;
mod power_cut;
mod replace;
mod same_as_real;
mod steps;
