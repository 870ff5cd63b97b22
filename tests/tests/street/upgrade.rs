//! A data directory of the previous format opens with this program, and loses nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::{Pipeline, run};

use crate::ask::status_of;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/v1").join(name)
}

/// The directory as the previous release left it after kill -9: 49 pings in chunks, 10 in the log.
fn previous() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("data.tar");
    fs::write(&archive, decompressed("data.tar.zst")).expect("written");
    let unpacked = Command::new("tar")
        .arg("-xf")
        .arg(&archive)
        .arg("-C")
        .arg(folder.path())
        .status()
        .expect("tar runs");
    assert!(unpacked.success(), "the golden directory is not unpacked");
    let data = folder.path().join("data");
    assert!(data.join("identity").exists(), "it holds a data directory");
    (folder, data)
}

fn decompressed(name: &str) -> Vec<u8> {
    let bytes = fs::read(golden(name)).expect("it is there");
    zstd::decode_all(&bytes[..]).expect("it is compressed by zstd")
}

/// The dump of the source that the previous format had alone; its lines named none.
fn dump_of(data: &Path) -> String {
    const NAMED: &str = "\"source\":\"telemetry/main\",";
    let dump = ask(data, "dump");
    assert!(
        dump.lines().all(|line| line.contains("\"source\":\"")),
        "every line names its source"
    );
    let lines = dump.lines().filter(|line| line.contains(NAMED));
    lines
        .map(|line| format!("{}\n", line.replacen(NAMED, "", 1)))
        .collect()
}

fn expected(name: &str) -> String {
    String::from_utf8(decompressed(name)).expect("NDJSON")
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

fn ask(data: &Path, command: &str) -> String {
    let finished = run(&[command, "--data-dir", data.to_str().expect("a path of this test")]);
    assert!(finished.success, "{command}: {}", finished.stderr);
    finished.stdout
}

#[test]
fn a_directory_of_the_previous_format_is_upgraded_and_loses_nothing() {
    let (_folder, data) = previous();
    let pipeline = Pipeline::start(&data, &[]);
    // It was folded by rules 1: nothing is added to that by other rules, and nothing that is sent is lost meanwhile.
    let status = pipeline.wait_for("all 59 pings to be indexed, and the verdict", |status| {
        let told = status_of(&data);
        let mut verdicts = told["verdicts"].as_array().into_iter().flatten();
        status["indexed"] == 59 && verdicts.any(|verdict| verdict["name"] == "rebuild_needed")
    });
    assert_eq!(status["settled"], false, "{status}");
    ask(&data, "rebuild");
    let status = pipeline.wait_for("all 59 pings to be counted", |status| {
        status["chunked"] == 59 && status["settled"] == true
    });
    let counts =
        ["accepted", "folded", "repeated", "stored_only", "errored_pings"].map(|name| status[name].as_u64());
    // Two of them, one of Glean's and one of a crash, were only stored.
    assert_eq!(counts, [59, 52, 5, 0, 2].map(Some));
    pipeline.terminate();
    assert_eq!(dump_of(&data), expected("dump.ndjson.zst"));
    let (pings, all) = (ask(&data, "pings"), expected("pings.ndjson.zst"));
    assert_eq!(sorted(&pings), sorted(&all));
    ask(&data, "rebuild");
    assert_eq!(dump_of(&data), expected("dump.ndjson.zst"), "after a rebuild");
    // And once more, now that it is of this format.
    let pipeline = Pipeline::start(&data, &[]);
    assert_eq!(pipeline.wait_until_settled()["folded"], 52);
}

#[test]
fn a_directory_of_a_newer_format_is_refused_and_left_as_it_is() {
    for (database, set) in [
        ("index.sqlite", "UPDATE schema_version SET version = 999"),
        (
            "aggregates/00000000.sqlite",
            "UPDATE meta SET value = '999' WHERE name = 'schema_version'",
        ),
    ] {
        let (_folder, data) = previous();
        let path = data.join(database);
        let newer = format!("{set}; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;");
        rusqlite::Connection::open(&path)
            .and_then(|connection| connection.execute_batch(&newer))
            .expect("made newer");
        let before = fs::read(&path).expect("read");
        let serve = [
            "serve",
            "--data-dir",
            data.to_str().expect("a path"),
            "--edge-listen",
            "127.0.0.1:0",
            "--api-listen",
            "127.0.0.1:0",
        ];
        let refused = run(&serve);
        assert!(!refused.success);
        assert!(refused.stderr.contains("newer"), "{}", refused.stderr);
        let after = fs::read(&path).expect("read");
        // Opening may turn the journal's mode, which the first page tells; what is stored stays.
        assert_eq!(after.len(), before.len(), "{database} was changed");
        assert_eq!(after[100..], before[100..], "{database} was changed");
    }
}
