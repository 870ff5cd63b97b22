//! The indexer seen through its public face.

mod events;
mod indexing;
mod reconciling;
mod world;
