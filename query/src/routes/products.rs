//! Which products sent pings, and whether their pings are charted or only stored.

use index_schema::{Index, ProductCount};
use serde_json::json;

use crate::api::Charted;
use crate::problem::Problem;
use crate::reply::Reply;

/// Products with their pings, largest first.
pub(crate) async fn answer(index: &dyn Index, charted: &Charted) -> Result<Reply, Problem> {
    let counted = index
        .products()
        .await
        .map_err(|error| Problem::unavailable("index", &error))?;
    let products: Vec<_> = counted
        .iter()
        .map(|product| {
            let is_charted = charted(product);
            let ProductCount {
                namespace,
                doc_type,
                app_name,
                records,
            } = product;
            json!({
                "namespace": namespace, "doc_type": doc_type, "app_name": app_name,
                "pings": records, "charted": is_charted,
            })
        })
        .collect();
    Ok(Reply::json(&json!({ "products": products })))
}
