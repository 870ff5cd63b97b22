//! The reader of declared products: one walk over a body, along all declared paths at once.

mod about;
mod edition;
mod histogram;
pub mod limits;
mod number;
#[cfg(any(test, feature = "oracle"))]
pub mod oracle;
mod plan;
mod read;
mod room;
mod settle;
mod take;
#[cfg(test)]
mod tests;
mod trie;
mod walk;

pub use edition::Edition;
pub use plan::{Listed, Reader};
pub use read::Submitted;
pub use room::Room;
pub use walk::BodyError;
