//! Removes what no epoch in use and no rebuild names any more, a slice at a time.

use postgres_connections::Failure;
use tokio_postgres::Client;

use super::doomed::Doomed;
use super::in_use::SourceDays;
use super::limits::DELETED_ROWS;
use super::{counts, epochs, sources};

/// Sources that are of no rebuild under way.
const SOURCES: &str = "SELECT id, name, epoch FROM highwater_aggregates.source \
     WHERE epoch NOT IN (SELECT epoch FROM highwater_aggregates.rebuild)";

/// Removes a slice; false when nothing was left.
pub(super) async fn remove(client: &Client) -> Result<bool, Failure> {
    for table in ["rebuilt", "rebuilt_errored"] {
        if remove_rows(client, table).await? > 0 {
            return Ok(true);
        }
    }
    let rows = client.query_typed(SOURCES, &[]).await?;
    let sources = rows.iter().map(sources::read).collect::<Result<Vec<_>, _>>()?;
    let days = SourceDays::unused(&epochs::all(client).await?, &sources)?;
    if counts::remove_some(client, &days).await? > 0 {
        return Ok(true);
    }
    let doomed = Doomed::on(days);
    Ok(doomed.remove_users(client).await? > 0
        || doomed.remove_cells(client).await? > 0
        || doomed.remove_sets(client).await? > 0)
}

/// What rebuilds noted that are not under way any more.
async fn remove_rows(client: &Client, table: &str) -> Result<u64, Failure> {
    let sql = format!(
        "DELETE FROM highwater_aggregates.{table} WHERE ctid = ANY (ARRAY( \
         SELECT ctid FROM highwater_aggregates.{table} \
         WHERE epoch NOT IN (SELECT epoch FROM highwater_aggregates.rebuild) LIMIT {DELETED_ROWS}))"
    );
    Ok(client.execute_typed(&sql, &[]).await?)
}
