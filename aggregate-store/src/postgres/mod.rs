//! The back end for several processes that share one database: PostgreSQL, in a schema of its own, so that the index may
//! lie in the same database. Batches are committed one after the other, behind an advisory lock.
//!
//! What does not live here: connections (crate `postgres-connections`), and what a dump's lines look like.

mod about;
mod aggregates;
mod catalogue;
mod cells;
mod chunks;
mod client_secret;
mod commit;
mod conditions;
mod copies;
mod counters;
mod counts;
mod dictionary;
mod dimension_values;
mod doomed;
mod dump;
mod epochs;
mod errored;
mod fences;
mod flip;
mod fold_version;
mod gate;
mod given;
mod ids;
mod in_use;
mod known;
mod layouts;
mod leases;
mod limits;
mod listing;
mod place;
mod reading;
mod rebuilds;
mod refusal;
mod retain;
mod retain_sources;
mod schema;
mod series;
mod sets;
mod slices;
mod snapshot;
mod sources;
mod strings;
mod unused;
mod users;
mod values;
mod verdict;
mod wishes;

pub use aggregates::PostgresAggregates;
