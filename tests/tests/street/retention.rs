//! What is kept and what goes, as a person asks for it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use tests::{Pipeline, SmallPing, highwater};

use crate::ask::{command, status_of, well};

fn import(data: &Path, day: &str, numbers: std::ops::Range<u64>) {
    let file = data.with_extension(format!("{day}.{}.ndjson", numbers.start));
    let line = |number| {
        let ping = SmallPing::numbered(number);
        format!(
            "{}\n",
            json!({"submissionDate": day, "uri": ping.uri(), "body": ping.json()})
        )
    };
    fs::write(&file, numbers.map(line).collect::<String>()).expect("written");
    well(command(data, "import", &[&file.display().to_string()]));
}

fn pings(data: &Path) -> usize {
    well(command(data, "pings", &[])).lines().count()
}

fn chunks(data: &Path) -> Vec<PathBuf> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("listed") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                below(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    below(&data.join("store"), &mut found);
    found.sort();
    found
}

#[test]
fn pings_go_by_age_their_aggregates_stay_and_nothing_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    import(&data, "20170130", 0..3);
    import(&data, "20170131", 3..5);
    // Of a day that no clock of a test machine has reached.
    import(&data, "20991231", 5..9);
    let before = well(command(&data, "dump", &[]));
    let keep = ["--keep-pings", "30d"];
    let look = command(&data, "retain", &[keep[0], keep[1], "--dry-run"]);
    assert!(
        look.success && look.stderr.contains("would go: 2 chunks with 5 pings"),
        "{}",
        look.stderr
    );
    assert_eq!((pings(&data), chunks(&data).len()), (9, 3));
    let done = command(&data, "retain", &keep);
    assert!(
        done.success && done.stderr.contains("deleted: 2 chunks with 5 pings"),
        "{}",
        done.stderr
    );
    assert_eq!((pings(&data), chunks(&data).len()), (4, 1));
    well(command(&data, "reconcile", &[]));
    assert_eq!(well(command(&data, "dump", &[])), before);
    // What is imported late is kept as an object, counted, and not folded.
    import(&data, "20170131", 20..22);
    assert_eq!(chunks(&data).len(), 2);
    let status = status_of(&data);
    let counts = ["accepted", "indexed", "folded", "deleted", "unfolded"].map(|name| status[name].as_u64());
    assert_eq!(counts, [11, 11, 9, 5, 2].map(Some), "{status}");
    assert_eq!(status["settled"], true, "{status}");
    assert_eq!(well(command(&data, "dump", &[])), before);
    let refused = command(&data, "rebuild", &[]);
    assert!(
        !refused.success && refused.stderr.contains("20170130") && refused.stderr.contains("--forget-older"),
        "{}",
        refused.stderr
    );
    assert_eq!(well(command(&data, "dump", &[])), before);
    well(command(&data, "rebuild", &["--forget-older"]));
    let after = well(command(&data, "dump", &[]));
    let kept: Vec<_> = before.lines().filter(|line| line.contains("20991231")).collect();
    assert!(!kept.is_empty() && after.lines().eq(kept), "{after}");
    assert_eq!(status_of(&data)["settled"], true);
    well(command(&data, "rebuild", &[]));
}

#[test]
fn a_running_serve_deletes_by_its_rules_and_goes_on_counting() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    import(&data, "20170130", 0..3);
    let rules = ["--keep-pings", "30d,1GB", "--keep-aggregates", "30d"];
    let pipeline = Pipeline::start(&data, &rules);
    pipeline.wait_for("the old pings to go", |status| status["deleted"] == 3);
    let ping = SmallPing::numbered(7);
    let answer = pipeline
        .edge_client()
        .post(&ping.uri(), &[], &ping.body())
        .expect("an answer");
    assert_eq!(answer.status, 200);
    let status = pipeline.wait_for("the new one to be counted", |status| {
        status["accepted"] == 4 && status["settled"] == true
    });
    assert_eq!(status["folded"], 4);
    assert_eq!(pings(&data), 1);
    assert!(!well(command(&data, "dump", &[])).contains("20170130\",\"channel"));
    let answer = pipeline.api_client().get("/metrics").expect("an answer");
    let metrics = answer.text();
    assert!(metrics.contains("highwater_retention_floor_date"), "{metrics}");
}

#[test]
fn a_forgotten_chunk_is_not_indexed_again_and_a_rebuild_forgets_its_pings() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    import(&data, "20170130", 0..3);
    import(&data, "20170131", 3..5);
    let path = chunks(&data)[0].clone();
    let copy = fs::read(&path).expect("read");
    let key = path
        .strip_prefix(data.join("store"))
        .expect("below it")
        .display()
        .to_string();
    let forgotten = command(&data, "forget-chunk", &[&key, "--why", "a test"]);
    assert!(
        forgotten.success && forgotten.stderr.contains("highwater rebuild"),
        "{}",
        forgotten.stderr
    );
    fs::write(&path, copy).expect("put back");
    well(command(&data, "reconcile", &[]));
    assert_eq!(pings(&data), 2);
    assert_eq!(status_of(&data)["rebuild_wanted"], true);
    well(command(&data, "rebuild", &[]));
    let status = status_of(&data);
    assert_eq!(
        (&status["rebuild_wanted"], &status["folded"], &status["settled"]),
        (&json!(false), &json!(2), &json!(true)),
        "{status}"
    );
    assert!(!well(command(&data, "dump", &[])).contains("20170130\",\"channel"));
    let wrong = command(&data, "forget-chunk", &["no/key", "--why", "a test"]);
    assert!(
        !wrong.success && wrong.stderr.contains("no chunk key"),
        "{}",
        wrong.stderr
    );
}

/// Bytes of all files of a folder.
fn bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).map(|entries| entries.filter_map(Result::ok).collect::<Vec<_>>());
    entries
        .unwrap_or_default()
        .iter()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

#[test]
fn the_demo_stops_growing_at_its_limit_and_stays_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    import(&data, "20170130", 0..3);
    // Two segments of the log are there from the beginning, each of 64 MiB.
    let limit = bytes(&data) + (150 << 20);
    let mut child = Command::new(highwater())
        .args([
            "demo",
            "--edge-listen",
            "127.0.0.1:0",
            "--api-listen",
            "127.0.0.1:0",
            "--rate",
            "2000",
        ])
        .args(["--data-limit", &format!("{limit}B"), "--data-dir"])
        .arg(&data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let told = BufReader::new(child.stderr.take().expect("its errors"))
        .lines()
        .map_while(Result::ok)
        .any(|line| line.contains("sending is paused"));
    let grown = bytes(&data);
    let is_up = matches!(child.try_wait(), Ok(None));
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(told && is_up, "the demo ended before it came to its limit");
    // Half a second of pings, and what a database writes meanwhile.
    assert!(grown < limit + (150 << 20), "{grown} bytes, {limit} allowed");
}
