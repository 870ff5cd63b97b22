//! The fold: a ping's body in, signed contributions to aggregates out. Pure: no clock, no I/O, no store.
//!
//! `parse` streams a body into the flat vectors of `staged`; `tables` adds or takes away what is staged. What does not
//! live here: which pings count (`batch`), and where the sums go (crate `aggregate-store`).

mod caps;
mod category;
mod difference;
mod dimension;
mod folder;
mod ids;
mod names;
mod object;
#[cfg(any(test, feature = "oracle"))]
pub mod oracle;
mod parse;
mod ping_error;
mod products;
mod refusal;
mod settings;
mod shape;
mod source_rules;
mod staged;
mod standing;
mod tables;
#[cfg(test)]
mod tests;
mod told;
mod vocabulary;

pub use caps::Caps;
pub use difference::differences;
pub use folder::Folder;
pub(crate) use object::check_object;
pub use ping_error::PingError;
pub(crate) use products::Given;
pub use products::Products;
pub use refusal::{Refusal, RefusalCounts};
pub(crate) use settings::Reading;
pub use settings::{FOLD_ACCEPTS_MORE_SINCE, FOLD_RULES, FoldSettings, FoldedType, ParseFoldedTypeError};
pub use standing::{Standing, inflated_bytes_of};
