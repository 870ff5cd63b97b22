//! Which aggregates these are.

use ping::Incarnation;
use postgres_connections::Failure;
use tokio_postgres::Client;

use crate::AggregateError;

const INCARNATION: &str = "SELECT incarnation FROM highwater_aggregates.about";

/// The name that they were given when their tables were made.
pub(super) async fn incarnation(client: &Client) -> Result<Incarnation, Failure> {
    let row = client.query_typed_one(INCARNATION, &[]).await?;
    let bytes: &[u8] = row.try_get(0)?;
    let bytes = <[u8; 16]>::try_from(bytes);
    let bytes = bytes.map_err(|_| AggregateError::Batch("their name has not 16 bytes"))?;
    Ok(Incarnation::from_bytes(bytes))
}
