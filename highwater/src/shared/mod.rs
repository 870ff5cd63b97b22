//! Processes that share store, index and aggregates with others and keep nothing themselves: `highwater aggregate`,
//! `highwater query`, and retention.

mod aggregate;
mod anew;
mod query;
mod retaining;

pub(crate) use self::aggregate::run as aggregate;
pub(crate) use self::query::run as query;
pub(crate) use self::retaining::SharedRetention;
