//! Declarations: what a team writes so that its own JSON is counted. YAML in, a checked [`Declaration`] out.

mod contradictions;
mod dimension;
mod example;
pub(crate) mod fault;
mod file;
mod form;
mod kind;
mod layout;
pub mod limits;
mod metric;
pub(crate) mod node;
mod path;
mod places;
mod privacy;
mod product;
mod reach;
mod source;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod uri_part;

pub use contradictions::{Contradiction, beside_glean, between};
pub(crate) use dimension::VALUE_BYTES_MAX;
pub use dimension::{Dimension, Form, From};
pub use example::{Example, Expected};
pub use fault::{Fault, Position, nearest};
pub(crate) use form::apply;
pub use kind::Type;
pub use metric::{GivenAs, LENGTH_DEFAULT, Metric};
pub use path::{Path, Step, as_step};
pub use privacy::{Clients, Privacy};
pub use product::Declaration;
pub use source::Source;
pub use uri_part::UriPart;
