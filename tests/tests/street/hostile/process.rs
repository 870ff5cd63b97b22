//! A process that is told to end, killed in each of its phases, lied to about the time, or refused memory.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tests::{Client, Faults, Pipeline, Signal, highwater};

use super::judge::Judge;
use super::machine::{no_faults, pause, program_under};
use crate::ask::{command, lose_index, well};

fn wait_for_log(judge: &Judge, words: &str) {
    for _ in 0..1_200 {
        if judge.log().contains(words) {
            return;
        }
        pause();
    }
    panic!("it never said {words:?}:\n{}", judge.log());
}

#[test]
fn sigterm_answers_what_is_in_flight_takes_nothing_more_and_ends_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut judge = Judge::new(&folder.path().join("data"));
    let mut pipeline = Pipeline::start(&judge.data, &["--seal-age", "1h"]);
    judge.send_well(&pipeline, 10);
    let (number, ping) = judge.draw();
    let body = ping.body();
    let mut stream = TcpStream::connect(&pipeline.edge).expect("a connection");
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        ping.uri(),
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    // Only then is it in flight: a connection whose request was not read yet is closed.
    let mut go_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut go_on).expect("the head was read");
    assert!(go_on.starts_with(b"HTTP/1.1 100 "), "{}", go_on.escape_ascii());
    stream.write_all(&body[..10]).expect("sent");
    let edge = pipeline.edge.clone();
    pipeline.signal(Signal::TERM);
    wait_for_log(&judge, "ending: what is in flight is answered");
    stream.write_all(&body[10..]).expect("still read");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer and the end");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    judge.acknowledged.insert(number);
    assert!(pipeline.wait().success(), "{}", judge.log());
    assert!(TcpStream::connect(edge).is_err(), "nobody listens any more");
    let pipeline = Pipeline::start(&judge.data, &[]);
    judge.judge(&pipeline);
    assert_eq!(judge.acknowledged.len(), 11);
}

#[test]
fn a_second_sigint_ends_at_once_what_the_first_one_cannot_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut judge = Judge::new(&folder.path().join("data"));
    let arguments = ["--seal-age", "1h", "--seal-at-shutdown"];
    let mut pipeline = Pipeline::start(&judge.data, &arguments);
    judge.send_well(&pipeline, 10);
    // A file where the store's folder was: sealing before the end is tried for ever.
    let store = judge.data.join("store");
    fs::remove_dir_all(&store)
        .and_then(|()| fs::write(&store, "no folder"))
        .expect("taken away");
    pipeline.signal(Signal::INT);
    wait_for_log(&judge, "ending: what is in flight is answered");
    wait_for_log(&judge, "tried again");
    pipeline.signal(Signal::INT);
    assert_eq!(pipeline.wait().code(), Some(130), "{}", judge.log());
    assert!(
        judge.log().contains("ended at once, as told a second time"),
        "{}",
        judge.log()
    );
    fs::remove_file(&store).expect("removed");
    let pipeline = Pipeline::start(&judge.data, &[]);
    judge.judge(&pipeline);
}

#[test]
fn a_signal_while_it_starts_ends_it_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = no_faults(folder.path());
    let data = folder.path().join("data");
    faults.set("sync-hangs", "/log/spare");
    let mut pipeline = Pipeline::spawn(&mut program_under(&faults), &data, &[]);
    faults.wait_until_met("sync-hangs", "opening the log");
    pipeline.signal(Signal::TERM);
    assert_eq!(pipeline.wait().code(), Some(0), "{}", Judge::new(&data).log());
}

/// A run of the program that is killed in a phase, and what it has been sent.
struct Phases {
    faults: Faults,
    judge: Judge,
    folder: tempfile::TempDir,
}

impl Phases {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            faults: no_faults(folder.path()),
            judge: Judge::new(&folder.path().join("data")),
            folder,
        }
    }

    fn start(&self) -> Pipeline {
        let arguments = ["--seal-age", "200ms", "--persist-age", "100ms"];
        Pipeline::start_by(program_under(&self.faults), &self.judge.data, &arguments).expect("up")
    }

    /// Waits until it is in the phase, kills it there, and lets the next one work.
    fn kill_in(&self, pipeline: Pipeline, phase: &str) {
        self.faults.wait_until_met("sync-hangs", phase);
        pipeline.kill();
        self.faults.end("sync-hangs");
    }

    /// Killed in what a start does before it is up.
    fn while_starting(&mut self, phase: &str, place: &str) {
        self.faults.set("sync-hangs", place);
        let pipeline = Pipeline::spawn(&mut program_under(&self.faults), &self.judge.data, &[]);
        self.kill_in(pipeline, phase);
    }

    /// Killed in what pings on their way come to.
    fn while_pings_come(&mut self, phase: &str, place: &str) {
        let pipeline = self.start();
        self.judge.send_well(&pipeline, 10);
        self.faults.set("sync-hangs", place);
        let (edge, faults, judge) = (pipeline.edge.clone(), &self.faults, &mut self.judge);
        std::thread::scope(|scope| {
            let sender = scope.spawn(move || judge.send(&edge, 10, 500));
            faults.wait_until_met("sync-hangs", phase);
            pipeline.kill();
            sender.join().expect("a sender of which some were cut");
        });
        self.faults.end("sync-hangs");
    }

    /// Killed in what a command asked for, while no ping comes.
    fn in_a_command(&mut self, phase: &str, place: &str, name: &str, arguments: &[&str]) {
        let pipeline = self.start();
        pipeline.wait_for("everything to be written", |status| {
            status["settled"] == true && status["in_memory"]["chunks"] == 0
        });
        self.faults.set("sync-hangs", place);
        let mut child = ask(&self.judge.data, name, arguments);
        self.kill_in(pipeline, phase);
        child.wait().expect("it ends without the process that it asked");
    }

    fn import_file(&mut self) -> String {
        let mut lines = String::new();
        for _ in 0..200 {
            let (number, ping) = self.judge.draw();
            self.judge.acknowledged.insert(number);
            let line = json!({"submissionDate": "20170131", "uri": ping.uri(), "body": ping.json()});
            writeln!(lines, "{line}").expect("text grows");
        }
        let file = self.folder.path().join("pings.ndjson");
        fs::write(&file, lines).expect("written");
        file.display().to_string()
    }
}

fn ask(data: &Path, name: &str, arguments: &[&str]) -> Child {
    Command::new(highwater())
        .args([name, "--data-dir"])
        .arg(data)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

#[test]
fn kill_9_in_every_phase_loses_and_doubles_nothing() {
    let mut phases = Phases::new();
    phases.while_starting("the first start", "/log-starts");
    phases.while_pings_come("the sync of a commit group", "/log/");
    phases.while_starting("the recovery of the log", "/log/spare");
    phases.while_starting("remembering a start", "/log-starts");
    phases.while_pings_come("the put of a chunk", "/staging/");
    phases.while_pings_come("the index's transaction", "/index.sqlite");
    phases.while_pings_come("the aggregates' transaction", "/aggregates/");
    let file = phases.import_file();
    phases.in_a_command("an import", "/log/", "import", &[&file]);
    let pipeline = phases.start();
    for _ in 0..2 {
        well(command(&phases.judge.data, "import", &[&file]));
    }
    phases.judge.judge(&pipeline);
    pipeline.kill();
    phases.in_a_command("a rebuild", "/aggregates/", "rebuild", &[]);
    let pipeline = phases.start();
    phases.judge.judge(&pipeline);
    well(command(&phases.judge.data, "rebuild", &[]));
    phases.judge.judge(&pipeline);
    pipeline.kill();
    // Comparing the store with the index is what adds chunks to an index that was lost.
    lose_index(&phases.judge.data);
    phases.while_starting("making the index anew", "/index.sqlite");
    let pipeline = phases.start();
    phases.judge.judge(&pipeline);
    pipeline.terminate();
}

/// Every number in a document, with its name.
fn numbers(name: &str, value: &Value, found: &mut Vec<(String, f64)>) {
    match value {
        Value::Number(number) => found.push((name.to_owned(), number.as_f64().expect("a number"))),
        Value::Array(all) => all.iter().for_each(|value| numbers(name, value, found)),
        Value::Object(all) => all.iter().for_each(|(name, value)| numbers(name, value, found)),
        _ => {}
    }
}

/// The submission dates in the store.
fn dates(data: &Path) -> Vec<String> {
    let days = fs::read_dir(data.join("store/pings/v1")).expect("listed");
    days.map(|day| day.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_clock_that_steps_by_a_day_in_either_direction_moves_dates_and_nothing_else() {
    const DAY: i64 = 86_400;
    let folder = tempfile::tempdir().expect("a folder");
    let faults = no_faults(folder.path());
    let mut judge = Judge::new(&folder.path().join("data"));
    let pipeline = Pipeline::start_by(program_under(&faults), &judge.data, &[]).expect("up");
    judge.send_well(&pipeline, 10);
    judge.judge(&pipeline);
    // Forward, back over today, and to today; pings wait across each step, and seals go on.
    for (step, days) in [(DAY, 2), (-DAY, 3), (0, 3)] {
        judge.send_well(&pipeline, 5);
        faults.set_clock(step);
        judge.send_well(&pipeline, 5);
        judge.judge(&pipeline);
        assert!(dates(&judge.data).len() >= days, "{:?}", dates(&judge.data));
        let health = pipeline
            .api_client()
            .get("/api/v1/health")
            .expect("an answer")
            .json();
        let mut found = Vec::new();
        numbers("health", &health, &mut found);
        let odd: Vec<_> = found
            .iter()
            .filter(|(name, number)| *number < 0.0 || name.contains("seconds") && *number > 1e6)
            .collect();
        assert!(odd.is_empty(), "{odd:?}\n{health:#}");
    }
    // What waits in the log is from tomorrow when the process starts: it is due, not a day late.
    faults.set_clock(DAY);
    judge.send_well(&pipeline, 5);
    pipeline.kill();
    faults.end("clock");
    let pipeline =
        Pipeline::start_by(program_under(&faults), &judge.data, &["--seal-age", "1h"]).expect("up");
    judge.judge(&pipeline);
    pipeline.terminate();
}

/// Bytes of address space of a process.
fn address_space(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmSize:"))
        .expect("a line");
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<u64>().ok())
        .expect("a number")
        * 1024
}

#[test]
fn memory_that_the_machine_refuses_costs_the_process_at_most_and_no_acknowledged_ping() {
    const BODY_BYTES: usize = 4_000_000;
    let folder = tempfile::tempdir().expect("a folder");
    let mut judge = Judge::new(&folder.path().join("data"));
    let pipeline = Pipeline::start_by(one_arena(Command::new(highwater())), &judge.data, &[]).expect("up");
    judge.send_well(&pipeline, 10);
    judge.judge(&pipeline);
    // Little more than what it has while it rests, and less than sixteen bodies and a chunk's window take.
    let allowed = address_space(pipeline.id()) + (40 << 20);
    pipeline.terminate();
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -v {}; exec \"$0\" \"$@\"", allowed / 1024)]);
    limited.arg(highwater());
    let mut pipeline = match Pipeline::start_by(one_arena(limited), &judge.data, &["--seal-age", "200ms"]) {
        Ok(pipeline) => pipeline,
        Err(words) => panic!("it starts in the memory in which it rested: {words}"),
    };
    let pings: Vec<_> = (0..32).map(|_| judge.draw()).collect();
    let taken: Vec<u64> = std::thread::scope(|scope| {
        let posts: Vec<_> = pings
            .iter()
            .map(|(number, ping)| {
                let edge = &pipeline.edge;
                scope.spawn(move || {
                    let mut ping = ping.clone();
                    ping.filling = BODY_BYTES;
                    let answer = Client::new(edge).post(&ping.uri(), &[], &ping.body());
                    answer.is_ok_and(|answer| answer.status == 200).then_some(*number)
                })
            })
            .collect();
        let answers = posts
            .into_iter()
            .map(|post| post.join().expect("no client panics"));
        answers.flatten().collect()
    });
    judge.acknowledged.extend(&taken);
    pipeline.signal(Signal::KILL);
    let end = pipeline.wait();
    println!(
        "{} of 32 were taken; it ended with {end}: {}",
        taken.len(),
        judge.log()
    );
    let pipeline = Pipeline::start(&judge.data, &[]);
    judge.judge(&pipeline);
    pipeline.terminate();
}

/// So that address space is memory, and not room that threads set apart.
fn one_arena(mut command: Command) -> Command {
    command.env("MALLOC_ARENA_MAX", "1");
    command
}
