//! `highwater demo`: the pipeline with generated pings.

mod command;
mod ledger;
mod number;
mod progress;
mod sender;

pub(crate) use command::run;
