//! Processes that share store, index and aggregates with others and keep nothing themselves: `highwater aggregate`,
//! `highwater query`, retention, folding anew, and who asks how it all is.

mod aggregate;
mod anew;
mod client_secret;
mod command;
mod query;
mod rebuild;
mod replay;
mod retaining;
mod same_settings;
mod standstill;
mod status;

pub(crate) use self::aggregate::run as aggregate;
pub(crate) use self::query::run as query;
pub(crate) use self::rebuild::{rebuild_everything, rebuild_source};
pub(crate) use self::replay::replay_errors;
pub(crate) use self::retaining::SharedRetention;
pub(crate) use self::status::counts;
