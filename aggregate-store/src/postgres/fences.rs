//! The fences of what is written, held fast up to its end.

use postgres_connections::Failure;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use crate::leases::Lease;
use crate::stored::stored;

const HOLD_FAST: &str = "SELECT l.shard FROM unnest($1, $2) AS f (shard, fence) \
     JOIN highwater_aggregates.lease l ON l.shard = f.shard AND l.fence = f.fence FOR SHARE OF l";

/// Whether nobody claimed one of these shards since, and nobody will before the transaction ends.
pub(super) async fn hold_fast(client: &Client, leases: &[Lease]) -> Result<bool, Failure> {
    if leases.is_empty() {
        return Ok(true);
    }
    let (mut shards, mut fences) = (Vec::new(), Vec::new());
    for Lease { shard, fence } in leases {
        shards.push(i32::from(*shard));
        fences.push(stored(*fence)?);
    }
    let given: [(&(dyn ToSql + Sync), Type); 2] = [(&shards, Type::INT4_ARRAY), (&fences, Type::INT8_ARRAY)];
    let held = client.query_typed(HOLD_FAST, &given).await?;
    Ok(held.len() == leases.len())
}
