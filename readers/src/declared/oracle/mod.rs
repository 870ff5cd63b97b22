//! The slow, obvious reader that tests and the fuzzer compare with: a tree of values, and each declared path looked up in it
//! alone. And a sink that writes down what it is told.

mod dimensions;
pub(super) mod identifiers;
mod metrics;
mod paths;
mod recorder;
mod slow;
mod told;
mod totals;
mod values;

pub use recorder::Recorder;
pub use slow::read;
pub use told::{Numbers, Told};
