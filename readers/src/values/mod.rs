//! What a reader tells of a ping, and to whom: the fold adds it up, `highwater mapping check` prints it.

pub mod beside;
mod rule;
mod sink;

pub use rule::{Fate, Rule};
pub use sink::{Contribution, Kind, Name, Note, Place, Rates, Subject, Values};
