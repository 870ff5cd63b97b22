//! What is wrong is refused in the right place with a word what to do, or kept with its reason; the process lives.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tests::{Pipeline, SmallPing, gzip, run};

/// Headers of a request.
type Headers<'a> = &'a [(&'a str, &'a str)];

const MAIN: &str = "/submit/telemetry/ce39b608-f595-4c69-b6a6-f7a43660000";

#[test]
fn a_refusal_has_the_contracts_status_and_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &[]);
    let mut edge = pipeline.edge_client();
    let long_uri = format!("/submit/telemetry/{}", "x".repeat(1_100));
    let long_header = "x".repeat(1_025);
    let cases: [(&str, &str, Headers, u16); 8] = [
        ("DELETE", "/submit/telemetry/x", &[], 405),
        ("GET", "/submit/telemetry/x", &[], 404),
        ("POST", "/elsewhere", &[], 404),
        ("POST", "/submit/Bad_Namespace/x", &[], 404),
        ("POST", &long_uri, &[], 414),
        (
            "POST",
            "/submit/telemetry/x",
            &[("User-Agent", &long_header)],
            431,
        ),
        (
            "POST",
            "/submit/telemetry//update/Firefox/61.0a1/nightly/20180328030202",
            &[],
            200,
        ),
        (
            "POST",
            "/submit/eng-workflow/hgpush/2c3a0767-d84a-4d02-8a92-fa54a3376049",
            &[],
            200,
        ),
    ];
    for (method, target, headers, expected) in cases {
        let response = edge.request(method, target, headers, b"").expect("an answer");
        assert_eq!(
            response.status,
            expected,
            "{method} {target}: {}",
            response.text()
        );
        assert!(
            !response.body.is_empty(),
            "{method} {target} is refused without a word"
        );
    }
    let too_large = edge
        .raw(format!("POST {MAIN}1/main HTTP/1.1\r\nHost: x\r\nContent-Length: 8388609\r\n\r\n").as_bytes());
    assert_eq!(too_large.expect("an answer").status, 413);
    let chunked =
        format!("POST {MAIN}1/main HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_eq!(
        pipeline
            .edge_client()
            .raw(chunked.as_bytes())
            .expect("an answer")
            .status,
        411
    );
    let largest = vec![b' '; 8 << 20];
    assert_eq!(
        pipeline
            .edge_client()
            .post(&format!("{MAIN}2/main"), &[], &largest)
            .expect("an answer")
            .status,
        200
    );
    let status = pipeline.wait_until_settled();
    assert_eq!(status["accepted"], 3, "what was refused is not stored: {status}");
}

#[test]
fn a_ping_that_cannot_be_read_is_kept_with_its_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let pipeline = Pipeline::start(&data, &[]);
    let mut edge = pipeline.edge_client();
    let good = SmallPing::numbered(1);
    let packed = gzip(&good.body());
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_inside = format!("{{\"payload\": {deep}}}");
    let gzip_header: Headers = &[("Content-Encoding", "gzip")];
    let bad: Vec<(&str, Headers, Vec<u8>)> = vec![
        ("cut gzip", gzip_header, packed[..packed.len() / 2].to_vec()),
        ("gzip announced, no gzip sent", gzip_header, b"no gzip".to_vec()),
        (
            "an encoding nobody here speaks",
            &[("Content-Encoding", "br")],
            good.body(),
        ),
        ("not JSON", &[], b"not json".to_vec()),
        ("no document", &[], Vec::new()),
        ("not UTF-8", &[], b"{\"clientId\": \xff\xfe}".to_vec()),
        ("deep", &[], deep.clone().into_bytes()),
        ("deep inside", gzip_header, gzip(deep_inside.as_bytes())),
        (
            "a number out of range",
            &[],
            b"{\"payload\": {\"x\": 1e999}}".to_vec(),
        ),
        (
            "one thing said twice",
            &[],
            b"{\"payload\": {\"histograms\": {}, \"histograms\": {}}}".to_vec(),
        ),
    ];
    for (number, (what, headers, body)) in bad.iter().enumerate() {
        let response = edge
            .post(
                &format!("{MAIN}{number}/main/Firefox/54.0a1/nightly/20170130"),
                headers,
                body,
            )
            .expect("an answer");
        assert_eq!(
            response.status, 200,
            "{what}: the body is not looked into before the answer"
        );
    }
    assert_eq!(
        edge.post(&good.uri(), gzip_header, &packed)
            .expect("an answer")
            .status,
        200
    );
    let status = pipeline.wait_until_settled();
    assert_eq!(
        (&status["folded"], &status["errored_pings"]),
        (&json!(1), &json!(bad.len())),
        "{status}"
    );
    let printed = run(&["pings", "--errors", "--data-dir", &data.display().to_string()]);
    assert!(printed.success, "{}", printed.stderr);
    let lines: Vec<Value> = printed
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), bad.len(), "{}", printed.stdout);
    for line in &lines {
        assert!(
            line["reason"].as_str().is_some_and(|reason| !reason.is_empty()) && line["body"].is_string(),
            "{line}"
        );
    }
}

#[test]
fn parts_of_a_ping_that_are_wrong_are_refused_by_reason_and_the_rest_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &[]);
    let ping = SmallPing::numbered(1);
    let mut body = ping.json();
    let histograms = &mut body["payload"]["histograms"];
    histograms["NEGATIVE"] =
        json!({"range": [1, 2], "bucket_count": 3, "histogram_type": 2, "values": {"0": 1}, "sum": -1});
    histograms["NO_SUM"] =
        json!({"range": [1, 2], "bucket_count": 3, "histogram_type": 2, "values": {"0": 1}});
    assert_eq!(
        pipeline
            .edge_client()
            .post(&ping.uri(), &[], body.to_string().as_bytes())
            .expect("an answer")
            .status,
        200
    );
    let status = pipeline.wait_until_settled();
    assert_eq!(status["folded"], 1, "{status}");
    let refused: u64 = status["refused_by_reason"]
        .as_object()
        .expect("reasons")
        .values()
        .filter_map(Value::as_u64)
        .sum();
    assert_eq!(refused, 2, "{status}");
    let filters = pipeline
        .api_client()
        .get("/filters/?channel=nightly&version=54")
        .expect("an answer")
        .json();
    assert_eq!(filters["metric"], json!(["GC_MS"]), "{filters}");
}

/// The chunks of a data directory.
fn chunks(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(chunks(&path));
        } else if path.extension().is_some_and(|extension| extension == "zst") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_flipped_bit_or_a_missing_chunk_is_set_aside_and_said_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let pipeline = Pipeline::start(&data, &[]);
    let mut edge = pipeline.edge_client();
    for number in 0..3 {
        let mut ping = SmallPing::numbered(number);
        ping.version = format!("5{number}.0");
        assert_eq!(
            edge.post(&ping.uri(), &[], &ping.body())
                .expect("an answer")
                .status,
            200
        );
    }
    pipeline.wait_until_settled();
    pipeline.terminate();
    let chunks = chunks(&data);
    assert_eq!(chunks.len(), 3, "{chunks:?}");
    assert!(
        chunks.iter().all(|chunk| chunk.starts_with(data.join("store"))),
        "{chunks:?}"
    );
    let mut bytes = fs::read(&chunks[0]).expect("readable");
    bytes[40] ^= 1;
    fs::write(&chunks[0], &bytes).expect("written");
    fs::remove_file(&chunks[1]).expect("removed");
    let verify = run(&["chunk", "verify", &chunks[0].display().to_string()]);
    assert!(!verify.success && verify.stderr.contains("damaged"), "{verify:?}");
    let rebuilt = run(&["rebuild", "--data-dir", &data.display().to_string()]);
    println!("{}", rebuilt.stderr);
    let pipeline = Pipeline::start(&data, &[]);
    let status = pipeline.wait_for("the damage to be noticed", |status| status["set_aside"] == 2);
    assert_eq!(
        (&status["settled"], &status["folded"]),
        (&json!(false), &json!(1)),
        "{status}"
    );
}
