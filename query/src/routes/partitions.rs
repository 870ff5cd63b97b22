//! Chunks by partition, a page at a time.

use index_schema::{ChunkKind, Index, PartitionCount, PartitionOrder};
use ping::Dimension;
use serde_json::{Value, json};

use crate::limits::PARTITIONS_ON_A_PAGE;
use crate::parameters::Parameters;
use crate::problem::{Problem, Reason};
use crate::reply::Reply;

/// The parameters of this route.
pub(crate) const PARAMETERS: [&str; 2] = ["by", "from"];

/// Partitions, largest first, and whether there are more.
pub(crate) async fn answer(index: &dyn Index, parameters: &Parameters) -> Result<Reply, Problem> {
    let invalid = |sentence: &str| Problem::new(Reason::InvalidParameter, sentence);
    let (by, order) = match parameters.get("by") {
        None | Some("bytes") => ("bytes", PartitionOrder::StoredBytes),
        Some("records") => ("records", PartitionOrder::Records),
        Some(_) => return Err(invalid("by is bytes or records.")),
    };
    let from = parameters.get("from").unwrap_or("0").parse::<u32>();
    let from = from.map_err(|_| invalid("from is the number of partitions to leave out."))? as usize;
    let found = index.partitions(order, from, PARTITIONS_ON_A_PAGE + 1).await;
    let mut found = found.map_err(|error| Problem::unavailable("index", &error))?;
    let more = found.len() > PARTITIONS_ON_A_PAGE;
    found.truncate(PARTITIONS_ON_A_PAGE);
    let partitions: Vec<Value> = found.iter().map(to_json).collect();
    Reply::json(&json!({"by": by, "from": from, "more": more, "partitions": partitions}))
}

fn to_json(count: &PartitionCount) -> Value {
    let PartitionCount {
        kind,
        partition,
        chunks,
        records,
        stored_bytes,
    } = count;
    let mut all = json!({
        "errors": *kind == ChunkKind::Errors, "chunks": chunks, "records": records, "stored_bytes": stored_bytes,
    });
    for dimension in Dimension::ALL {
        all[dimension.name()] = partition.get(dimension).into();
    }
    all
}
