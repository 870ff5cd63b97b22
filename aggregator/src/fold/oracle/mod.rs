//! The fold once more, slow and obvious: through a tree of values and sorted maps of strings. Tests compare with it.
//!
//! It shares nothing with the fold but the limits, the refusals' words and the bin layouts of `sketch`.

mod accept;
mod contribute;
mod dimensions;
mod texts;
mod totals;
mod tree;
mod walk;

pub use totals::{Key, Sums, Totals};
pub use walk::{OraclePing, read};
