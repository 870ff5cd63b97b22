//! Which products sent pings, and whether their pings are charted or only stored.

use aggregate_store::AggregateReads;
use index_schema::{Index, ProductCount};
use ping::{OTHER, UNKNOWN};
use serde_json::json;

use crate::charted::{Charted, Counted};
use crate::limits::LIST_PRODUCTS_MAX;
use crate::problem::Problem;
use crate::reply::{Reply, made};

/// Products with their pings, largest first.
pub(crate) async fn answer(
    reads: &dyn AggregateReads,
    index: &dyn Index,
    charted: &Charted,
) -> Result<Reply, Problem> {
    let of_products = Counted::of(reads, charted).await?;
    let counted = index
        .products(LIST_PRODUCTS_MAX)
        .await
        .map_err(|error| Problem::unavailable("index", &error))?;
    let left_out = counted.left_out;
    let products: Vec<_> = counted
        .products
        .iter()
        .map(|product| {
            let is_charted = of_products.holds(product);
            let ProductCount {
                namespace,
                doc_type,
                app_name,
                records,
            } = product;
            let application = application_of(namespace, app_name);
            let mut all = json!({
                "namespace": namespace, "doc_type": doc_type, "app_name": application,
                "pings": records, "charted": is_charted,
            });
            if let Some(note) = note(product) {
                all["note"] = note.into();
            }
            all
        })
        .collect();
    made(move || Ok(Reply::json(&json!({ "products": products }))?.leaving_out(left_out))).await
}

/// The application of a product's pings. Only URIs of `telemetry` name one; every other namespace is one.
fn application_of<'a>(namespace: &'a str, app_name: &'a str) -> &'a str {
    match app_name {
        "" | UNKNOWN if namespace != "telemetry" => namespace,
        said => said,
    }
}

/// What `OTHER` stands for in a product's name, and where the true names are.
fn note(product: &ProductCount) -> Option<String> {
    if product.namespace == OTHER {
        return Some(format!(
            "Pings of namespaces, types and applications that are kept together: more were new than are admitted, or they are \
             none of those that were declared. `highwater pings --namespace {OTHER}` prints them with their true names. So are \
             pings of more products than are told apart; /api/v1/partitions has the names of these."
        ));
    }
    let options = [("--doc-type", &product.doc_type), ("--app", &product.app_name)];
    let (option, _) = options.into_iter().find(|(_, value)| *value == OTHER)?;
    Some(format!(
        "Pings of names that have no partition of their own, kept together: `highwater pings --namespace {} {option} {OTHER}` \
         prints them with their true names.",
        product.namespace
    ))
}
