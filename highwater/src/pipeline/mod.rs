//! The pipeline in one process: its parts wired together. What they do lives in their crates.

mod base;
mod control;
mod core;
mod health;
mod listeners;
mod offline;
mod status;

pub use self::base::Base;
pub use self::control::{Request, perform};
pub use self::core::Core;
pub use self::health::of_edge as health_of_edge;
pub use self::listeners::{Pipeline, bind_edge, door_limits, read_definitions};
pub use self::offline::offline_status;
