//! HTTP/1.1 in: the accept loop, what a connection may cost, and how a body is read. Routes and answers live with the
//! services; TLS is left to what stands in front.

mod body;
mod connection;
mod connection_limit;
mod handler;
mod hosts;
mod limits;
mod listener;
mod pace;
mod serving;
mod watch;

pub use body::{BodyBudget, BodyError, read_body};
pub use handler::{Answer, Handler, Hangup, json, text};
pub use hosts::{HostCheck, Hosts};
pub use limits::{BodyLimits, ConnectionLimits};
pub use listener::{BindError, Listener};
