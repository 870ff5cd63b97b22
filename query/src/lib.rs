//! The HTTP API and the page over aggregates and the index.

mod active_users;
mod api;
mod charted;
pub mod compatible;
pub mod definitions;
mod explain;
mod generic;
pub mod health;
mod kept;
mod limits;
mod live;
pub mod metrics;
mod parameters;
mod problem;
mod raw_pings;
mod reply;
mod route;
mod routes;
mod status_report;
mod turns;
mod unanswered;
mod uncounted;
mod withheld;

pub use api::{Api, Parts, connection_limits};
pub use charted::Charted;
pub use raw_pings::{FindPings, FindPingsError, PingsAsked, PingsDoor, PingsFound};
pub use status_report::{StatusError, StatusReport, StatusSource};
