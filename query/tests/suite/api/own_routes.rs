//! Status, products, what operators ask, and a rebuild that exchanges the aggregates.

use std::sync::Arc;

use aggregate_store::AggregateReads;
use index_schema::ProductCount;
use ping::{Incarnation, RecordId, Timestamp};
use query::StatusReport;
use query::health::{ErroredSample, HealthNumbers, HealthReport, SetAsideObject, judge};
use serde_json::json;
use service::current::Current;
use sketch::{Cell, Layout};

use super::store::Facts;
use super::world::{World, cell, firefox, get, get_json, request};

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
        "errored_by_reason": {"gzip": 2}, "refused_by_reason": {}, "set_aside": 0, "deleted": 0, "unfolded": 0, "unindexed_chunks": 0,
        "rebuild_wanted": false,
        "in_memory": {"chunks": 0, "pings": 0}, "newest_persist_time": null,
    });
    assert_eq!(get_json(&world.api(), "/api/v1/status").await, expected);
}

#[tokio::test]
async fn the_health_has_the_status_and_beside_it_numbers_and_sentences() {
    let mut world = World::of(Facts::default());
    let mut numbers = HealthNumbers {
        at: Some(Timestamp::from_micros(1_795_447_560_000_000)),
        ..HealthNumbers::default()
    };
    numbers.counts.accepted = 7;
    numbers.log.writable = true;
    (numbers.log.bytes, numbers.log.budget_bytes) = (80, 100);
    numbers.store.failing_since = Some(Timestamp::from_micros(1_795_447_500_000_000));
    let record = RecordId {
        incarnation: Incarnation::from_bytes([7; 16]),
        sequence: 9,
    };
    world.health = HealthReport {
        verdicts: judge(&numbers),
        numbers,
        errored: vec![ErroredSample {
            reason: "json".to_owned(),
            record: Some(record),
            chunk: "pings/v1/a.zst".to_owned(),
        }],
        set_aside: vec![SetAsideObject {
            key: "k".to_owned(),
            reason: "torn".to_owned(),
        }],
    };
    let api = world.api();
    let answer = get(&api, "/api/v1/health").await;
    assert_eq!(answer.header("cache-control"), "no-cache");
    let known = [("if-none-match", answer.header("etag"))];
    let again = request(&api, http::Method::GET, "/api/v1/health", &known).await;
    assert_eq!(again.status, 304);
    let health = answer.json();
    assert_eq!(
        (&health["accepted"], &health["severity"]),
        (&json!(7), &json!("alarm"))
    );
    assert_eq!(health["at"], "2026-11-23T15:26:00.000000Z");
    let first = &health["verdicts"][0];
    assert_eq!(
        (&first["name"], &first["section"]),
        (&json!("log_full"), &json!("log-full"))
    );
    let gone = &health["verdicts"][1];
    assert_eq!(
        (&gone["seconds"], &gone["since"]),
        (&json!(60), &json!("2026-11-23T15:25:00.000000Z"))
    );
    let record = "07070707070707070707070707070707-9";
    assert_eq!(
        health["errored_samples"],
        json!([{"reason": "json", "record": record, "chunk": "pings/v1/a.zst"}])
    );
    assert_eq!(
        health["set_aside_objects"],
        json!([{"key": "k", "reason": "torn"}])
    );
}

#[tokio::test]
async fn partitions_come_a_page_at_a_time() {
    let api = World::of(Facts::default()).api();
    let (mut from, mut records) = (0, Vec::new());
    loop {
        let page = get_json(&api, &format!("/api/v1/partitions?by=records&from={from}")).await;
        let partitions = page["partitions"].as_array().expect("a list").clone();
        assert_eq!(partitions[0]["app_name"], format!("Records {from}"));
        from += partitions.len();
        records.extend(partitions.into_iter().map(|one| one["records"].as_u64()));
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(records, (0..45).map(Some).collect::<Vec<_>>());
    for wrong in ["by=size", "from=-1", "from=many"] {
        let refused = get(&api, &format!("/api/v1/partitions?{wrong}")).await;
        assert_eq!(refused.refusal().0, 400, "{wrong}");
    }
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
        product("org-mozilla-fenix", "baseline", "UNKNOWN", 3),
    ];
    let expected = json!({"products": [
        {"namespace": "telemetry", "doc_type": "main", "app_name": "Firefox", "pings": 7, "charted": true},
        {"namespace": "org-mozilla-fenix", "doc_type": "baseline", "app_name": "org-mozilla-fenix", "pings": 3, "charted": false},
    ]});
    assert_eq!(get_json(&world.api(), "/api/v1/products").await, expected);
}

#[tokio::test]
async fn products_that_are_kept_together_say_so_and_how_their_true_names_are_had() {
    let product = |namespace: &str, doc_type: &str, app_name: &str| ProductCount {
        namespace: namespace.to_owned(),
        doc_type: doc_type.to_owned(),
        app_name: app_name.to_owned(),
        records: 3,
    };
    let mut world = World::of(Facts::default());
    world.products = vec![
        product("telemetry", "main", "Firefox"),
        product("telemetry", "OTHER", "Firefox"),
        product("telemetry", "main", "OTHER"),
        product("OTHER", "OTHER", "OTHER"),
    ];
    let answer = get_json(&world.api(), "/api/v1/products").await;
    let note = |at: usize| {
        answer["products"][at]["note"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(note(0), "");
    for (at, command) in [
        (1, "`highwater pings --namespace telemetry --doc-type OTHER`"),
        (2, "`highwater pings --namespace telemetry --app OTHER`"),
        (3, "`highwater pings --namespace OTHER`"),
    ] {
        assert!(note(at).contains(command), "{}", note(at));
    }
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
