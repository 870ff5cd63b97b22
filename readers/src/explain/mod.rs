//! What a ping becomes, value by value, and why the rest does not: for people who write a declaration.

mod expected;
mod listing;
mod places;
mod privacy;
mod short;
#[cfg(test)]
mod tests;
mod text;

pub use expected::unmet;
pub use listing::{Counted, Explained, Remark, Samples, explain};
pub use privacy::{kept, promises};
pub use short::short;
