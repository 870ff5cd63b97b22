//! Claims: where many edges share a store, each start of a log is claimed there, so that of two processes that take
//! themselves for one and the same (a copied disk, a copied image of a machine) only one goes on.
//!
//! Without it both would seal the pings that waited when the copy was made, and go on under one identity.
//! `claim_object.rs` is what a claim says and `claims_file.rs` what its holder remembers; `judge.rs` decides, and is pure; `take.rs` asks
//! the store.

mod claim_object;
mod claims_file;
mod judge;
mod take;
mod watch;

#[cfg(test)]
mod tests;

pub use take::{ClaimError, Claims};
pub(crate) use take::{look, take};
pub(crate) use watch::watch;
