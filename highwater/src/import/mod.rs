//! `highwater import`: pings from NDJSON files.

mod command;
mod file;
mod line;
mod outline;
mod source;

pub(crate) use command::run;
pub(crate) use file::import_file;
