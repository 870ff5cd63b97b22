//! Declarations: what a team writes so that its own JSON is counted. YAML in, a checked [`Declaration`] out.

mod fault;
pub mod limits;
mod node;

pub use fault::{Fault, Position, nearest};
