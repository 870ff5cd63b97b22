//! What is kept and what goes, as a person asks for it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use index_schema::{Floors, RetainIndex, SqliteIndex};
use ping::{SubmissionDate, Timestamp};
use serde_json::{Value, json};
use service::clock::SystemClock;
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
    // It is more than a person has not asked for by name.
    let held = command(&data, "retain", &keep);
    assert!(
        !held.success
            && held.stderr.contains("deleted: 0 chunks")
            && held.stderr.contains("20170130 to 20991231")
            && held.stderr.contains("retain --yes"),
        "{}",
        held.stderr
    );
    assert_eq!((pings(&data), chunks(&data).len()), (9, 3));
    let done = command(&data, "retain", &[keep[0], keep[1], "--yes"]);
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
    pipeline.wait_for("the verdict", |_| verdict(&pipeline, "retention_held").is_some());
    let held = verdict(&pipeline, "retention_held").expect("there");
    assert_eq!(held["severity"], "warning", "{held}");
    assert_eq!(pipeline.status()["deleted"], 0);
    well(command(&data, "retain", &["--yes"]));
    pipeline.wait_for("the old pings to go", |status| {
        status["deleted"] == 3 && verdict(&pipeline, "retention_held").is_none()
    });
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
fn below_a_floor_pings_are_answered_503_with_an_alarm_and_lowering_it_is_the_way_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let today = Timestamp::from_micros(SystemClock::shared().now_micros()).submission_date();
    import(&data, "20170130", 0..2);
    raise_floors(&data, today.plus_days(300));
    // Chunks of an edge that knows of no floor, or of a program of before.
    import(&data, &today.to_string(), 2..5);
    assert_eq!(status_of(&data)["unfolded"], 3);
    let pipeline = Pipeline::start(&data, &["--keep-pings", "90d"]);
    let ping = SmallPing::numbered(7);
    let post = || {
        let answer = pipeline.edge_client().post(&ping.uri(), &[], &ping.body());
        answer.expect("an answer")
    };
    let refused = post();
    assert_eq!(refused.status, 503, "{}", refused.text());
    let heartbeat = pipeline.edge_client().get("/__heartbeat__").expect("an answer");
    assert_eq!(heartbeat.status, 503, "{}", heartbeat.text());
    let alarm = || verdict(&pipeline, "below_floor").is_some_and(|verdict| verdict["severity"] == "alarm");
    pipeline.wait_for("the alarm", |status| alarm() && status["deleted"] == 2);
    let lowered = command(&data, "retain", &["--lower-floors", &today.to_string()]);
    assert!(
        lowered.success && lowered.stderr.contains("are indexed"),
        "{}",
        lowered.stderr
    );
    assert_eq!(post().status, 200);
    let status = pipeline.wait_for("all to be counted", |status| {
        !alarm() && status["accepted"] == 6 && status["settled"] == true
    });
    let counts = ["folded", "unfolded", "deleted"].map(|name| status[name].as_u64());
    assert_eq!(counts, [6, 0, 2].map(Some), "{status}");
    assert_eq!(pings(&data), 4);
}

/// What the health of a process says under this name.
fn verdict(pipeline: &Pipeline, name: &str) -> Option<Value> {
    let health = pipeline
        .api_client()
        .get("/api/v1/health")
        .expect("an answer")
        .json();
    let verdicts = health["verdicts"].as_array().cloned().unwrap_or_default();
    verdicts.into_iter().find(|verdict| verdict["name"] == name)
}

/// Raises all floors, as a program did that trusted a clock.
fn raise_floors(data: &Path, to: SubmissionDate) {
    let index = SqliteIndex::open(&data.join("index.sqlite")).expect("opened");
    let floors = Floors {
        pings: Some(to),
        errors: Some(to),
        aggregates: Some(to),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime
        .block_on(index.raise_floors(floors, None))
        .expect("raised");
}

#[test]
fn a_check_says_what_the_settings_would_delete_and_refuses_numbers_without_a_unit() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let check = |more: &[&str]| command(&data, "serve", &[&["--check"], more].concat());
    let nothing_yet = check(&["--keep-pings", "30d"]);
    assert!(
        nothing_yet.success && nothing_yet.stderr.contains("no data directory yet"),
        "{}",
        nothing_yet.stderr
    );
    import(&data, "20170130", 0..3);
    import(&data, "20170131", 3..5);
    for (rule, goes) in [
        (&["--keep-pings", "30d"][..], "would go: 2 chunks with 5 pings"),
        (
            &["--keep-aggregates", "7d"],
            "would go: 0 chunks with 0 pings and 0 bytes, 2 days of",
        ),
        (&[], "nothing would be deleted"),
    ] {
        let checked = check(rule);
        assert!(
            checked.success && checked.stderr.contains(goes),
            "{rule:?}: {}",
            checked.stderr
        );
        assert!(checked.stderr.contains("understood"), "{}", checked.stderr);
    }
    assert_eq!(chunks(&data).len(), 2, "a check deletes nothing");
    for setting in [
        ["--keep-pings", "90"],
        ["--keep-pings", "0d"],
        ["--keep-aggregates", "500"],
        ["--keep-errors", "0"],
        ["--keep-copies", "3d"],
        ["--log-budget", "4096"],
        ["--body-limit", "0B"],
        ["--aggregates-memory", "268435456"],
        ["--reconcile-every", "0s"],
        ["--seal-age", "10"],
        ["--header-timeout", "0"],
        ["--open-partitions", "0"],
        ["--repeat-window-days", "0"],
    ] {
        let refused = check(&setting);
        assert!(!refused.success, "{setting:?} {}", refused.stderr);
        let says = ["unit", "keep nothing", "not taken here", "keep them for longer"];
        assert!(
            says.iter().any(|says| refused.stderr.contains(says)),
            "{setting:?} {}",
            refused.stderr
        );
    }
    let file = folder.path().join("settings.toml");
    for line in [
        "keep_pings = \"90\"",
        "log_budget = 500000000",
        "persist_age = 5",
        "keep_errors = 30",
    ] {
        fs::write(&file, format!("{line}\n")).expect("written");
        let refused = check(&["--config", &file.display().to_string()]);
        assert!(
            !refused.success && refused.stderr.contains("unit"),
            "{line} {}",
            refused.stderr
        );
    }
}

#[test]
fn any_number_of_namespaces_takes_a_bounded_number_of_folders_and_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let pipeline = Pipeline::start(&data, &["--namespaces", "telemetry,shop"]);
    for number in 0..300 {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        let uri = format!("/submit/n{number}/t{number}/1/{id}");
        let answer = pipeline.edge_client().post(&uri, &[], b"{}").expect("an answer");
        assert_eq!(answer.status, 200);
    }
    pipeline.wait_for("all to be indexed", |status| status["indexed"] == 300);
    assert_eq!(parents(&data).len(), 1, "one partition, of one day or two");
    let products = pipeline.api_client().get("/api/v1/products").expect("an answer");
    let products: Value = serde_json::from_str(products.text()).expect("JSON");
    assert_eq!(
        products["products"].as_array().map(Vec::len),
        Some(1),
        "{products}"
    );
    drop(pipeline);
    // Without such a list new names are admitted at a rate.
    let data = folder.path().join("other");
    let pipeline = Pipeline::start(&data, &["--new-partitions", "50"]);
    for number in 0..400 {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        let uri = format!("/submit/n{number}/t{number}/1/{id}");
        let answer = pipeline.edge_client().post(&uri, &[], b"{}").expect("an answer");
        assert_eq!(answer.status, 200);
    }
    pipeline.wait_for("all to be indexed", |status| status["indexed"] == 400);
    // Fifty at once, five a minute, and OTHER.
    let kinds = parents(&data).len();
    assert!((50..100).contains(&kinds), "{kinds}");
}

/// The folders that hold chunks, without their days.
fn parents(data: &Path) -> BTreeSet<String> {
    let parents = chunks(data).into_iter().map(|path| {
        let parent = path.parent().expect("a folder").display().to_string();
        let (before, after) = parent.split_once("/submission_date=").expect("a day");
        format!("{before}/{}", &after[8..])
    });
    parents.collect()
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
    fs::create_dir_all(path.parent().expect("a folder")).expect("its folder went with it");
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
