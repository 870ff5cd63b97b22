//! Asking the process that holds a data directory to do something: a Unix socket in the directory, one JSON line in,
//! JSON lines out. What can be asked is not known here.

mod client;
mod server;
mod socket;

pub use client::{Answers, ControlError, Line, ask};
pub use server::{ControlHandler, ControlListener, Progress};
