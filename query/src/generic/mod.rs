//! The API over any source, by any dimension: questions and answers. Pure: what the store is asked stands with the routes.

mod absent;
mod answer;
mod csv;
mod filter;
mod form;
mod group;
mod percentile;
mod question;
mod reading;
mod sampled;
mod telemetryjs;

pub(crate) use absent::no_source;
pub(crate) use answer::{About, Answer};
pub(crate) use csv::csv;
pub(crate) use filter::{filter_of, is_list};
pub(crate) use form::{Form, unit_of};
pub(crate) use group::{Row, grouped, note_rates};
#[cfg(test)]
pub(crate) use question::FIXED;
pub(crate) use question::{AggregatesQuestion, Format, dimensions_of, is_dimension, refuse_strangers};
pub(crate) use reading::Reading;
pub(crate) use sampled::rates_of;
