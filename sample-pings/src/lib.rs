//! Generated pings that look like real ones, all from a seed, and what their aggregates must be.
//!
//! Pure: no I/O, no clock. [`Population`] makes the pings, [`Truth`] says what they must add up to, [`mutate`] breaks
//! them.
//! What does not live here: sending them, and any rule of the fold that [`Truth`] is there to check.

mod addon;
mod body;
mod catalogue;
mod client;
mod collection;
mod dice;
mod environment;
mod generic_metric;
mod hang;
mod histogram;
mod info;
mod json;
mod keyed;
mod layout;
mod measurement;
mod metric;
mod mutation;
mod names;
mod node;
mod odd_values;
mod parameters;
mod platform;
mod population;
mod release;
mod sample_ping;
mod session;
mod slow;
mod trend;
mod truth;

pub use mutation::{Mutation, mutate};
pub use population::{Options, Population};
pub use release::BUILDS;
pub use sample_ping::{SamplePing, gzip};
pub use truth::{Contribution, MetricKey, Truth};
