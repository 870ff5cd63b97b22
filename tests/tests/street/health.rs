//! The pipeline's health as a person on call meets it: while all is well, with the store gone, and with the log full.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::Value;
use tests::{Pipeline, SmallPing, highwater};

use crate::ask::{command, well};
use crate::trouble::{bring_the_store_back, post_numbered, take_the_store_away};

/// Room for a few hundred small pings, so that it is soon full.
const LOG_BUDGET: &str = "1MiB";

struct Night {
    pipeline: Pipeline,
    data: std::path::PathBuf,
    sent: u64,
}

impl Night {
    fn health(&self) -> Value {
        let answer = self
            .pipeline
            .api_client()
            .get("/api/v1/health")
            .expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    fn verdict(health: &Value, name: &str) -> Option<Value> {
        let verdicts = health["verdicts"].as_array().expect("verdicts");
        verdicts.iter().find(|verdict| verdict["name"] == name).cloned()
    }

    fn wait_for(&self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..1_200 {
            let health = self.health();
            if condition(&health) {
                return health;
            }
            pause();
        }
        panic!("waited in vain for {what}: {:#}", self.health());
    }

    /// The status of a heartbeat: of the edge, of the API.
    fn heartbeats(&self) -> (u16, u16) {
        let ask = |mut client: tests::Client| client.get("/__heartbeat__").expect("an answer").status;
        (ask(self.pipeline.edge_client()), ask(self.pipeline.api_client()))
    }

    /// Posts further pings; answers the status of the last one.
    fn send(&mut self, pings: u64, filling: usize) -> u16 {
        post_numbered(&self.pipeline, &mut self.sent, pings, filling)
    }

    /// Photographs the page, where a browser is installed.
    #[expect(clippy::print_stdout, reason = "a test says what it leaves out")]
    fn photograph(&self, state: &str, section: &str, words: &[&str]) {
        if Command::new("chromedriver").arg("--version").output().is_err() {
            println!("left out: photographs, for chromedriver is not installed (`make test` installs it)");
            return;
        }
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let finished = Command::new("python3")
            .arg(tests.join("page/health_test.py"))
            .args([
                "--url",
                &format!("http://{}", self.pipeline.api),
                "--state",
                state,
                "--section",
                section,
            ])
            .arg("--out")
            .arg(tests.parent().expect("the project").join("target/photographs"))
            .args(words)
            .output()
            .expect("python3 runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            finished.status.success(),
            "{}\n{}",
            text(&finished.stdout),
            text(&finished.stderr)
        );
    }
}

#[test]
fn a_store_that_goes_and_a_log_that_fills_are_told_everywhere_and_end_by_themselves() {
    let folder = folder_with_room();
    let data = folder.path().join("data");
    let arguments = ["--log-budget", LOG_BUDGET, "--log-format", "json"];
    let pipeline = Pipeline::start(&data, &arguments);
    let mut night = Night {
        pipeline,
        data,
        sent: 0,
    };
    all_is_well(&mut night);
    the_store_is_gone(&mut night);
    the_log_is_full(&mut night);
    all_is_well_again(&mut night);
    let log = fs::read_to_string(night.data.with_extension("log")).expect("a log");
    night.pipeline.terminate();
    the_log_tells_it_in_lines_that_parse(&log);
}

#[test]
fn the_disk_is_as_full_as_df_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let pipeline = Pipeline::start(&data, &[]);
    let health = pipeline
        .api_client()
        .get("/api/v1/health")
        .expect("an answer")
        .json();
    let (used, free) = df(&data);
    // Others write meanwhile, and some file systems give and take what they keep for themselves.
    for (name, by_df) in [("free_bytes", free), ("size_bytes", used + free)] {
        let told = health["disk"][name].as_u64().expect("bytes");
        assert!(
            told.abs_diff(by_df) < 2 << 30,
            "{name}: {by_df} by df, {told} told"
        );
    }
    pipeline.terminate();
}

/// What an answer holds is measured before anybody is answered: no field waits for a first look.
#[test]
fn the_first_answers_of_a_process_hold_what_was_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::spawn(&mut Command::new(highwater()), &folder.path().join("serve"), &[]);
    let health: Value = first(&pipeline.api, "/api/v1/health").json();
    assert!(health["disk"]["size_bytes"].as_u64() > Some(0), "{health:#}");
    assert_eq!(health["verdicts"].as_array().map(Vec::len), Some(1), "{health:#}");
    assert_eq!(health["log"]["writable"], true, "{health:#}");
    pipeline.terminate();
    let address = tests::free_address();
    let log = fs::File::create(folder.path().join("edge.log")).expect("a log");
    let mut edge = Command::new(highwater())
        .args(["edge", "--edge-metrics", "--edge-listen", &address, "--data-dir"])
        .arg(folder.path().join("edge"))
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("it starts");
    let metrics = first(&address, "/metrics");
    edge.kill().expect("it runs");
    edge.wait().expect("it ends");
    for line in [
        "highwater_pipeline_verdict_severity{verdict=\"well\"} 0",
        "highwater_pipeline_log_budget_bytes ",
    ] {
        assert!(metrics.text().contains(line), "{line}\n{}", metrics.text());
    }
}

/// The first answer that there is.
fn first(address: &str, path: &str) -> tests::Response {
    for _ in 0..1_200 {
        if let Ok(answer) = tests::Client::new(address).get(path) {
            return answer;
        }
        pause();
    }
    panic!("{address} does not answer");
}

/// A folder on a file system of which an eighth is free: the temporary one, or else memory.
fn folder_with_room() -> tempfile::TempDir {
    let found = [env::temp_dir(), "/dev/shm".into()].into_iter().find(|folder| {
        let (used, free) = if folder.is_dir() { df(folder) } else { (1, 0) };
        free > used / 7
    });
    let folder = found.expect("a disk of which an eighth is free: make room in the temporary folder");
    tempfile::tempdir_in(folder).expect("a folder")
}

/// Bytes that are used and those that are free, by `df`.
fn df(folder: &Path) -> (u64, u64) {
    let said = Command::new("df")
        .args(["--block-size=1", "--output=used,avail"])
        .arg(folder)
        .output()
        .expect("df runs");
    let said = String::from_utf8(said.stdout).expect("text");
    let mut numbers = said
        .split_whitespace()
        .skip(2)
        .map(|word| word.parse().expect("a number"));
    (numbers.next().expect("used"), numbers.next().expect("free"))
}

fn all_is_well(night: &mut Night) {
    assert_eq!(night.send(40, 200), 200);
    let mut edge = night.pipeline.edge_client();
    for (number, bytes, encoding) in [
        (900_001, "no gzip", "gzip"),
        (900_002, "{\"no\": json", "identity"),
    ] {
        let uri = SmallPing::numbered(number).uri();
        let answer = edge
            .post(&uri, &[("content-encoding", encoding)], bytes.as_bytes())
            .expect("an answer");
        assert_eq!(answer.status, 200);
    }
    let health = night.wait_for("everything to be counted", |health| {
        health["settled"] == true
            && health["accepted"] == 42
            && health["errored_samples"]
                .as_array()
                .is_some_and(|all| all.len() == 2)
    });
    assert_eq!(health["severity"], "well", "{health:#}");
    assert!(Night::verdict(&health, "well").is_some(), "{health:#}");
    let samples = health["errored_samples"].as_array().expect("samples");
    for sample in samples {
        let chunk = sample["chunk"].as_str().expect("a key");
        assert!(night.data.join("store").join(chunk).is_file(), "{sample}");
    }
    assert_eq!(night.heartbeats(), (200, 200));
    let said = well(command(&night.data, "status", &[]));
    assert!(
        said.starts_with("WELL     All is well. 42 pings accepted"),
        "{said}"
    );
    night.photograph("well", "", &["Well", "All is well. 42 pings accepted"]);
}

fn the_store_is_gone(night: &mut Night) {
    take_the_store_away(&night.data);
    assert_eq!(night.send(10, 200), 200);
    let health = night.wait_for("the verdict on the store", |health| {
        Night::verdict(health, "store_gone").is_some_and(|verdict| verdict["severity"] == "alarm")
    });
    let verdict = Night::verdict(&health, "store_gone").expect("there");
    let what = verdict["what"].as_str().expect("words");
    assert!(
        what.contains("The store is gone: put: ")
            && what.contains("/store")
            && what.contains("wait in the log"),
        "{what}"
    );
    assert!(
        verdict["since"].is_string() && verdict["seconds"].as_u64() >= Some(5),
        "{verdict}"
    );
    assert_eq!(
        night.heartbeats(),
        (200, 200),
        "while the log has room the node stays in"
    );
    let said = well(command(&night.data, "status", &[]));
    assert!(said.starts_with("ALARM    The store is gone: put: "), "{said}");
    assert!(said.contains("See docs/operations.md#store-gone"), "{said}");
    the_watch_prints_lines(night);
    night.photograph(
        "store-gone",
        "store-gone",
        &[
            "Alarm",
            "The store is gone: put: ",
            "Bring the store back",
            "Since 2",
        ],
    );
}

fn the_watch_prints_lines(night: &Night) {
    let mut child = Command::new(highwater())
        .args(["status", "--watch", "--data-dir"])
        .arg(&night.data)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let lines: Vec<String> = lines.take(2).collect::<Result<_, _>>().expect("lines");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(
        lines
            .iter()
            .all(|line| line.contains(" alarm accepted=52 ") && line.contains("The store is gone")),
        "{lines:?}"
    );
}

fn the_log_is_full(night: &mut Night) {
    for _ in 0..200 {
        if night.send(1, 20_000) == 507 {
            break;
        }
    }
    assert_eq!(night.send(1, 40_000), 507);
    let health = night.wait_for("the verdict on the log", |health| {
        Night::verdict(health, "log_full").is_some()
    });
    let verdict = Night::verdict(&health, "log_full").expect("there");
    assert!(
        verdict["what"]
            .as_str()
            .is_some_and(|what| what.contains("used up") && what.contains("of 1.0 MiB")),
        "{verdict}"
    );
    assert_eq!(
        night.heartbeats(),
        (507, 200),
        "another node may have room; questions are answered"
    );
    let metrics = night.pipeline.api_client().get("/metrics").expect("an answer");
    for line in [
        "highwater_pipeline_verdict_severity{verdict=\"log_full\"} 3",
        "highwater_pipeline_verdict_severity{verdict=\"well\"} 0",
        "highwater_pipeline_log_budget_bytes 1048576",
    ] {
        assert!(metrics.text().contains(line), "{line}\n{}", metrics.text());
    }
    every_metric_is_in_the_paper(metrics.text());
    night.photograph(
        "disk-nearly-full",
        "log-full",
        &["The disk room for pings is used up", "507", "raise --log-budget"],
    );
}

/// What the program says of itself, against `docs/metrics.md`: each has its HELP and its TYPE, and the type is the paper's.
fn every_metric_is_in_the_paper(metrics: &str) {
    let paper = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the project")
        .join("docs/metrics.md");
    let paper = fs::read_to_string(paper).expect("the paper");
    let mut kinds = 0;
    for line in metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').expect("a name and a type");
        assert!(
            paper.contains(&format!("| `{name}` | {kind} |")),
            "docs/metrics.md lacks {name}, a {kind}"
        );
        assert!(metrics.contains(&format!("# HELP {name} ")), "{name} has no HELP");
        kinds += 1;
    }
    assert!(kinds > 40, "only {kinds} metrics");
    for line in metrics
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(name);
        let typed = |name: &str| metrics.contains(&format!("# TYPE {name} "));
        assert!(typed(name) || typed(base), "{name} has no TYPE");
    }
}

fn all_is_well_again(night: &mut Night) {
    bring_the_store_back(&night.data);
    let health = night.wait_for("everything to be well again", |health| {
        health["severity"] == "well" && health["settled"] == true
    });
    assert_eq!(health["log"]["has_room"], true, "{health:#}");
    assert_eq!(night.heartbeats(), (200, 200));
    assert_eq!(night.send(1, 200), 200);
}

fn the_log_tells_it_in_lines_that_parse(log: &str) {
    let mut told = String::new();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for field in ["timestamp", "level", "target"] {
            assert!(line[field].is_string(), "{field}: {line}");
        }
        let message = line["fields"]["message"]
            .as_str()
            .unwrap_or_else(|| panic!("no message: {line}"));
        told.push_str(&format!(
            "{} {message}\n",
            line["level"].as_str().unwrap_or_default()
        ));
    }
    for sentence in [
        "ERROR The store is gone: put: ",
        "ERROR The disk room for pings is used up",
        "INFO over after ",
    ] {
        assert!(told.contains(sentence), "{sentence}\n{told}");
    }
    for identifier in ["c0000000-0000-4000-8000", "127.0.0.1:1"] {
        assert!(!told.contains(identifier), "{identifier}\n{told}");
    }
}

#[test]
fn a_watch_without_a_process_says_how_to_start_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    Pipeline::start(&data, &[]).terminate();
    let watched = command(&data, "status", &["--watch"]);
    assert!(
        !watched.success && watched.stderr.contains("start `highwater serve"),
        "{watched:?}"
    );
    let asked = well(command(&data, "status", &[]));
    assert!(asked.starts_with("NOTICE   No process runs on"), "{asked}");
    assert!(asked.contains("accepted                       0"), "{asked}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test of real processes waits in real time"
)]
fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(100));
}
