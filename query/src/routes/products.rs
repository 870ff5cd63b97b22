//! Which products sent pings, and whether their pings are charted or only stored.

use index_schema::{Index, ProductCount};
use ping::UNKNOWN;
use serde_json::json;

use crate::api::Charted;
use crate::limits::LIST_PRODUCTS_MAX;
use crate::problem::Problem;
use crate::reply::{Reply, made};

/// Products with their pings, largest first.
pub(crate) async fn answer(index: &dyn Index, charted: &Charted) -> Result<Reply, Problem> {
    let counted = index
        .products()
        .await
        .map_err(|error| Problem::unavailable("index", &error))?;
    let left_out = counted.len().saturating_sub(LIST_PRODUCTS_MAX);
    let products: Vec<_> = counted
        .iter()
        .take(LIST_PRODUCTS_MAX)
        .map(|product| {
            let is_charted = charted(product);
            let ProductCount {
                namespace,
                doc_type,
                app_name,
                records,
            } = product;
            let application = application_of(namespace, app_name);
            json!({
                "namespace": namespace, "doc_type": doc_type, "app_name": application,
                "pings": records, "charted": is_charted,
            })
        })
        .collect();
    made(move || Ok(Reply::json(&json!({ "products": products }))?.leaving_out(left_out as u64))).await
}

/// The application of a product's pings. Only URIs of `telemetry` name one; every other namespace is one.
fn application_of<'a>(namespace: &'a str, app_name: &'a str) -> &'a str {
    match app_name {
        "" | UNKNOWN if namespace != "telemetry" => namespace,
        said => said,
    }
}
