//! The words of the product: a ping's identity, its submission URI, dimensions, partition and times.
//!
//! Pure: no I/O, no clock. Everything above this crate speaks in these types.

mod client;
mod client_hash;
mod dimension;
mod document;
mod id;
pub mod limits;
mod loose_text;
mod sample;
mod schema;
mod submission;
mod time;

pub use client::{ClientId, NoClient};
pub use client_hash::ClientHash;
pub use dimension::{Dimension, OTHER, Partition, UNKNOWN};
pub use document::{DocumentKey, document_hash};
pub use id::{ChunkId, Incarnation, ParseIdError, RecordId};
pub use loose_text::LooseText;
pub use sample::sample_id;
pub use schema::{DimensionSchema, SchemaError};
pub use submission::{Submission, SubmissionError};
pub use time::{ParseDateError, SubmissionDate, Timestamp};
