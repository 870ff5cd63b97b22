//! The mathematics: bin layouts, histogram cells, and canonical HyperLogLog images. Pure: no I/O, no clock.
//!
//! - [`Layout`]: which bins a histogram has, as its ping states it; [`Layout::lower_bounds`] and the search among them.
//! - [`Cell`]: what was folded for one key. Linear and signed: what was added can be taken back. One canonical
//!   stored form, so that equal cells are equal bytes.
//!
//! Laws, checked by property tests: adding cells is associative and commutative and has an inverse.

mod bounds;
mod cell;
mod cell_bytes;
mod layout;
mod varint;

pub use bounds::bin_among;
pub use cell::Cell;
pub use cell_bytes::{CELL_VERSION, CellError, merge_encoded};
pub use layout::{BIN_COUNT_MAX, HistogramKind, Layout, LayoutError};
