//! `highwater pings`: stored pings, selected and printed.

mod command;
mod compact;
mod meta;
pub(crate) mod names;
mod printer;
mod select;
mod source;

pub(crate) use command::run;
pub(crate) use printer::{Printer, Shape};
pub(crate) use select::Select;
