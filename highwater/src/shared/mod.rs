//! Processes that share store, index and aggregates with others and keep nothing themselves: `highwater aggregate` and
//! `highwater query`.

mod aggregate;
mod anew;
mod query;

pub(crate) use self::aggregate::run as aggregate;
pub(crate) use self::query::run as query;
