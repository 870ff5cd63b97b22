//! JSON read in one walk, without a tree (decision 0018): for the readers of this crate, and for the fold of main pings.

mod cursor;
mod error;
mod fields;
mod key;
mod keys;
mod leaf;
mod once;
mod scan;

pub use cursor::{Cursor, Text};
pub use error::JsonError;
pub use fields::Fields;
pub use key::Key;
pub use keys::{Keys, SeenKey};
pub use leaf::Leaf;
pub use once::Once;
