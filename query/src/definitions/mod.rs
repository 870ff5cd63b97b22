//! What definition files say of metrics: kind, bin layout, labels, description. They are optional: the fold never
//! reads them, they only shape answers.

mod definition;
mod file;
mod histograms;
mod number;
mod processes;
mod scalars;
mod table;

pub use definition::{Bins, Definition, Kind};
pub use file::DefinitionError;
pub use table::Definitions;
