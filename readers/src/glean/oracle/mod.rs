//! What a ping counts, found out slowly: over a tree, section by section. Shares with the reader its limits and the names of
//! rules, and nothing else. For tests and for the fuzzer.

mod events;
mod information;
mod metrics;
mod slow;
mod totals;
mod tree;
mod value;
mod walk;

pub use totals::{Sums, Totals};
pub use walk::read;
