//! What an application's own `metrics.yaml` and `pings.yaml` say of its Glean pings: kinds, units, words for people, and the
//! layouts of custom distributions. A ping is read without them, too.

mod expiry;
mod file;
pub mod limits;
mod metric;
mod metric_type;
mod ping;
#[cfg(test)]
mod tests;

pub use expiry::Expiry;
pub use file::{DefinedTwice, Definitions};
pub use metric::{DualLabels, ExtraKey, Lifetime, MetricDefinition};
pub use metric_type::MetricType;
pub use ping::PingDefinition;
