//! `highwater retain` and `highwater forget-chunk`. What goes, and in which order, lives in the crate `retention`.

use serde_json::Value;

use crate::change::change;
use crate::cli::{Data, ForgetChunk, Places, Retain};
use crate::pipeline::{Request, forgotten, retained};
use crate::shared::SharedRetention;

/// Runs `retain`.
pub(crate) async fn run(retain: &Retain) -> anyhow::Result<()> {
    let dry_run = retain.dry_run;
    let done = match retain.data.places.aggregates {
        Some(_) => {
            tell_place(&retain.data);
            retained(&SharedRetention::open(&retain.data).await?.run(dry_run).await?)
        }
        None => change(&retain.data, Request::Retain { dry_run }, |_| ()).await?,
    };
    let count = |name: &str| done[name].as_u64().unwrap_or(0);
    eprintln!(
        "{} {} chunks with {} pings and {} bytes, {} cells and user sketches",
        if retain.dry_run { "would go:" } else { "deleted:" },
        count("objects"),
        count("records"),
        count("stored_bytes"),
        count("aggregates")
    );
    for (of, name) in [
        ("pings", "pings_floor"),
        ("errored pings", "errors_floor"),
        ("aggregates", "aggregates_floor"),
    ] {
        if let Value::String(floor) = &done[name] {
            eprintln!("{of} are kept from {floor} on");
        }
    }
    if count("over_budget_bytes") > 0 {
        eprintln!(
            "{} bytes are above the budgets{}",
            count("over_budget_bytes"),
            if retain.dry_run {
                ": aggregates that go by size are not told before, and today never goes"
            } else {
                ", all of today, which never goes"
            }
        );
    }
    Ok(())
}

/// Runs `forget-chunk`.
pub(crate) async fn forget(forget: &ForgetChunk) -> anyhow::Result<()> {
    let (key, why) = (forget.key.clone(), forget.why.clone());
    let done = match forget.data.places.aggregates {
        Some(_) => {
            tell_place(&forget.data);
            let retention = SharedRetention::open(&forget.data).await?;
            forgotten(retention.forget(&key, &why).await?)
        }
        None => change(&forget.data, Request::ForgetChunk { key, why }, |_| ()).await?,
    };
    eprintln!(
        "{}",
        match (done["was"].as_str(), &forget.data.places.aggregates) {
            (Some("folded"), None) =>
                "forgotten; its pings are in the aggregates until `highwater rebuild`, and the status says so",
            (Some("folded"), Some(_)) =>
                "forgotten; its pings are in the aggregates until all is folded anew, and the status says so",
            (Some("indexed"), _) => "forgotten; it was not folded",
            (Some("before"), _) => "it was forgotten before",
            _ => "forgotten; the index did not know it",
        }
    );
    Ok(())
}

/// Says that it is not the data directory that something is deleted from, for that is named in the environment alone, perhaps.
fn tell_place(data: &Data) {
    let Places { aggregates, .. } = &data.places;
    let (store, index) = (data.places.store_text(), data.places.index_text());
    if let Some(aggregates) = aggregates {
        eprintln!("what many processes share: store {store}, index {index}, aggregates {aggregates:?}");
    }
}
