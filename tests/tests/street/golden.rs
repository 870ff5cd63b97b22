//! The answers of the original, recorded, are met one by one.

use std::fs;
use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value;
use tests::{Pipeline, recorded};

/// An answer in the form in which it was recorded: without description, data by date and label.
fn comparable(mut answer: Value) -> Value {
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("description");
    }
    answer
}

#[test]
fn every_recorded_answer_of_the_original_is_met() {
    let Some(data) = recorded("the recorded answers of the original") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let definition = |name: &str| data.join("definitions").join(name).display().to_string();
    let (histograms, scalars) = (
        definition("Histograms.2017-04.json"),
        definition("Scalars.2017.yaml"),
    );
    let arguments = ["--definitions", &histograms, "--definitions", &scalars];
    let pipeline = Pipeline::start(&folder.path().join("data"), &arguments);
    let index = fs::read_to_string(data.join("pings/real/index.jsonl")).expect("readable");
    let mut edge = pipeline.edge_client();
    for line in index.lines() {
        let entry: Value = serde_json::from_str(line).expect("JSON");
        let file = entry["file"].as_str().expect("a name");
        if ["00", "01", "02", "06", "07"]
            .iter()
            .any(|number| file.starts_with(number))
        {
            let body = fs::read(data.join("pings/real").join(file)).expect("readable");
            assert_eq!(
                edge.post(entry["url"].as_str().expect("a URL"), &[], &body)
                    .expect("an answer")
                    .status,
                200
            );
        }
    }
    let status = pipeline.wait_until_settled();
    assert_eq!(status["folded"], 5, "{status}");
    let mut lines = String::new();
    let packed = fs::File::open(data.join("golden/real-2017-04.responses.ndjson.gz")).expect("readable");
    GzDecoder::new(packed).read_to_string(&mut lines).expect("text");
    let mut api = pipeline.api_client();
    let (mut met, mut missed) = (0, Vec::new());
    for line in lines.lines() {
        let expected: Value = serde_json::from_str(line).expect("JSON");
        let Some(path) = expected["path"].as_str() else {
            continue;
        };
        let response = api.get(path).expect("an answer");
        if response.status == 200 && comparable(response.json()) == expected["response"] {
            met += 1;
        } else {
            missed.push(format!(
                "{path}\n  expected {}\n  found {} {}",
                expected["response"],
                response.status,
                response.text()
            ));
        }
    }
    assert!(
        missed.is_empty(),
        "{met} met, {} missed, such as\n{}",
        missed.len(),
        missed[..missed.len().min(3)].join("\n")
    );
    assert_eq!(met, 3_708);
}

#[test]
fn the_repeats_among_the_recorded_pings_count_once() {
    let Some(data) = recorded("the repeats among the recorded pings") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &[]);
    let index = fs::read_to_string(data.join("pings/real/index.jsonl")).expect("readable");
    let mut edge = pipeline.edge_client();
    for line in index.lines() {
        let entry: Value = serde_json::from_str(line).expect("JSON");
        let body = fs::read(
            data.join("pings/real")
                .join(entry["file"].as_str().expect("a name")),
        )
        .expect("readable");
        assert_eq!(
            edge.post(entry["url"].as_str().expect("a URL"), &[], &body)
                .expect("an answer")
                .status,
            200
        );
    }
    let status = pipeline.wait_until_settled();
    // Main pings: 00, 01, 02, 06, 07 count; 08, 09, 10 repeat. So do a crash and a core ping; a Firefox saved-session is only stored.
    let counts =
        ["accepted", "folded", "repeated", "stored_only", "errored_pings"].map(|key| status[key].as_u64());
    assert_eq!(counts, [11, 7, 3, 1, 0].map(Some), "{status}");
}
