//! The mathematics: bin layouts, histogram cells, and canonical HyperLogLog images. Pure: no I/O, no clock.
//!
//! - [`Layout`]: which bins a histogram has, as its ping or a definition states it; [`Layout::lower_bounds`] and the search
//!   among them.
//! - [`Cell`]: what was folded for one key. Linear and signed: what was added can be taken back. One canonical
//!   stored form, so that equal cells are equal bytes.
//! - [`UserSketch`]: how many distinct clients, within [`STANDARD_ERROR`]. A function of the set of clients only, stored
//!   as an Apache `DataSketches` image that Spark, Druid, Java, C++ and Python read. [`coupon_of`] is the only hash.
//!
//! Laws, checked by property tests: adding cells is associative and commutative and has an inverse; uniting sketches
//! is associative, commutative and idempotent; equal values are equal bytes, and no bytes make a reader panic.

mod bounds;
mod cell;
mod cell_bytes;
mod coupon;
mod functional;
mod image;
mod kind;
mod layout;
mod layout_error;
mod registers;
mod users;
mod varint;

pub use bounds::bin_among;
pub use cell::Cell;
pub use cell_bytes::{CELL_VERSION, CellError, has_positive_count, merge_encoded};
pub use coupon::{Coupon, coupon_of};
pub use image::ImageError;
pub use kind::HistogramKind;
pub use layout::{BIN_COUNT_MAX, Layout};
pub use layout_error::LayoutError;
pub use users::{STANDARD_ERROR, UserSketch};
