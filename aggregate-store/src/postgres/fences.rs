//! The fences of a batch, held fast up to its end.

use postgres_connections::Failure;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use crate::Batch;
use crate::leases::Lease;
use crate::stored::stored;

const HOLD_FAST: &str = "SELECT l.shard FROM unnest($1, $2) AS f (shard, fence) \
     JOIN highwater_aggregates.lease l ON l.shard = f.shard AND l.fence = f.fence FOR SHARE OF l";

/// Whether nobody claimed a shard of the batch since, and nobody will before the transaction ends.
pub(super) async fn hold_fast(client: &Client, batch: &Batch) -> Result<bool, Failure> {
    if batch.fences.is_empty() {
        return Ok(true);
    }
    let (mut shards, mut fences) = (Vec::new(), Vec::new());
    for Lease { shard, fence } in &batch.fences {
        shards.push(i32::from(*shard));
        fences.push(stored(*fence)?);
    }
    let given: [(&(dyn ToSql + Sync), Type); 2] = [(&shards, Type::INT4_ARRAY), (&fences, Type::INT8_ARRAY)];
    let held = client.query_typed(HOLD_FAST, &given).await?;
    Ok(held.len() == batch.fences.len())
}
