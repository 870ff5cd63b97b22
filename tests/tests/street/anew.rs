//! Folding anew on the road: a replay of errored pings, a rebuild, and settings that differ from those of the process.

use serde_json::{Value, json};
use tests::{Pipeline, SmallPing, gzip};

use crate::ask::{command, status_of, well};

/// The ping with three labels of a keyed metric.
fn labelled(number: u64) -> (String, Vec<u8>) {
    let ping = SmallPing::numbered(number);
    let mut json = ping.json();
    let histogram = json["payload"]["histograms"]["GC_MS"].clone();
    json["payload"]["keyedHistograms"] = json!({"K": {"a": histogram, "b": histogram, "c": histogram}});
    (ping.uri(), json.to_string().into_bytes())
}

fn count(pipeline: &Pipeline) -> u64 {
    let target = "/aggregates_by/build_id/channels/nightly/?version=54&dates=20170130&metric=GC_MS";
    let response = pipeline.api_client().get(target).expect("an answer");
    if response.status == 404 {
        return 0;
    }
    response.json()["data"][0]["count"].as_u64().expect("a count")
}

fn post(pipeline: &Pipeline, uri: &str, body: &[u8]) {
    let answer = pipeline
        .edge_client()
        .post(uri, &[("Content-Encoding", "gzip")], &gzip(body));
    assert_eq!(answer.expect("an answer").status, 200);
}

fn told(text: &str) -> Value {
    serde_json::from_str(text).expect("one line of JSON")
}

#[test]
fn pings_errored_under_low_limits_are_counted_once_by_replay_errors_under_higher_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let low = ["--labels-per-metric", "2", "--inflated-limit", "4KiB"];
    let pipeline = Pipeline::start(&data, &low);
    let (uri, body) = labelled(1);
    post(&pipeline, &uri, &body);
    let mut large = SmallPing::numbered(2);
    large.filling = 10_000;
    post(&pipeline, &large.uri(), &large.body());
    let plain = SmallPing::numbered(3);
    post(&pipeline, &plain.uri(), &plain.body());
    let status = pipeline.wait_until_settled();
    assert_eq!(
        status["errored_by_reason"],
        json!({"too_many_labels": 1, "inflated_too_large": 1})
    );
    assert_eq!(count(&pipeline), 1);
    pipeline.terminate();

    let pipeline = Pipeline::start(&data, &[]);
    let status = status_of(&data);
    let advice = status["not_folding"].as_str().expect("what is to be done");
    assert!(advice.contains("highwater replay-errors"), "{advice}");
    // What comes meanwhile waits, and is not lost.
    let late = SmallPing::numbered(4);
    post(&pipeline, &late.uri(), &late.body());
    let done = told(&well(command(&data, "replay-errors", &[])));
    assert_eq!(done, json!({"replayed": 2, "still_errored": {}}));
    let status = pipeline.wait_until_settled();
    assert_eq!(
        (&status["folded"], &status["errored_pings"]),
        (&json!(4), &json!(0))
    );
    assert_eq!(count(&pipeline), 4);
    let done = told(&well(command(&data, "replay-errors", &[])));
    assert_eq!(done, json!({"replayed": 0, "still_errored": {}}));
    assert_eq!(count(&pipeline), 4);
    assert_eq!(status_of(&data)["not_folding"], Value::Null);

    pipeline.terminate();
    let dump = well(command(&data, "dump", &[]));
    assert!(dump.lines().count() > 3, "{dump}");
    well(command(&data, "rebuild", &[]));
    assert_eq!(well(command(&data, "dump", &[])), dump);
    // Without a process it works alike.
    let done = told(&well(command(&data, "replay-errors", &[])));
    assert_eq!(done, json!({"replayed": 0, "still_errored": {}}));
    assert_eq!(well(command(&data, "dump", &[])), dump);
}

#[test]
fn a_setting_that_the_running_process_has_otherwise_is_refused_with_both_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let pipeline = Pipeline::start(&data, &["--labels-per-metric", "700"]);
    for name in ["rebuild", "replay-errors", "reconcile"] {
        let refused = command(&data, name, &["--labels-per-metric", "600"]);
        assert!(!refused.success, "{refused:?}");
        for part in ["labels_per_metric", "600", "700"] {
            assert!(refused.stderr.contains(part), "{}", refused.stderr);
        }
        well(command(&data, name, &["--labels-per-metric", "700"]));
        well(command(&data, name, &[]));
    }
    pipeline.terminate();
}

#[test]
fn a_rebuild_tells_its_progress_and_which_rules_it_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let pipeline = Pipeline::start(&data, &["--labels-per-metric", "700"]);
    let ping = SmallPing::numbered(1);
    post(&pipeline, &ping.uri(), &ping.body());
    pipeline.wait_until_settled();
    pipeline.terminate();
    let rebuilt = command(&data, "rebuild", &["--labels-per-metric", "600"]);
    assert!(rebuilt.success, "{}", rebuilt.stderr);
    for part in ["labels_per_metric: 700 before, 600 now", "of 1 chunks", "%"] {
        assert!(rebuilt.stderr.contains(part), "{}", rebuilt.stderr);
    }
}
