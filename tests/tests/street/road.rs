//! The whole road: a POST becomes a number, and nothing gets lost on the way.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tests::{Client, Pipeline, SmallPing, free_address, gzip, highwater};

/// The answer for `GC_MS` on build `20170130` of nightly 54.
fn gc_ms(pipeline: &Pipeline) -> Value {
    let target = "/aggregates_by/build_id/channels/nightly/?version=54&dates=20170130&metric=GC_MS";
    let response = pipeline.api_client().get(target).expect("an answer");
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

#[test]
fn a_posted_ping_becomes_a_number_in_the_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &[]);
    let ping = SmallPing::numbered(1);
    let response = pipeline
        .edge_client()
        .post(&ping.uri(), &[], &ping.body())
        .expect("an answer");
    assert_eq!((response.status, response.text()), (200, "OK"));
    let status = pipeline.wait_until_settled();
    assert_eq!(status["accepted"], 1, "{status}");
    assert_eq!(status["folded"], 1, "{status}");
    let answer = gc_ms(&pipeline);
    assert_eq!(answer["kind"], "exponential");
    let point = &answer["data"][0];
    assert_eq!(
        (&point["sum"], &point["count"], &point["date"]),
        (&json!(9), &json!(1), &json!("20170130"))
    );
    let bins = answer["buckets"].as_array().expect("bins");
    let at = |bound: i64| bins.iter().position(|bin| bin == bound).expect("a bin");
    assert_eq!(
        (&point["histogram"][at(1)], &point["histogram"][at(7)]),
        (&json!(2), &json!(1))
    );
    pipeline.terminate();
}

#[test]
fn packed_and_plain_pings_and_put_and_post_count_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &[]);
    let mut edge = pipeline.edge_client();
    let packed = |number| {
        (
            SmallPing::numbered(number).uri(),
            gzip(&SmallPing::numbered(number).body()),
        )
    };
    let (uri, body) = packed(1);
    assert_eq!(
        edge.post(&uri, &[("Content-Encoding", "gzip")], &body)
            .expect("an answer")
            .status,
        200
    );
    let (uri, body) = packed(2);
    assert_eq!(
        edge.request("PUT", &uri, &[("Content-Encoding", "gzip")], &body)
            .expect("an answer")
            .status,
        200
    );
    let third = SmallPing::numbered(3);
    assert_eq!(
        edge.request("PUT", &third.uri(), &[], &third.body())
            .expect("an answer")
            .status,
        200
    );
    pipeline.wait_until_settled();
    assert_eq!(gc_ms(&pipeline)["data"][0]["count"], 3);
}

#[test]
fn a_restart_goes_on_with_the_same_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    for round in 0..3_u64 {
        let pipeline = Pipeline::start(&data, &[]);
        assert_eq!(pipeline.status()["accepted"], round);
        let ping = SmallPing::numbered(round);
        assert_eq!(
            pipeline
                .edge_client()
                .post(&ping.uri(), &[], &ping.body())
                .expect("an answer")
                .status,
            200
        );
        assert_eq!(
            pipeline.status()["accepted"],
            round + 1,
            "a ping counts before its 200 leaves"
        );
        pipeline.terminate();
    }
    let pipeline = Pipeline::start(&data, &[]);
    let status = pipeline.wait_until_settled();
    assert_eq!(
        (&status["accepted"], &status["folded"]),
        (&json!(3), &json!(3)),
        "{status}"
    );
    assert_eq!(gc_ms(&pipeline)["data"][0]["count"], 3);
}

#[test]
fn both_listeners_answer_for_their_health() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &[]);
    for address in [&pipeline.edge, &pipeline.api] {
        let mut client = Client::new(address);
        let mut get = |target: &str| client.get(target).expect("an answer");
        assert_eq!(get("/__heartbeat__").json()["status"], "ok");
        assert_eq!(get("/__lbheartbeat__").body, b"");
        for key in ["source", "version", "commit", "build"] {
            assert!(get("/__version__").json()[key].is_string(), "{key}");
        }
        assert_eq!(
            (get("/status").status, get("/status").text().to_owned()),
            (200, "OK".to_owned())
        );
        let metrics = get("/metrics");
        let shown = (metrics.status, metrics.text().contains("highwater_"));
        let expected = if *address == pipeline.api {
            (200, true)
        } else {
            (404, false)
        };
        assert_eq!(shown, expected, "{}", metrics.text());
    }
}

#[test]
fn pings_of_types_that_are_not_folded_are_stored_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &[]);
    let mut edge = pipeline.edge_client();
    let undeclared = "/submit/org-mozilla-fenix/baseline/1/2c3a0767-d84a-4d02-8a92-fa54a3376049";
    assert_eq!(
        edge.post(undeclared, &[], b"{\"opened\": 3}")
            .expect("an answer")
            .status,
        200
    );
    let status = pipeline.wait_until_settled();
    assert_eq!(
        (&status["stored_only"], &status["folded"]),
        (&json!(1), &json!(0)),
        "{status}"
    );
    let products = pipeline
        .api_client()
        .get("/api/v1/products")
        .expect("an answer")
        .json();
    let product = &products["products"][0];
    assert_eq!(
        (
            &product["namespace"],
            &product["doc_type"],
            &product["pings"],
            &product["charted"]
        ),
        (
            &json!("org-mozilla-fenix"),
            &json!("baseline"),
            &json!(1),
            &json!(false)
        )
    );
}

#[test]
fn active_users_are_counted_by_day_and_group() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &[]);
    let mut edge = pipeline.edge_client();
    for number in 0..40 {
        let mut ping = SmallPing::numbered(number);
        ping.client_id = format!("c0000000-0000-4000-8000-{:012x}", number % 20);
        if number % 20 >= 15 {
            ping.channel = "beta".to_owned();
        }
        assert_eq!(
            edge.post(&ping.uri(), &[], &ping.body())
                .expect("an answer")
                .status,
            200
        );
    }
    let status = pipeline.wait_until_settled();
    let day = status["newest_receive_time"].as_str().expect("a time")[..10].replace('-', "");
    let mut api = pipeline.api_client();
    let all = api
        .get(&format!("/api/v1/engagement?from={day}&to={day}"))
        .expect("an answer")
        .json();
    assert_eq!(
        (&all["data"][0]["dau"], &all["data"][0]["mau"]),
        (&json!(20), &json!(20)),
        "{all}"
    );
    let grouped = api
        .get(&format!(
            "/api/v1/engagement?from={day}&to={day}&group_by=channel"
        ))
        .expect("an answer")
        .json();
    let dau = |group: &str| {
        grouped["data"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|entry| entry["group"] == group)
            .map(|entry| entry["dau"].clone())
    };
    assert_eq!(
        (dau("nightly"), dau("beta")),
        (Some(json!(15)), Some(json!(5))),
        "{grouped}"
    );
}

#[test]
fn an_edge_alone_makes_chunks_that_a_later_serve_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let address = free_address();
    let mut edge = Command::new(highwater())
        .args([
            "edge",
            "--seal-age",
            "100ms",
            "--edge-listen",
            &address,
            "--data-dir",
        ])
        .arg(&data)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let ping = SmallPing::numbered(1);
    let posted = || {
        Client::new(&address)
            .post(&ping.uri(), &[], &ping.body())
            .is_ok_and(|answer| answer.status == 200)
    };
    assert!(eventually(posted), "the edge does not answer");
    assert!(
        Client::new(&address)
            .get("/__heartbeat__")
            .is_ok_and(|answer| answer.status == 200)
    );
    assert!(
        eventually(|| has_chunk(&data.join("store"))),
        "no chunk came into the store"
    );
    edge.kill().and_then(|()| edge.wait()).expect("it runs");
    let pipeline = Pipeline::start(&data, &[]);
    let status = pipeline.wait_until_settled();
    assert_eq!(status["folded"], 1, "{status}");
}

/// Whether something comes true within half a minute.
fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    (0..600).any(|_| {
        let met = condition();
        if !met {
            #[expect(
                clippy::disallowed_methods,
                reason = "a test of real processes waits in real time"
            )]
            std::thread::sleep(Duration::from_millis(50));
        }
        met
    })
}

fn has_chunk(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries.filter_map(Result::ok).any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            has_chunk(&path)
        } else {
            path.extension().is_some_and(|extension| extension == "zst")
        }
    })
}
