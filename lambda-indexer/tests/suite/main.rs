//! The indexer seen through its public face.

mod answering;
mod events;
mod indexing;
mod queue_in_memory;
mod queueing;
mod reconciling;
mod world;
