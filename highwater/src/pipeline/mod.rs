//! The pipeline in one process: its parts wired together. What they do lives in their crates.

mod control;
mod core;
mod health;
mod listeners;
mod status;

pub use self::core::Core;
pub use self::listeners::Pipeline;
