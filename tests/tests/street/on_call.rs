//! What goes wrong at night: commands beside a busy pipeline, beginnings that others left, damage in the log.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tests::{Pipeline, SmallPing};

use crate::ask::{command, lose_index, status_of, well};

/// After so many pings the busy client gives up: a command that waits until nobody sends would end then.
const BUSY_PINGS: u64 = 1_500;

fn file_of(folder: &Path, name: &str, numbers: std::ops::Range<u64>) -> String {
    let lines = numbers.map(|number| {
        let ping = SmallPing::numbered(number);
        let line = json!({"submissionDate": "20170130", "uri": ping.uri(), "body": ping.json()});
        format!("{line}\n")
    });
    let path = folder.join(name);
    fs::write(&path, lines.collect::<String>()).expect("written");
    path.display().to_string()
}

#[test]
fn an_import_ends_though_others_go_on_sending() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let pipeline = Pipeline::start(&data, &[]);
    let (done, gave_up) = (AtomicBool::new(false), AtomicBool::new(true));
    let file = file_of(folder.path(), "file.ndjson", 1_000_000..1_000_050);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut edge = pipeline.edge_client();
            for number in 0..BUSY_PINGS {
                if done.load(Ordering::SeqCst) {
                    gave_up.store(false, Ordering::SeqCst);
                    return;
                }
                let ping = SmallPing::numbered(number);
                let answer = edge.post(&ping.uri(), &[], &ping.body()).expect("an answer");
                assert_eq!(answer.status, 200);
                pause();
            }
        });
        well(command(&data, "import", &[&file]));
        done.store(true, Ordering::SeqCst);
    });
    assert!(
        !gave_up.load(Ordering::SeqCst),
        "the import ended only when nothing was sent any more"
    );
    let printed = well(command(&data, "pings", &["--submission-date", "20170130"]));
    assert_eq!(printed.lines().count(), 50, "what was imported is in chunks");
}

#[test]
fn a_reconcile_ends_though_an_object_cannot_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    for (name, numbers) in [("a", 0..3), ("b", 3..6)] {
        well(command(
            &data,
            "import",
            &[&file_of(folder.path(), name, numbers)],
        ));
    }
    let chunks = files_below(&data.join("store"));
    assert_eq!(chunks.len(), 2, "{chunks:?}");
    let mut bytes = fs::read(&chunks[0]).expect("readable");
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    fs::write(&chunks[0], &bytes).expect("written");
    lose_index(&data);
    let told = command(&data, "reconcile", &[]);
    assert!(
        told.success && told.stderr.contains("2 were missing") && told.stderr.contains("1 unreadable"),
        "{told:?}"
    );
    let status = status_of(&data);
    assert_eq!(
        (&status["indexed"], &status["set_aside"], &status["settled"]),
        (&json!(3), &json!(1), &json!(false)),
        "{status}"
    );
}

#[test]
fn one_lost_chunk_hides_no_other_pings() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    for (name, numbers) in [("a", 0..3), ("b", 3..6), ("c", 6..9)] {
        well(command(
            &data,
            "import",
            &[&file_of(folder.path(), name, numbers)],
        ));
    }
    let chunks = files_below(&data.join("store"));
    fs::remove_file(&chunks[0]).expect("removed");
    let told = command(&data, "pings", &[]);
    assert_eq!(told.stdout.lines().count(), 6, "{told:?}");
    assert!(
        !told.success && told.stderr.contains("1 chunks could not be read"),
        "{told:?}"
    );
}

#[test]
fn a_rebuild_finds_chunks_that_the_index_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    well(command(&data, "import", &[&file_of(folder.path(), "a", 0..5)]));
    let before = well(command(&data, "dump", &[]));
    lose_index(&data);
    well(command(&data, "rebuild", &[]));
    let status = status_of(&data);
    assert_eq!(
        (&status["indexed"], &status["folded"], &status["settled"]),
        (&json!(5), &json!(5), &json!(true)),
        "{status}"
    );
    assert_eq!(well(command(&data, "dump", &[])), before);
}

#[test]
fn a_link_to_itself_in_place_of_an_object_stops_no_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    for (name, numbers) in [("a", 0..3), ("b", 3..5)] {
        well(command(
            &data,
            "import",
            &[&file_of(folder.path(), name, numbers)],
        ));
    }
    let chunk = files_below(&data.join("store")).swap_remove(0);
    let away = folder.path().join("away.zst");
    fs::rename(&chunk, &away).expect("renamed");
    std::os::unix::fs::symlink(&chunk, &chunk).expect("made");
    let pipeline = Pipeline::start(&data, &[]);
    well(command(&data, "rebuild", &[]));
    let status = status_of(&data);
    let folded = status["folded"].as_u64().expect("a count");
    assert!([2, 3].contains(&folded), "{status}");
    well(command(&data, "reconcile", &[]));
    well(command(&data, "import", &[&file_of(folder.path(), "c", 5..9)]));
    assert_eq!(status_of(&data)["folded"], json!(folded + 4));
    fs::remove_file(&chunk).expect("removed");
    fs::rename(&away, &chunk).expect("renamed");
    well(command(&data, "rebuild", &[]));
    assert_eq!(pipeline.wait_until_settled()["folded"], json!(9));
}

#[test]
fn a_rebuild_begins_anew_whatever_an_earlier_one_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    well(command(&data, "import", &[&file_of(folder.path(), "a", 0..5)]));
    // The begin of a rebuild under the settings of that time.
    let generation = |number: u32| data.join("aggregates").join(format!("{number:08}.sqlite"));
    fs::copy(generation(0), generation(1)).expect("copied");
    well(command(&data, "rebuild", &["--fold-types", "other"]));
    let status = status_of(&data);
    assert_eq!(
        (&status["folded"], &status["stored_only"]),
        (&json!(0), &json!(5)),
        "{status}"
    );
}

#[test]
fn an_import_under_other_rules_says_that_nothing_is_folded() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    well(command(&data, "import", &[&file_of(folder.path(), "a", 0..5)]));
    let more = file_of(folder.path(), "b", 5..7);
    let told = command(&data, "import", &["--fold-types", "other", &more]);
    assert!(
        !told.success && told.stderr.contains("highwater rebuild"),
        "{told:?}"
    );
    let status = status_of(&data);
    assert_eq!(
        (&status["chunked"], &status["folded"]),
        (&json!(7), &json!(5)),
        "{status}"
    );
}

#[test]
fn a_higher_limit_waits_for_a_replay_and_says_so_while_pings_are_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let few = file_of(folder.path(), "a", 0..5);
    well(command(&data, "import", &["--inflated-limit", "1MiB", &few]));
    let more = file_of(folder.path(), "b", 5..7);
    let told = command(&data, "import", &[&more]);
    assert!(
        !told.success
            && told.stderr.contains("2 pings are taken and stored")
            && told.stderr.contains("highwater replay-errors"),
        "{told:?}"
    );
    let pipeline = Pipeline::start(&data, &[]);
    let health = || {
        pipeline
            .api_client()
            .get("/api/v1/health")
            .expect("an answer")
            .json()
    };
    let names = |health: &serde_json::Value| {
        let verdicts = health["verdicts"].as_array().expect("verdicts").iter();
        verdicts
            .map(|verdict| verdict["name"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&health()), ["replay_needed"]);
    well(command(&data, "replay-errors", &[]));
    pipeline.wait_for("all to be folded", |status| status["folded"] == 7);
    while names(&health()) != ["well"] {
        tests::pause(std::time::Duration::from_millis(100));
    }
    pipeline.terminate();
}

#[test]
fn pings_lost_to_damage_of_the_log_keep_the_status_from_settling() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let pipeline = Pipeline::start(&data, &["--seal-age", "1h"]);
    let mut edge = pipeline.edge_client();
    for number in 0..3 {
        let ping = SmallPing::numbered(number);
        let answer = edge.post(&ping.uri(), &[], &ping.body()).expect("an answer");
        assert_eq!(answer.status, 200);
    }
    pipeline.kill();
    let segment = files_below(&data.join("log"))
        .into_iter()
        .find(|path| path.extension().is_some_and(|extension| extension == "log"))
        .expect("a segment");
    let mut bytes = fs::read(&segment).expect("readable");
    let uri = SmallPing::numbered(0).uri().into_bytes();
    let at = bytes
        .windows(uri.len())
        .position(|window| window == uri)
        .expect("the first ping");
    bytes[at] ^= 1;
    fs::write(&segment, &bytes).expect("written");
    let pipeline = Pipeline::start(&data, &[]);
    let status = pipeline.wait_for("the others to be counted", |status| status["folded"] == 2);
    assert_eq!(
        (&status["set_aside"], &status["settled"]),
        (&json!(1), &json!(false)),
        "{status}"
    );
    pipeline.terminate();
    let status = status_of(&data);
    assert_eq!(
        (&status["set_aside"], &status["settled"]),
        (&json!(1), &json!(false)),
        "{status}"
    );
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test of real processes waits in real time"
)]
fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(20));
}
