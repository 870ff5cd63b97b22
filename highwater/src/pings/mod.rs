//! `highwater pings`: stored pings, selected and printed.

mod command;
mod compact;
mod meta;
mod printer;
mod select;

pub use command::run;
pub use printer::{Printer, Shape};
pub use select::Select;
