//! `highwater import`: pings from NDJSON files.

mod command;
mod file;
mod line;
mod source;

pub use command::run;
pub use file::import_file;
