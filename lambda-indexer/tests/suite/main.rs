//! The indexer seen through its public face.

mod answering;
mod events;
mod indexing;
mod reconciling;
mod world;
