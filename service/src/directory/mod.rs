//! The data directory: where its parts lie, and its identity. What lies in the parts is their owners' concern.

mod error;
mod identity;
mod layout;

pub use error::DirectoryError;
pub use layout::DataDirectory;
