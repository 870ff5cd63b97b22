//! Files that rot, are cut, copied or removed beneath the program: it works, or sets aside loudly, or refuses with words
//! that say what to do; it never panics, and never answers wrong numbers silently.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tests::{Pipeline, highwater, run};

use super::judge::Judge;
use super::machine::pause;
use crate::ask::{command, lose_index, well};

const SMALL_LOG: [&str; 2] = ["--log-budget", "8MiB"];

#[expect(clippy::print_stdout, reason = "a random test prints its seed")]
fn dice() -> ChaCha8Rng {
    let seed = std::env::var("HIGHWATER_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or(20_170_130);
    println!("seed {seed} (HIGHWATER_SEED)");
    ChaCha8Rng::seed_from_u64(seed)
}

/// A data directory with 30 pings that are counted, in three chunks of ten, at rest.
fn at_rest(folder: &Path) -> Judge {
    let mut judge = Judge::new(&folder.join("data"));
    let at_the_end = ["--log-budget", "8MiB", "--seal-age", "1h", "--seal-at-shutdown"];
    let pipeline = Pipeline::start(&judge.data, &at_the_end);
    judge.send_well(&pipeline, 30);
    pipeline.terminate();
    let pipeline = Pipeline::start(&judge.data, &SMALL_LOG);
    judge.judge(&pipeline);
    pipeline.terminate();
    judge
}

/// Waits until nothing waits and nothing moves any more, whatever is missing.
fn wait_until_still(pipeline: &Pipeline) -> Value {
    let (mut last, mut times) = (Value::Null, 0);
    for _ in 0..1_200 {
        let status = pipeline.status();
        let numbers = json!([status["chunked"], status["indexed"], status["folded"]]);
        let quiet = status["waiting"] == 0 && status["folded"] == status["indexed"] && numbers == last;
        times = if quiet { times + 1 } else { 0 };
        if times == 30 {
            return status;
        }
        last = numbers;
        pause();
    }
    panic!("it never comes to rest: {}", pipeline.status());
}

/// The same judge over a copy of what it judges.
fn copied(judge: &Judge, to: &Path) -> Judge {
    let done = Command::new("cp").arg("-r").arg(&judge.data).arg(to).status();
    assert!(done.expect("cp runs").success());
    let mut copy = Judge::new(to);
    copy.acknowledged.clone_from(&judge.acknowledged);
    copy
}

fn start(judge: &Judge) -> Result<Pipeline, String> {
    Pipeline::start_by(Command::new(highwater()), &judge.data, &SMALL_LOG)
}

fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, suffix));
        } else if path.display().to_string().ends_with(suffix) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn flip(path: &Path, at: usize, random: &mut ChaCha8Rng) {
    let mut bytes = fs::read(path).expect("read");
    bytes[at] ^= 1 << random.random_range(0..8);
    fs::write(path, bytes).expect("written");
}

fn cut(path: &Path, length: usize) {
    let file = fs::OpenOptions::new().write(true).open(path).expect("there");
    file.set_len(length as u64).expect("cut");
}

/// Bytes up to the zeros at the end.
fn used(path: &Path) -> usize {
    let bytes = fs::read(path).expect("read");
    bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1)
}

#[test]
fn flipped_bits_in_the_log_are_set_aside_loudly_and_all_else_is_kept() {
    let (folder, mut random) = (tempfile::tempdir().expect("a folder"), dice());
    let mut base = at_rest(folder.path());
    let pipeline = Pipeline::start(&base.data, &["--log-budget", "8MiB", "--seal-age", "1h"]);
    base.send_well(&pipeline, 30);
    pipeline.kill();
    let last = *base.acknowledged.last().expect("some");
    for trial in 0..8 {
        let judge = copied(&base, &folder.path().join(format!("copy-{trial}")));
        let segments = files(&judge.data.join("log"), ".log");
        let segment = segments.last().expect("a segment");
        let length = used(segment);
        let place = match trial {
            0 => random.random_range(0..28),
            1 => random.random_range(32..90),
            _ => random.random_range(200..length),
        };
        flip(segment, place, &mut random);
        let pipeline =
            start(&judge).unwrap_or_else(|words| panic!("a flip at {place} stops the start: {words}"));
        let status = wait_until_still(&pipeline);
        let missing = judge.missing(&pipeline);
        println!(
            "a flip at {place} of {length}: {} of 60 missing, {status}",
            missing.len()
        );
        // The last group is confirmed by none behind it: what is unreadable there cannot be told from a torn tail.
        assert!(
            missing.is_empty() || missing == [last] || status["set_aside"].as_u64() > Some(0),
            "a flip at {place} lost {missing:?} silently: {status}"
        );
        assert!(missing.len() <= 1, "a flip at {place} lost {missing:?}");
        // A header is mended by its checksum.
        assert!(
            place >= 28 || missing.is_empty(),
            "a flip at {place} lost {missing:?}"
        );
        // No number is given twice, whatever was lost.
        let mut judge = judge;
        judge.skip_to(1_000);
        judge.send_well(&pipeline, 5);
        wait_until_still(&pipeline);
        assert_eq!(judge.missing(&pipeline), missing);
        let ids = judge.record_ids();
        let mut once = ids.clone();
        once.dedup();
        assert_eq!(ids, once, "record ids given twice after a flip at {place}");
        pipeline.kill();
        fs::remove_dir_all(&judge.data).expect("removed");
    }
}

#[test]
fn a_log_cut_anywhere_keeps_all_before_the_cut() {
    let (folder, mut random) = (tempfile::tempdir().expect("a folder"), dice());
    let mut base = Judge::new(&folder.path().join("data"));
    let pipeline = Pipeline::start(&base.data, &["--log-budget", "8MiB", "--seal-age", "1h"]);
    base.send_well(&pipeline, 30);
    pipeline.kill();
    for trial in 0..4 {
        let judge = copied(&base, &folder.path().join(format!("copy-{trial}")));
        let segment = files(&judge.data.join("log"), ".log").pop().expect("a segment");
        let length = if trial == 0 {
            0
        } else {
            random.random_range(33..used(&segment))
        };
        cut(&segment, length);
        let pipeline = match start(&judge) {
            Ok(pipeline) => pipeline,
            // Cut within its first frame, the log does not know of its start.
            Err(words) => {
                assert!(
                    length < 200 && words.contains("Put the missing files back"),
                    "{words}"
                );
                continue;
            }
        };
        let status = wait_until_still(&pipeline);
        let missing = judge.missing(&pipeline);
        println!("cut at {length}: {} of 30 missing, {status}", missing.len());
        let tail: Vec<u64> = (31 - missing.len() as u64..31).collect();
        assert_eq!(missing, tail, "only the end is gone");
        pipeline.kill();
    }
}

#[test]
fn a_log_folder_removed_by_hand_is_refused_with_words_and_the_way_out_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut judge = at_rest(folder.path());
    let (log, away) = (judge.data.join("log"), folder.path().join("log-away"));
    fs::rename(&log, &away).expect("moved");
    for _ in 0..2 {
        let words = start(&judge).expect_err("its numbers would be given again");
        assert!(
            words.contains("holds no segment") && words.contains("Put the missing files back"),
            "{words}"
        );
    }
    // Either the folder comes back ...
    fs::remove_dir_all(&log).expect("made anew, empty");
    fs::rename(&away, &log).expect("moved");
    let pipeline = start(&judge).expect("whole again");
    judge.send_well(&pipeline, 5);
    judge.judge(&pipeline);
    pipeline.terminate();
    // ... or it is given up, and the log begins anew under an identity of its own.
    fs::remove_dir_all(&log).expect("removed");
    fs::remove_file(judge.data.join("identity")).expect("removed");
    let pipeline = start(&judge).expect("a new identity");
    judge.send_well(&pipeline, 5);
    judge.judge(&pipeline);
    let ids = judge.record_ids();
    let mut once = ids.clone();
    once.dedup();
    assert_eq!((ids.len(), once.len()), (40, 40));
    pipeline.terminate();
}

#[test]
fn a_data_directory_is_used_by_one_process_and_a_copy_of_it_is_whole_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut judge = at_rest(folder.path());
    let pipeline = start(&judge).expect("up");
    let other = Judge::new(&judge.data);
    let refused = Command::new(highwater())
        .args([
            "serve",
            "--edge-listen",
            "127.0.0.1:0",
            "--api-listen",
            "127.0.0.1:0",
            "--data-dir",
        ])
        .arg(&other.data)
        .output()
        .expect("it starts");
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && words.contains(&format!("in use by process {}", pipeline.id())),
        "{words}"
    );
    judge.send_well(&pipeline, 5);
    pipeline.kill();
    let mut copy = copied(&judge, &folder.path().join("copy"));
    copy.skip_to(500);
    let (first, second) = (start(&judge).expect("up"), start(&copy).expect("up"));
    judge.send_well(&first, 5);
    copy.send_well(&second, 7);
    judge.judge(&first);
    copy.judge(&second);
    assert_eq!((judge.acknowledged.len(), copy.acknowledged.len()), (40, 42));
    first.terminate();
    second.terminate();
}

/// What can happen to a chunk's file.
const CHUNK_DAMAGES: [&str; 5] = [
    "a flip in the data",
    "a flip in the end",
    "cut in half",
    "cut to nothing",
    "removed",
];

#[test]
fn a_damaged_or_removed_chunk_is_set_aside_by_a_rebuild_and_comes_back_when_repaired() {
    let (folder, mut random) = (tempfile::tempdir().expect("a folder"), dice());
    let judge = at_rest(folder.path());
    let chunk = files(&judge.data.join("store"), ".zst").remove(0);
    let whole = fs::read(&chunk).expect("read");
    let pipeline = start(&judge).expect("up");
    let pings_of_it = 10;
    for damage in CHUNK_DAMAGES {
        match damage {
            "a flip in the data" => flip(&chunk, random.random_range(20..60), &mut random),
            "a flip in the end" => flip(&chunk, whole.len() - random.random_range(10..40), &mut random),
            "cut in half" => cut(&chunk, whole.len() / 2),
            "cut to nothing" => cut(&chunk, 0),
            _ => fs::remove_file(&chunk).expect("removed"),
        }
        let verified = run(&["chunk", "verify", &chunk.display().to_string()]);
        assert!(
            !verified.success && !verified.stderr.contains("panicked"),
            "{damage}: {}",
            verified.stderr
        );
        // What is counted stays counted.
        assert_eq!(pipeline.status()["folded"], 30, "{damage}");
        let rebuilt = command(&judge.data, "rebuild", &[]);
        assert!(rebuilt.success, "{damage}: {}", rebuilt.stderr);
        let status = pipeline.wait_for("the rest to be counted", |status| {
            status["folded"] == 30 - pings_of_it || status["folded"] == 30
        });
        if damage == "a flip in the end" && status["folded"] == 30 {
            println!("{damage}: the fold did not need it");
        } else {
            assert_eq!(status["set_aside"], 1, "{damage}: {status}");
            assert_eq!(status["settled"], false, "{damage}: {status}");
        }
        let printed = command(&judge.data, "pings", &[]);
        assert!(
            !printed.stderr.contains("panicked"),
            "{damage}: {}",
            printed.stderr
        );
        fs::write(&chunk, &whole).expect("repaired");
        well(command(&judge.data, "rebuild", &[]));
        judge.judge(&pipeline);
    }
    pipeline.terminate();
}

#[test]
fn a_chunk_that_the_index_lacks_is_found_in_the_store_and_counts_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let judge = at_rest(folder.path());
    let chunk = files(&judge.data.join("store"), ".zst").remove(0);
    let away = folder.path().join("chunk-away");
    fs::rename(&chunk, &away).expect("moved");
    lose_index(&judge.data);
    let pipeline = start(&judge).expect("up");
    pipeline.wait_for("the others to be found", |status| status["indexed"] == 20);
    fs::rename(&away, &chunk).expect("moved");
    well(command(&judge.data, "reconcile", &[]));
    judge.judge(&pipeline);
    pipeline.terminate();
}

/// What can happen to a database's file.
#[derive(Clone, Copy, Debug)]
enum Rot {
    Cut(usize),
    Half,
    FlipAt(usize),
    Garbage,
    FirstPageZero,
    PagesZero,
}

const ROTS: [Rot; 10] = [
    Rot::Cut(0),
    Rot::Cut(1),
    Rot::Cut(100),
    Rot::Half,
    Rot::FlipAt(3),
    Rot::FlipAt(16),
    Rot::FlipAt(100),
    Rot::Garbage,
    Rot::FirstPageZero,
    Rot::PagesZero,
];

impl Rot {
    fn spoil(self, path: &Path, random: &mut ChaCha8Rng) {
        let mut bytes = fs::read(path).expect("read");
        let (length, page) = (bytes.len(), 4_096);
        match self {
            Self::Cut(to) => bytes.truncate(to),
            Self::Half => bytes.truncate(length / 2 / page * page),
            Self::FlipAt(at) => bytes[at] ^= 1 << random.random_range(0..8),
            Self::Garbage => random.fill(&mut bytes[..]),
            Self::FirstPageZero => bytes[..page].fill(0),
            Self::PagesZero => bytes[page..].fill(0),
        }
        fs::write(path, bytes).expect("written");
    }
}

/// Moves a database's file away, with those whose names begin with its name, as the words say.
fn move_away(path: &Path) {
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    for entry in fs::read_dir(path.parent().expect("a folder")).expect("listed") {
        let path = entry.expect("an entry").path();
        if path
            .file_name()
            .is_some_and(|found| found.to_string_lossy().starts_with(&name))
        {
            fs::remove_file(path).expect("removed");
        }
    }
}

/// Whether everything is counted, and rightly, by itself. Numbers that say they are settled must be the right ones.
fn heals_by_itself(pipeline: &Pipeline, judge: &Judge, rot: Rot) -> bool {
    for _ in 0..60 {
        let answer = pipeline.api_client().get("/api/v1/status").expect("an answer");
        if answer.status == 200 && answer.json()["settled"] == true && Judge::is_answered(pipeline) {
            assert_eq!(judge.missing(pipeline), Vec::<u64>::new(), "{rot:?}");
            return true;
        }
        pause();
    }
    false
}

#[expect(
    clippy::print_stdout,
    reason = "what became of each damage is for who reads the output"
)]
fn a_rotten_database_is_told_and_made_anew(database: impl Fn(&Path) -> PathBuf) {
    let (folder, mut random) = (tempfile::tempdir().expect("a folder"), dice());
    let base = at_rest(folder.path());
    for (trial, rot) in ROTS.into_iter().enumerate() {
        let mut judge = copied(&base, &folder.path().join(format!("copy-{trial}")));
        let path = database(&judge.data);
        rot.spoil(&path, &mut random);
        let healed = match start(&judge) {
            Ok(pipeline) => {
                let healed = heals_by_itself(&pipeline, &judge, rot);
                // Pings are taken all the same.
                judge.skip_to(100);
                judge.send_well(&pipeline, 3);
                assert!(!judge.log().contains("panicked"), "{rot:?}: {}", judge.log());
                println!(
                    "{rot:?}: starts, {}",
                    if healed {
                        "heals"
                    } else {
                        "says that it is not settled"
                    }
                );
                pipeline.kill();
                healed
            }
            Err(words) => {
                println!("{rot:?}: {words}");
                assert!(
                    words.contains(&path.display().to_string()) && words.contains("move it away"),
                    "{rot:?}: {words}"
                );
                assert!(!words.contains("panicked"), "{rot:?}: {words}");
                false
            }
        };
        if !healed {
            move_away(&path);
        }
        let pipeline = start(&judge).expect("made anew");
        judge.judge(&pipeline);
        pipeline.kill();
        fs::remove_dir_all(&judge.data).expect("removed");
    }
}

#[test]
fn older_aggregates_that_are_put_back_are_not_called_settled_and_a_rebuild_mends_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut judge = at_rest(folder.path());
    let older = copied(&judge, &folder.path().join("older"));
    let pipeline = start(&judge).expect("up");
    judge.send_well(&pipeline, 10);
    judge.judge(&pipeline);
    pipeline.terminate();
    fs::remove_dir_all(judge.data.join("aggregates")).expect("removed");
    fs::rename(older.data.join("aggregates"), judge.data.join("aggregates")).expect("moved");
    let pipeline = start(&judge).expect("up");
    let status = pipeline.status();
    assert_eq!(
        (&status["settled"], &status["folded"]),
        (&false.into(), &30.into()),
        "{status}"
    );
    well(command(&judge.data, "rebuild", &[]));
    judge.judge(&pipeline);
    pipeline.terminate();
}

#[test]
fn a_rotten_index_is_told_with_words_and_made_anew_from_the_store() {
    a_rotten_database_is_told_and_made_anew(|data| data.join("index.sqlite"));
}

#[test]
fn rotten_aggregates_are_told_with_words_and_folded_anew_from_the_chunks() {
    a_rotten_database_is_told_and_made_anew(|data| {
        files(&data.join("aggregates"), ".sqlite")
            .pop()
            .expect("aggregates")
    });
}

/// Posts one ping after the other until one is refused with 503, which is to come soon; nothing but 200 comes before.
fn send_until_503(judge: &mut Judge, edge: &str) {
    for _ in 0..1_200 {
        let answers = judge.send(edge, 1, 2_000);
        if answers.contains_key(&503) {
            return;
        }
        assert!(answers.contains_key(&200), "{answers:?}\n{}", judge.log());
        pause();
    }
    panic!("it is never noticed:\n{}", judge.log());
}

#[test]
fn a_lock_file_that_is_removed_or_replaced_lets_no_second_process_in_and_the_first_one_ends_with_words() {
    for is_replaced in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut judge = Judge::new(&folder.path().join("data"));
        let mut pipeline = Pipeline::start(&judge.data, &["--seal-age", "1h"]);
        judge.send_well(&pipeline, 20);
        fs::remove_file(judge.data.join("lock")).expect("removed");
        if is_replaced {
            fs::write(judge.data.join("lock"), "1\n").expect("made anew");
        }
        let second = Command::new(highwater())
            .args([
                "serve",
                "--edge-listen",
                "127.0.0.1:0",
                "--api-listen",
                "127.0.0.1:0",
                "--data-dir",
            ])
            .arg(&judge.data)
            .output()
            .expect("it starts");
        let words = String::from_utf8_lossy(&second.stderr).into_owned();
        assert!(
            !second.status.success() && words.contains("is in use by"),
            "{words}"
        );
        // Whatever is acknowledged before the end is kept.
        for _ in 0..1_200 {
            let answers = judge.send(&pipeline.edge, 1, 2_000);
            if answers.contains_key(&0) {
                break;
            }
            pause();
        }
        assert!(!pipeline.wait().success());
        let log = judge.log();
        assert!(
            log.contains("the file `lock` of the data directory is not the one"),
            "{log}"
        );
        let pipeline = Pipeline::start(&judge.data, &SMALL_LOG);
        judge.send_well(&pipeline, 5);
        judge.judge(&pipeline);
        pipeline.terminate();
    }
}

#[test]
fn a_log_that_is_removed_or_moved_beneath_the_process_is_503_and_an_alarm_and_nothing_acknowledged_is_lost() {
    for is_moved in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut judge = Judge::new(&folder.path().join("data"));
        let pipeline = Pipeline::start(&judge.data, &["--seal-age", "1h", "--persist-age", "100ms"]);
        judge.send_well(&pipeline, 20);
        let (log, away) = (judge.data.join("log"), judge.data.join("log.away"));
        if is_moved {
            fs::rename(&log, &away).expect("moved");
        } else {
            fs::remove_dir_all(&log).expect("removed");
        }
        send_until_503(&mut judge, &pipeline.edge);
        let heartbeat = pipeline.edge_client().get("/__heartbeat__").expect("an answer");
        assert_eq!(heartbeat.status, 503, "{}", heartbeat.text());
        pipeline.wait_for("what waits to be sealed", |status| status["waiting"] == 0);
        let verdicts = || {
            let health = pipeline
                .api_client()
                .get("/api/v1/health")
                .expect("an answer")
                .json();
            health["verdicts"].clone()
        };
        let is_said = |verdicts: &Value| {
            let mut verdicts = verdicts.as_array().into_iter().flatten();
            verdicts.any(|verdict| verdict["name"] == "log_gone" && verdict["severity"] == "alarm")
        };
        // Verdicts are of the last look, which may be a second old.
        let mut looks = 0;
        while !is_said(&verdicts()) {
            looks += 1;
            assert!(looks < 1_200, "{:#}", verdicts());
            pause();
        }
        for _ in 0..5 {
            let answers = judge.send(&pipeline.edge, 1, 2_000);
            assert!(answers.contains_key(&503), "{answers:?}");
        }
        judge.judge(&pipeline);
        if is_moved {
            fs::rename(&away, &log).expect("moved back");
            for _ in 0..1_200 {
                if judge.send(&pipeline.edge, 1, 2_000).contains_key(&200) {
                    break;
                }
                pause();
            }
            judge.send_well(&pipeline, 5);
            pipeline.terminate();
            let pipeline = Pipeline::start(&judge.data, &SMALL_LOG);
            judge.judge(&pipeline);
            pipeline.terminate();
        } else {
            pipeline.terminate();
        }
    }
}

#[test]
fn a_store_that_is_a_link_to_another_file_system_is_put_into() {
    let (folder, memory) = (tempfile::tempdir().expect("a folder"), Path::new("/dev/shm"));
    let Ok(elsewhere) = tempfile::tempdir_in(memory) else {
        return;
    };
    let mut judge = Judge::new(&folder.path().join("data"));
    fs::create_dir(&judge.data).expect("made");
    std::os::unix::fs::symlink(elsewhere.path(), judge.data.join("store")).expect("linked");
    let pipeline = Pipeline::start(&judge.data, &SMALL_LOG);
    judge.send_well(&pipeline, 30);
    judge.judge(&pipeline);
    pipeline.terminate();
}
