//! The rows of the table, one module each.

mod chunks;
mod fold;
mod gather;
mod logged;
mod names;
mod partition;
mod persist;
mod stored;

pub(crate) use names::{RowName, Rows};
