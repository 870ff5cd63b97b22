//! Follows the index, folds pings, writes aggregates. The fold is pure; the transaction is one.

pub mod fold;
pub mod limits;
