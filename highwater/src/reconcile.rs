//! `highwater reconcile`: lists the store and indexes what is missing.

use lambda_indexer::Indexer;
use serde_json::Value;

use crate::change::change;
use crate::data::Data;
use crate::pipeline::{Request, said};
use crate::places;

/// Runs the command. Where many processes share store and index, it needs no data directory, and folds nothing.
pub(crate) async fn run(data: &Data) -> anyhow::Result<()> {
    let found = match places::open_shared(data).await? {
        Some((store, index)) => said(&Indexer::new(store, index).reconcile(&data.chunk_prefix).await?),
        None => change(data, Request::Reconcile, |_| ()).await?,
    };
    eprintln!("{}", words(&found));
    Ok(())
}

fn words(found: &Value) -> String {
    let count = |name: &str| found[name].as_u64().unwrap_or(0);
    let (listed, missing) = (count("listed"), count("missing"));
    #[expect(clippy::cast_precision_loss, reason = "a percentage for a person")]
    let percent = if listed == 0 {
        0.0
    } else {
        100.0 * missing as f64 / listed as f64
    };
    format!(
        "{listed} chunks listed, {missing} were missing in the index ({percent:.3} %): {} added, {} unreadable, {} to be tried again",
        count("added"),
        count("unreadable"),
        count("unanswered")
    )
}
