//! The back end that keeps objects as files of one folder. An object at `<key>` is the file `<root>/<key>`, so that it can
//! be read by anything. `door.rs` is the shell, `put.rs` how objects become durable, `queue.rs` which
//! of them together, `staging.rs` where they are written first, `list.rs` the order of keys, `folders.rs` which folders are known to be durable.

mod door;
mod folders;
mod list;
mod put;
mod queue;
mod staging;

pub use door::{Blocking, DirectoryStore};
