//! The mathematics: bin layouts, histogram cells, and canonical HyperLogLog images. Pure: no I/O, no clock.
//!
//! - [`Layout`]: which bins a histogram has, as its ping states it; [`Layout::lower_bounds`] and the search among them.

mod bounds;
mod layout;

pub use bounds::bin_among;
pub use layout::{BIN_COUNT_MAX, HistogramKind, Layout, LayoutError};
