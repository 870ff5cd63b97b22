//! Glean's pings: what each section and type of metric counts.
//!
//! - [`GleanReader`]: one walk over a body; what counts is told to a sink.
//! - [`GleanDimension`]: what pings are kept and filtered by.
//! - [`CustomLayouts`]: what a ping does not say of its custom distributions.

mod arena;
mod custom_layouts;
mod dimensions;
mod distribution;
mod dual_label;
mod edges;
mod error;
mod events;
mod info;
pub mod limits;
mod metrics;
#[cfg(any(test, feature = "oracle"))]
pub mod oracle;
mod reader;
mod section;
mod source_tags;
mod staged;
#[cfg(test)]
mod tests;
mod value;
mod work;

pub use custom_layouts::{CustomLayout, CustomLayouts};
pub use dimensions::GleanDimension;
pub use error::GleanError;
pub use events::EVENTS;
pub use reader::{DELETION_REQUEST, GleanReader, Received};
