//! Settings in layers: a flag before the environment, the environment before a file, the file before the default.
//!
//! What can be set is said once, by the flags of a `clap` parser; which settings there are is not known here.

mod environment;
mod error;
mod file;
mod given;
mod keys;
mod layers;

pub use error::SettingsError;
pub use file::{FileSetting, read_file};
pub use keys::{Keys, OF_THIS_CALL};
pub use layers::{Loaded, load, load_process};
