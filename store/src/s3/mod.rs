//! Objects in S3, or in what speaks its protocol. Behind the feature `s3`.
//!
//! `store.rs` is the door; `put.rs`, `parts.rs`, `read.rs` and `list.rs` are what stands behind its verbs; `call.rs` makes one
//! request, with its tries; `reason.rs` says what a failure means, and is pure.

mod call;
mod client;
mod failure;
pub(crate) mod limits;
mod list;
pub(crate) mod metrics;
mod names;
mod operation;
mod parts;
mod put;
mod read;
mod reason;
mod retry_budget;
mod settings;
mod source;
mod store;
mod upload_budget;

pub use client::S3OpenError;
pub use settings::{S3Credentials, S3Encryption, S3Settings, S3SettingsError};
pub use store::S3Store;
