//! The indexer seen through its public face.

mod indexing;
mod reconciling;
mod world;
