//! What an invocation of the Lambda, or a message of a queue, says: every shape in which the creation of an object can arrive, read into one. Pure.

mod announced;
mod invocation;
mod object_key;
mod wire;

pub use announced::{Announced, CreatedObject, EventError, Ignored};
pub use invocation::{Invocation, QueueMessage};
