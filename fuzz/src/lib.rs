//! What must hold whatever bytes are read: one target a reader, which panics when a law of it is broken.
//!
//! The same targets are run by the tests (the corpus, and seeded mutations of it) and by libFuzzer (`make fuzz`). What
//! does not live here: the readers.

pub mod cell;
pub mod chunk_key;
pub mod chunk_reader;
pub mod corpus;
pub mod declaration;
pub mod declared;
pub mod definitions;
pub mod dice;
pub mod dimension_schema;
pub mod fold;
pub mod fold_shapes;
pub mod glean;
pub mod gzip;
pub mod heka;
mod import;
pub mod import_line;
pub mod log_reader;
pub mod mutation;
pub mod notification;
pub mod parts;
pub mod plan;
pub mod record;
pub mod settings;
pub mod submission;
pub mod target;
pub mod user_sketch;

pub use target::{TARGETS, Target, named};
