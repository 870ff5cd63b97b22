//! The rows of the table, one module each.

mod chunks;
mod client;
mod edge;
mod fold;
mod freshness;
mod gather;
mod load;
mod logged;
mod names;
mod partition;
mod persist;
mod process;
mod stored;

pub(crate) use names::{RowName, Rows};
