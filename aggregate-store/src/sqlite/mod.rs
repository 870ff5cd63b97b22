//! The back end inside one process: one SQLite file in WAL mode, written by one thread, read by a few.

mod aggregates;
mod catalogue;
mod cells;
mod chunks;
mod client_secret;
mod commit;
mod conditions;
mod counters;
mod counts;
mod decoded;
mod dense;
mod dictionary;
mod dimension_values;
mod dump;
mod epochs;
mod errored;
mod finder;
mod fold_version;
mod groups;
mod known_texts;
mod layers;
mod limits;
mod listing;
mod members;
mod merge;
mod met_sets;
mod names;
mod overlay;
mod present;
mod reading;
mod rebuilds;
mod rebuilt;
mod refusal;
mod retain;
mod retain_sources;
mod retried;
mod schema;
mod seen;
mod series;
mod sets;
mod taking_over;
mod unused;
mod users;
mod values;
mod wishes;
mod workers;

pub use aggregates::SqliteAggregates;
pub(crate) use reading::Reading;

#[cfg(test)]
mod known_texts_tests;
#[cfg(test)]
mod rebuild_tests;
#[cfg(test)]
mod retain_tests;
#[cfg(test)]
mod taking_over_tests;
#[cfg(test)]
pub(crate) mod tests;
