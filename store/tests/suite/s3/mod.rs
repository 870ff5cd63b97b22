//! The back end for S3: the law on three servers, and every fault that a line or a server may have.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod bill;
mod deleting;
mod law;
mod listing;
mod opening;
mod parts;
mod putting;
mod reading;
mod rig;
