//! Connections to a PostgreSQL database, for every door that has a back end there: where it is and how it is trusted
//! ([`PostgresSettings`]), a bounded pool ([`Connections`]), calls that are begun anew when a connection is lost, one
//! transaction whose lost answer is found out about, migrations ([`Schema`]), and which server answers ([`SeenServer`]).
//!
//! What does not live here: any table, and any word of the domain.

mod call;
mod failure;
mod limits;
mod migrate;
mod pool;
mod server;
mod settings;
mod tls;

pub use call::{Feeds, Gate, Pending, Reads, Writes};
pub use deadpool_postgres::{ClientWrapper, Transaction};
pub use failure::Failure;
pub use migrate::Schema;
pub use pool::Connections;
pub use server::{SeenServer, ServerIdentity};
pub use settings::{PostgresSettings, SettingsError};
