//! S3 on loopback, for tests and benches: objects in memory, the protocol by `s3s`, signatures checked, and faults by script.
//!
//! What it does as S3 does: puts and completions with `If-None-Match: *` (412), CRC32C of puts, parts and whole objects,
//! ranges and their refusal (416), deletion of what is not there, lists in byte order by pages, with encoded keys.
//! What it does not: versions, policies, lifecycles, events, anything kept after its end.

mod fault;
mod objects;
mod operation;
mod s3;
mod script;
mod server;

pub use fault::Fault;
pub use objects::{Kept, Settings};
pub use operation::Operation;
pub use server::{ACCESS_KEY_ID, LoopbackS3, SECRET_ACCESS_KEY};
