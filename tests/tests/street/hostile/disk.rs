//! Disks that are full, read-only, slow, or fail: an answer that says so, what was acknowledged is kept, and all goes on
//! by itself when the cause is gone. The simulated disk proves the same at every single operation of log and store.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use tests::{Pipeline, highwater};

use super::judge::Judge;
use super::machine::{no_faults, pause, program_under, small_disk};

/// Segments of 512 KiB.
const SMALL_LOG: [&str; 2] = ["--log-budget", "4MiB"];

/// Posts until room is refused; nothing else may be answered but 200.
fn send_until_507(judge: &mut Judge, edge: &str) {
    for _ in 0..1_000 {
        let answers = judge.send(edge, 1, 20_000);
        if answers.contains_key(&507) {
            return;
        }
        assert!(answers.contains_key(&200), "{answers:?}\n{}", judge.log());
    }
    panic!("a full disk was never answered with 507");
}

/// Posts until a ping is taken.
fn send_until_200(judge: &mut Judge, edge: &str) {
    for _ in 0..1_200 {
        if judge.send(edge, 1, 2_000).contains_key(&200) {
            return;
        }
        pause();
    }
    panic!("pings are refused for ever:\n{}", judge.log());
}

fn heartbeat(pipeline: &Pipeline) -> u16 {
    pipeline
        .edge_client()
        .get("/__heartbeat__")
        .expect("an answer")
        .status
}

#[test]
fn a_full_disk_is_507_and_when_there_is_room_again_all_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("disk");
    let Some(disk) = small_disk(&data) else {
        return;
    };
    let mut judge = Judge::new(&data);
    let pipeline = Pipeline::start(&data, &SMALL_LOG);
    judge.send_well(&pipeline, 30);
    for _ in 0..2 {
        disk.fill();
        send_until_507(&mut judge, &pipeline.edge);
        assert_eq!(heartbeat(&pipeline), 507, "another node may have room");
        disk.free();
        send_until_200(&mut judge, &pipeline.edge);
        judge.judge(&pipeline);
    }
    // Full while the process is away: the start finds its room, or says what is missing.
    disk.fill();
    pipeline.kill();
    match Pipeline::start_by(Command::new(highwater()), &data, &SMALL_LOG) {
        Ok(pipeline) => pipeline.kill(),
        Err(words) => assert!(
            (words.contains("No space left") || words.contains("disk is full"))
                && words.contains("free some")
                && words.contains("nothing that was acknowledged is lost"),
            "{words}"
        ),
    }
    disk.free();
    let pipeline = Pipeline::start(&data, &SMALL_LOG);
    judge.send_well(&pipeline, 1);
    judge.judge(&pipeline);
    pipeline.terminate();
}

#[test]
fn while_the_disk_of_the_log_is_full_sealing_drains_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("disk");
    let Some(disk) = small_disk(&data) else {
        return;
    };
    for name in ["store", "staging"] {
        let elsewhere = folder.path().join(name);
        fs::create_dir(&elsewhere).expect("made");
        symlink(elsewhere, data.join(name)).expect("linked");
    }
    let mut judge = Judge::new(&data);
    let pipeline = Pipeline::start(&data, &["--log-budget", "4MiB", "--seal-age", "5s"]);
    judge.send_well(&pipeline, 30);
    disk.fill();
    send_until_507(&mut judge, &pipeline.edge);
    // The disk is as full as before, but the chunks lie elsewhere, and plan and done mark have their room.
    pipeline.wait_for("the log to drain", |status| status["waiting"] == 0);
    disk.free();
    send_until_200(&mut judge, &pipeline.edge);
    judge.judge(&pipeline);
    pipeline.terminate();
}

#[test]
fn a_read_only_file_system_is_refused_with_words_at_a_start_and_harms_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("disk");
    let Some(disk) = small_disk(&data) else {
        return;
    };
    let mut judge = Judge::new(&data);
    let pipeline = Pipeline::start(&data, &SMALL_LOG);
    judge.send_well(&pipeline, 30);
    pipeline.kill();
    disk.set_read_only(true);
    let words =
        Pipeline::start_by(Command::new(highwater()), &data, &SMALL_LOG).expect_err("nothing can be written");
    assert!(
        words.contains("Read-only file system") && words.contains("check its permissions"),
        "{words}"
    );
    disk.set_read_only(false);
    let pipeline = Pipeline::start(&data, &SMALL_LOG);
    judge.judge(&pipeline);
    pipeline.terminate();
}

/// What is stored, by a part of its path.
const PLACES: [&str; 5] = ["/log/", "/staging/", "/store/", "/index.sqlite", "/aggregates/"];

/// Under this fault, at each of these places in turn, pings are taken or refused as told, and all goes on by itself when
/// it is gone.
fn goes_on_by_itself_after(fault: &str, places: &[&str], taken_during: impl Fn(&str) -> bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, faults) = (folder.path().join("data"), no_faults(folder.path()));
    let mut judge = Judge::new(&data);
    let arguments = ["--log-budget", "64MiB", "--persist-age", "100ms"];
    let pipeline = Pipeline::start_by(program_under(&faults), &data, &arguments).expect("up");
    judge.send_well(&pipeline, 10);
    for place in places {
        faults.set(fault, place);
        let answers = judge.send(&pipeline.edge, 10, 2_000);
        if taken_during(place) {
            assert_eq!(
                answers,
                BTreeMap::from([(200, 10)]),
                "{fault} at {place}\n{}",
                judge.log()
            );
        } else {
            assert!(
                answers.keys().all(|status| [200, 503, 507].contains(status)) && !answers.contains_key(&0),
                "{fault} at {place}: {answers:?}"
            );
        }
        faults.wait_until_met(fault, place);
        faults.end(fault);
        send_until_200(&mut judge, &pipeline.edge);
        judge.judge(&pipeline);
    }
    pipeline.terminate();
    let pipeline = Pipeline::start(&data, &[]);
    judge.judge(&pipeline);
    pipeline.terminate();
}

#[test]
fn a_failed_sync_anywhere_loses_nothing_and_all_goes_on_by_itself() {
    goes_on_by_itself_after("sync-fails", &PLACES, |place| place != "/log/");
}

#[test]
fn a_write_that_fails_as_on_a_read_only_file_system_loses_nothing_and_all_goes_on_by_itself() {
    let places = ["/log/", "/staging/", "/index.sqlite", "/aggregates/"];
    goes_on_by_itself_after("write-fails", &places, |place| place != "/log/");
}

#[test]
fn a_read_error_anywhere_delays_and_loses_nothing() {
    let places = ["/log/", "/store/", "/index.sqlite", "/aggregates/"];
    goes_on_by_itself_after("read-fails", &places, |_| true);
}

#[test]
fn on_slow_disks_the_answer_waits_and_no_ping_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, faults) = (folder.path().join("data"), no_faults(folder.path()));
    let mut judge = Judge::new(&data);
    faults.set("sync-is-slow", "/");
    let pipeline = Pipeline::start_by(program_under(&faults), &data, &[]).expect("up, if late");
    judge.send_well(&pipeline, 10);
    judge.judge(&pipeline);
    faults.wait_until_met("sync-is-slow", "any");
    pipeline.terminate();
}
