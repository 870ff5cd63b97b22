//! Every alarm of the rules fires in the outage that it is for, and not before: a real process, its `/metrics` scraped as
//! Prometheus does, the expression as the rules have it. How long a condition has to hold (`for`) is not waited for.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tests::alarms::{Alarm, Labels, Scrapes};
use tests::{Client, Faults, Pipeline, Signal, SmallDisk, SmallPing, highwater, pause};

use crate::trouble::{bring_the_store_back, post_numbered, take_the_store_away};

/// Room for a few hundred small pings, so that it is soon full.
const SMALL_LOG: &[&str] = &["--log-budget", "1MiB"];
/// One scrape follows the other so soon: far sooner than in use, so that a test takes seconds.
const BETWEEN_SCRAPES: Duration = Duration::from_millis(150);
/// How long a scrape waits for its answer.
const SCRAPE_PATIENCE: Duration = Duration::from_secs(5);

/// A process, and what was scraped of it.
struct Watched {
    pipeline: Pipeline,
    data: PathBuf,
    scrapes: Scrapes,
    /// By how many seconds the clocks of this machine and of whoever scrapes are set ahead.
    ahead: f64,
    sent: u64,
}

impl Watched {
    fn start(data: &Path, arguments: &[&str]) -> Self {
        Self::of(Pipeline::start(data, arguments), data)
    }

    fn of(pipeline: Pipeline, data: &Path) -> Self {
        let mut watched = Self {
            pipeline,
            data: data.to_owned(),
            scrapes: Scrapes::default(),
            ahead: 0.0,
            sent: 0,
        };
        for _ in 0..5 {
            watched.scrape();
        }
        watched
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a test of real processes waits in real time"
    )]
    fn scrape(&mut self) {
        pause(BETWEEN_SCRAPES);
        let answer = Client::new(&self.pipeline.api)
            .with_patience(SCRAPE_PATIENCE)
            .get("/metrics");
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = now.expect("a clock after 1970").as_secs_f64() + self.ahead;
        let answer = answer.ok().filter(|answer| answer.status == 200);
        self.scrapes.add(now, answer.as_ref().map(tests::Response::text));
    }

    /// Forgets what was scraped, for what happens within seconds at a start would here go on for hours.
    fn scrape_anew(&mut self) {
        for _ in 0..10 {
            self.scrape();
        }
        self.scrapes = Scrapes::default();
        for _ in 0..10 {
            self.scrape();
        }
    }

    fn is_quiet(&self, alarm: &Alarm) {
        let found = alarm.holds_for(&self.scrapes);
        assert!(found.is_empty(), "{} for {found:?}, too soon", alarm.name());
    }

    /// Scrapes, and does this between, until the alarm's condition holds; answers for which labels.
    fn until_it_holds(&mut self, alarm: &Alarm, mut meanwhile: impl FnMut(&mut Self)) -> Vec<Labels> {
        for _ in 0..200 {
            meanwhile(self);
            self.scrape();
            let found = alarm.holds_for(&self.scrapes);
            if !found.is_empty() {
                return found;
            }
        }
        panic!("{} never fires: {:#?}", alarm.name(), self.scrapes);
    }

    fn until_it_is_over(&mut self, alarm: &Alarm) {
        for _ in 0..200 {
            self.scrape();
            if alarm.holds_for(&self.scrapes).is_empty() {
                return;
            }
        }
        panic!("{} is never over: {:#?}", alarm.name(), self.scrapes);
    }

    /// Posts further pings; answers the status of the last one.
    fn send(&mut self, pings: u64, filling: usize) -> u16 {
        post_numbered(&self.pipeline, &mut self.sent, pings, filling)
    }
}

fn has(found: &[Labels], label: &str, value: &str) -> bool {
    found
        .iter()
        .any(|labels| labels.get(label).is_some_and(|it| it == value))
}

#[test]
fn the_alarm_of_a_program_that_is_down_fires_when_it_hangs_and_when_it_was_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let alarm = Alarm::named("HighwaterDown");
    let mut watched = Watched::start(&folder.path().join("data"), &[]);
    watched.is_quiet(&alarm);
    watched.pipeline.signal(Signal::STOP);
    let found = watched.until_it_holds(&alarm, |_| ());
    assert!(has(&found, "instance", "tested"), "{found:?}");
    watched.pipeline.signal(Signal::CONT);
    watched.until_it_is_over(&alarm);
    watched.pipeline.signal(Signal::KILL);
    watched.until_it_holds(&alarm, |_| ());
}

#[test]
fn the_alarms_of_verdicts_and_of_a_log_fire_one_after_the_other_while_the_store_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let (verdict, warning) = (Alarm::named("HighwaterAlarm"), Alarm::named("HighwaterWarning"));
    let (full_soon, refused) = (
        Alarm::named("HighwaterLogFullSoon"),
        Alarm::named("HighwaterPingsRefused"),
    );
    let mut watched = Watched::start(&folder.path().join("data"), SMALL_LOG);
    watched.send(5, 200);
    watched.pipeline.wait_until_settled();
    watched.scrape_anew();
    for alarm in [&verdict, &full_soon, &refused] {
        watched.is_quiet(alarm);
    }
    assert!(!has(
        &warning.holds_for(&watched.scrapes),
        "verdict",
        "log_filling"
    ));
    take_the_store_away(&watched.data);
    watched.until_it_holds(&full_soon, |watched| {
        assert_eq!(watched.send(1, 2_000), 200);
    });
    let mut found = watched.until_it_holds(&verdict, |_| ());
    while !has(&found, "verdict", "store_gone") {
        found = watched.until_it_holds(&verdict, |_| ());
    }
    watched.is_quiet(&refused);
    let mut found = Vec::new();
    while !has(&found, "verdict", "log_filling") {
        found = watched.until_it_holds(&warning, |watched| {
            assert_ne!(
                watched.send(1, 4_000),
                507,
                "it is full before anybody was warned"
            );
        });
    }
    watched.is_quiet(&refused);
    while watched.send(1, 4_000) == 200 {}
    watched.until_it_holds(&refused, |watched| {
        assert_eq!(watched.send(20, 4_000), 507);
    });
    watched.until_it_holds(&full_soon, |_| ());
    bring_the_store_back(&watched.data);
    watched.until_it_is_over(&verdict);
}

#[test]
fn the_alarm_of_rejected_pings_fires_when_clients_are_answered_4xx_and_not_by_one_that_is_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let alarm = Alarm::named("HighwaterPingsRejected");
    let mut watched = Watched::start(&folder.path().join("data"), &[]);
    watched.send(50, 0);
    for _ in 0..30 {
        let mut stream = TcpStream::connect(&watched.pipeline.edge).expect("a connection");
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\nx",
            SmallPing::numbered(900).uri()
        );
        stream.write_all(head.as_bytes()).expect("sent");
    }
    for _ in 0..10 {
        watched.scrape();
    }
    watched.is_quiet(&alarm);
    watched.until_it_holds(&alarm, |watched| {
        let mut edge = watched.pipeline.edge_client();
        for _ in 0..40 {
            let answer = edge.post("/submit", &[], b"{}").expect("an answer");
            assert_eq!(answer.status, 404);
        }
    });
}

#[test]
fn the_alarm_of_an_old_newest_number_fires_when_pings_come_and_the_store_is_gone_and_not_in_a_quiet_night() {
    let folder = tempfile::tempdir().expect("a folder");
    let alarm = Alarm::named("HighwaterNewestNumberOld");
    let data = folder.path().join("data");
    let faults = Faults::none(folder.path()).expect("a C compiler, which the build of SQLite needs, too");
    let mut command = Command::new(highwater());
    faults.put_under(&mut command);
    let pipeline = Pipeline::start_by(command, &data, &[]).expect("it comes up");
    pipeline.wait_until_settled();
    let mut watched = Watched::of(pipeline, &data);
    watched.send(5, 200);
    watched.pipeline.wait_until_settled();
    for _ in 0..10 {
        watched.scrape();
    }
    watched.is_quiet(&alarm);
    // Nobody sends anything for a while.
    faults.set_clock(400);
    watched.ahead = 400.0;
    for _ in 0..10 {
        watched.scrape();
    }
    watched.is_quiet(&alarm);
    take_the_store_away(&watched.data);
    watched.until_it_holds(&alarm, |watched| {
        assert_eq!(watched.send(1, 200), 200);
    });
    bring_the_store_back(&watched.data);
    watched.until_it_is_over(&alarm);
}

#[test]
fn the_alarm_of_a_disk_that_is_full_soon_fires_while_it_fills_and_not_while_it_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let alarm = Alarm::named("HighwaterDiskFullSoon");
    let mounted = folder.path().join("disk");
    let Some(_disk) = SmallDisk::mount(&mounted, 48) else {
        println!(
            "left out: this test mounts a small file system, which is not allowed here (run it as root)"
        );
        return;
    };
    let mut watched = Watched::start(&mounted.join("data"), SMALL_LOG);
    watched.send(5, 200);
    watched.pipeline.wait_until_settled();
    // What is made at a start is made.
    for _ in 0..10 {
        watched.scrape();
    }
    watched.scrape_anew();
    watched.is_quiet(&alarm);
    let mut other = fs::File::create(mounted.join("of-another-program")).expect("a file");
    let mut written = 0;
    watched.until_it_holds(&alarm, |_| {
        other.write_all(&[0x55; 100_000]).expect("there is room");
        written += 1;
    });
    assert!(written < 100, "only after {written} times");
}

#[test]
fn the_alarm_of_unequal_plans_fires_when_another_object_bears_a_chunks_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let alarm = Alarm::named("HighwaterPlansUnequal");
    let mut watched = Watched::start(&folder.path().join("data"), &[]);
    watched.send(1, 0);
    watched.pipeline.wait_until_settled();
    watched.scrape();
    watched.is_quiet(&alarm);
    let first = chunk_below(&watched.data.join("store")).expect("a chunk");
    let name = first.file_name().and_then(|name| name.to_str()).expect("a name");
    let (log, number) = name
        .strip_suffix(".zst")
        .and_then(|name| name.rsplit_once('-'))
        .expect("INCARNATION-BOOT-NUMBER.zst");
    let number: u64 = number.parse().expect("a number");
    for next in number + 1..number + 4 {
        fs::write(first.with_file_name(format!("{log}-{next}.zst")), "another").expect("written");
    }
    let found = watched.until_it_holds(&alarm, |watched| {
        assert_eq!(watched.send(1, 0), 200);
    });
    assert!(has(&found, "instance", "tested"), "{found:?}");
}

/// A chunk somewhere below this folder.
fn chunk_below(folder: &Path) -> Option<PathBuf> {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let found = match path.is_dir() {
            true => chunk_below(&path),
            false => Some(path).filter(|path| path.extension().is_some_and(|extension| extension == "zst")),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

#[test]
fn the_alarm_of_capped_connections_fires_when_silent_ones_are_closed_for_new_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let alarm = Alarm::named("HighwaterConnectionsCapped");
    let mut watched = Watched::start(&folder.path().join("data"), &["--edge-connections", "20"]);
    let mut silent: Vec<TcpStream> = Vec::new();
    let mut connect = |edge: &str| silent.push(TcpStream::connect(edge).expect("a connection"));
    for _ in 0..10 {
        connect(&watched.pipeline.edge);
        watched.scrape();
    }
    watched.is_quiet(&alarm);
    watched.until_it_holds(&alarm, |watched| {
        for _ in 0..3 {
            connect(&watched.pipeline.edge);
        }
    });
    assert_eq!(watched.send(1, 0), 200);
}
