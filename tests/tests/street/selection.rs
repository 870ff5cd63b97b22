//! Stored pings selected by what they state, wherever they state it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Pipeline, run};

/// A ping of Glean of this number, and what its body says of the application.
fn glean(number: u64, version: &str, channel: &str, build: &str) -> (String, String) {
    let uri = format!("/submit/org-mozilla-fenix/metrics/1/00000000-0000-4000-8000-{number:012}");
    let info = json!({"app_display_version": version, "app_channel": channel, "app_build": build});
    (uri, json!({"client_info": info}).to_string())
}

#[test]
fn pings_of_all_namespaces_are_found_by_version_channel_and_build() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let pipeline = Pipeline::start(&data, &[]);
    let mut sent = vec![
        glean(1, "131.2.1", "release", "2016052525"),
        glean(2, "131.0a1", "nightly", "2016060101"),
        glean(3, "13.1", "nightly", "2016070101"),
    ];
    for (number, version) in [(4, "131.0"), (5, "60.0")] {
        let uri = format!(
            "/submit/telemetry/00000000-0000-4000-8000-{number:012}/main/Firefox/{version}/nightly/20160701030202?v=4"
        );
        sent.push((uri, "{}".to_owned()));
    }
    for (uri, body) in &sent {
        let answer = pipeline.edge_client().post(uri, &[], body.as_bytes());
        assert_eq!(answer.expect("an answer").status, 200, "{uri}");
    }
    pipeline.wait_for("all to be indexed", |status| {
        status["accepted"] == sent.len() && status["indexed"] == sent.len()
    });
    let data = data.display().to_string();
    let found = |selection: &[&str]| -> BTreeSet<u64> {
        let arguments = [&["pings", "--data-dir", &data], selection].concat();
        let finished = run(&arguments);
        assert!(finished.success, "{}", finished.stderr);
        let lines: Vec<&str> = finished.stdout.lines().collect();
        let numbers: BTreeSet<u64> = lines
            .iter()
            .map(|line| {
                let ping: Value = serde_json::from_str(line).expect("JSON");
                let id = ping["meta"]["documentId"].as_str().expect("an id").to_owned();
                id[id.len() - 12..].parse().expect("a number")
            })
            .collect();
        assert_eq!(
            numbers.len(),
            lines.len(),
            "a ping is printed once: {selection:?}"
        );
        numbers
    };
    assert_eq!(found(&["--version", "131"]), BTreeSet::from([1, 2, 4]));
    assert_eq!(found(&["--channel", "nightly"]), BTreeSet::from([2, 3, 4, 5]));
    assert_eq!(
        found(&["--build-id", "201606..201607"]),
        BTreeSet::from([2, 3, 4, 5])
    );
    let both = [
        "--namespace",
        "org-mozilla-fenix",
        "--version",
        "131",
        "--channel",
        "nightly",
    ];
    assert_eq!(found(&both), BTreeSet::from([2]));
    assert_eq!(found(&["--app", "org-mozilla-fenix"]), BTreeSet::from([1, 2, 3]));
    assert_eq!(found(&[]), BTreeSet::from([1, 2, 3, 4, 5]));
}
