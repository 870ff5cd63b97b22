//! Generated pings: whether they look like real ones, and what they add up to.

mod calibration;
mod mutations;
mod pings;
