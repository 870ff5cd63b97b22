//! One route a file: the question taken from the request, and its answer.

pub(crate) mod aggregates;
pub(crate) mod catalogue;
pub(crate) mod channels;
pub(crate) mod dates;
pub(crate) mod engagement;
pub(crate) mod filters;
pub(crate) mod generic_aggregates;
pub(crate) mod generic_values;
pub(crate) mod health;
mod lookup;
pub(crate) mod metric_list;
pub(crate) mod openapi;
pub(crate) mod page;
pub(crate) mod partitions;
pub(crate) mod pings;
pub(crate) mod products;
mod question;
pub(crate) mod sources;
pub(crate) mod status;
pub(crate) mod values;

pub(crate) use question::Question;
