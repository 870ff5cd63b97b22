//! Status, products, what operators ask, and a rebuild that exchanges the aggregates.

use std::sync::Arc;

use aggregate_store::AggregateReads;
use index_schema::ProductCount;
use query::StatusReport;
use serde_json::json;
use service::current::Current;
use sketch::{Cell, Layout};

use crate::store::Facts;
use crate::world::{World, cell, firefox, get, get_json};

#[tokio::test]
async fn the_status_has_every_number_and_says_whether_it_is_settled() {
    let mut world = World::of(Facts::default());
    world.status = Some(StatusReport {
        accepted: 12,
        waiting: 2,
        chunked: 10,
        indexed: 10,
        folded: 6,
        repeated: 1,
        stored_only: 1,
        errored_pings: 2,
        newest_received: Some(
            "20170102"
                .parse::<ping::SubmissionDate>()
                .expect("a date")
                .start(),
        ),
        errored_by_reason: [("gzip".to_owned(), 2)].into(),
        ..StatusReport::default()
    });
    let expected = json!({
        "accepted": 12, "waiting": 2, "chunked": 10, "indexed": 10, "folded": 6, "repeated": 1, "stored_only": 1,
        "errored_pings": 2, "settled": false, "newest_receive_time": "2017-01-02T00:00:00.000000Z",
        "errored_by_reason": {"gzip": 2}, "refused_by_reason": {}, "set_aside": 0,
    });
    assert_eq!(get_json(&world.api(), "/api/v1/status").await, expected);
}

#[tokio::test]
async fn products_are_named_with_their_counts_and_whether_they_are_charted() {
    let product = |namespace: &str, doc_type: &str, app_name: &str, records| ProductCount {
        namespace: namespace.to_owned(),
        doc_type: doc_type.to_owned(),
        app_name: app_name.to_owned(),
        records,
    };
    let mut world = World::of(Facts::default());
    world.products = vec![
        product("telemetry", "main", "Firefox", 7),
        product("org-mozilla-fenix", "baseline", "", 3),
    ];
    let expected = json!({"products": [
        {"namespace": "telemetry", "doc_type": "main", "app_name": "Firefox", "pings": 7, "charted": true},
        {"namespace": "org-mozilla-fenix", "doc_type": "baseline", "app_name": "", "pings": 3, "charted": false},
    ]});
    assert_eq!(get_json(&world.api(), "/api/v1/products").await, expected);
}

#[tokio::test]
async fn operators_paths_are_answered() {
    let api = World::of(Facts::default()).api();
    for (path, holds) in [
        ("/__heartbeat__", "\"status\":\"ok\""),
        ("/__lbheartbeat__", ""),
        ("/__version__", "\"version\":\"1\""),
        ("/status", "OK"),
        ("/metrics", ""),
    ] {
        let answer = get(&api, path).await;
        let body = String::from_utf8(answer.body).expect("text");
        assert_eq!(answer.status, 200, "{path}");
        assert!(body.contains(holds), "{path}: {body}");
    }
}

#[tokio::test]
async fn a_rebuild_that_exchanges_the_aggregates_is_seen_at_once() {
    let nothing: Arc<Current<dyn AggregateReads>> = Arc::new(Current::new(Arc::new(Facts::default())));
    let api = World::of(Facts::default()).api_over(|_| Arc::clone(&nothing));
    let target = "/aggregates_by/build_id/channels/";
    assert_eq!(get_json(&api, target).await, json!([]));
    let set = firefox("20150630", "20150701");
    let cells = vec![cell(
        "GC_MS",
        set,
        "parent",
        Layout::SIMPLE,
        Cell::new(1, 1, [(1, 1)]),
    )];
    nothing.exchange(Arc::new(Facts {
        cells,
        ..Facts::default()
    }));
    assert_eq!(get_json(&api, target).await, json!(["nightly"]));
}
