//! The HTTP door of the edge: which submissions are taken, what of them is stored, and what the others are told.
//!
//! How bytes come in is the concern of `service::http`, how they are kept that of the log.

pub(crate) mod check;
mod handler;
pub(crate) mod headers;
mod limits;
pub mod metrics;
mod origins;
mod rejection;

pub use handler::SubmissionHandler;
pub use headers::stores_header;
pub use limits::DoorLimits;
pub use origins::{NoOrigin, Origins};
pub use rejection::{Rejection, Rejections};
