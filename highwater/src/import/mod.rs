//! `highwater import`: pings from files of lines or of Heka's frames.

mod attribute_map;
mod command;
mod file;
mod forms;
mod heka;
mod heka_frames;
mod line;
mod object;
mod outline;
mod printed;
mod source;

use crate::pings::names as printing;

pub(crate) use command::run;
pub(crate) use file::import_file;
pub(crate) use line::Line;
