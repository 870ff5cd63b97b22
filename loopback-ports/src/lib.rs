//! Ports on loopback for what tests start, of which no two processes are given the same.

mod block;

pub use block::{free_address, free_port};
