//! What definition files say of metrics: kind, bin layout, labels, description. They are optional: they shape answers. Of Glean's pings
//! they say to the fold, too, which have no sections about client and ping.

mod definition;
mod file;
mod histograms;
mod number;
mod processes;
mod review;
mod said;
mod scalars;
mod table;

pub use definition::{Bins, Definition, Kind};
pub use file::DefinitionError;
pub use review::{Lapsed, Review, SeenSource};
pub(crate) use said::own_unit;
pub use table::Definitions;
