//! Ids of sources, for writing: those that are new get rows.

use postgres_connections::Failure;
use tokio_postgres::Client;

use super::strings;

const FIND: &str = "SELECT u.number, s.id FROM unnest($1) WITH ORDINALITY AS u (name, number) \
     JOIN highwater_aggregates.source s ON sha256(s.name) = sha256(u.name)";
const ADD: &str = "INSERT INTO highwater_aggregates.source (name) SELECT * FROM unnest($1)";

/// The ids of these names, in their order; no name may be there twice.
pub(super) async fn ids(client: &Client, names: &[&str]) -> Result<Vec<i32>, Failure> {
    strings::ids_in(client, FIND, ADD, names).await
}
