//! The program's rows held against a slow aggregation in another language (`tests/oracle`), over random pings of all three
//! readers, on both back ends, in several orders and groupings of chunks.
//!
//! `HIGHWATER_ORACLE_ROUNDS=n` has more rounds, `HIGHWATER_ORACLE_PINGS=n` more pings of each reader in a round, and
//! `HIGHWATER_ORACLE_SEED=s` draws the first round again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use loopback_s3::{ACCESS_KEY_ID, LoopbackS3, SECRET_ACCESS_KEY};
use postgres_for_tests::Postgres;
use serde_json::Value;
use tests::{Finished, Member, Wish, free_address, highwater, pause};
use tokio::runtime::Runtime;

/// Pings of each reader in a round, besides repeats.
const PINGS: u64 = 80;
const BUCKET: &str = "chunks";

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is {text:?}, not a number")),
    )
}

/// One seed's pings, drawn and judged by the script.
struct Round {
    python: String,
    script: PathBuf,
    seed: u64,
    pings: u64,
    folder: PathBuf,
}

impl Round {
    /// Runs the script; what it prints.
    fn script(&self, arguments: &[&str]) -> Result<String, String> {
        let (seed, pings) = (self.seed.to_string(), self.pings.to_string());
        let output = Command::new(&self.python)
            .arg(&self.script)
            .args([arguments[0], &seed, &pings])
            .args(&arguments[1..])
            .output()
            .expect("Python runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(format!("{}{}", text(&output.stdout), text(&output.stderr)))
        }
    }

    fn in_folder(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The same pings in so many files, in an order that hangs on their number.
    fn draw(&self, files: usize) -> Vec<String> {
        let folder = self.in_folder(&format!("in-{files}-files"));
        fs::create_dir(&folder).expect("made");
        self.script(&["draw", &files.to_string(), &folder.display().to_string()])
            .expect("pings are drawn");
        let paths = (0..files).map(|file| folder.join(format!("{file}.ndjson")));
        paths.map(|path| path.display().to_string()).collect()
    }

    /// Holds a dump and a status against the script's own rows and counters; an error says what differs.
    fn judge(&self, name: &str, dump: &str, status: &Value) -> Result<String, String> {
        let (rows, counters) = (
            self.in_folder(&format!("{name}.rows")),
            self.in_folder(&format!("{name}.status")),
        );
        fs::write(&rows, dump).expect("written");
        fs::write(&counters, status.to_string()).expect("written");
        let paths = [rows, counters].map(|path| path.display().to_string());
        self.script(&["judge", name, &paths[0], &paths[1]])
    }
}

/// A command of the program by this declaration, with what S3 asks for.
fn command(declaration: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(highwater());
    command
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
        .args(arguments)
        .args(["--products", declaration]);
    command
}

fn run(declaration: &str, arguments: &[&str]) -> Finished {
    let output = command(declaration, arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Finished {
        success: output.status.success(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

fn well(declaration: &str, arguments: &[&str]) -> String {
    let finished = run(declaration, arguments);
    assert!(finished.success, "{arguments:?}: {}", finished.stderr);
    finished.stdout
}

fn status(declaration: &str, places: &[&str]) -> Value {
    let said = well(declaration, &[&["status", "--json"], places].concat());
    serde_json::from_str(&said).expect("the status as JSON")
}

/// Imports files into a data directory, all by one command or each by its own, and judges what was folded.
fn by_sqlite(
    round: &Round,
    declaration: &str,
    name: &str,
    groups: &[&[String]],
    more: &[&str],
) -> Result<String, String> {
    let data = round.in_folder(name).display().to_string();
    let places = [&["--data-dir", &data], more].concat();
    for files in groups {
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        well(declaration, &[&["import"], &places[..], &files].concat());
    }
    let dump = well(declaration, &["dump", "--all", "--data-dir", &data]);
    round.judge(name, &dump, &status(declaration, &places))
}

/// Indexes what lies in S3, has two aggregators fold it, and judges.
fn by_postgres(round: &Round, declaration: &str, store: &[&str], database: &str) -> Result<String, String> {
    let databases = ["--index", database, "--aggregates", database];
    let shared = [store, &databases[..]].concat();
    well(
        declaration,
        &[&["reconcile"], store, &["--index", database]].concat(),
    );
    let aggregators: Vec<Member> = ["east", "west"]
        .iter()
        .map(|name| {
            let address = free_address();
            let arguments = [
                &["aggregate", "--lease-time", "2s", "--listen", &address][..],
                &shared,
            ]
            .concat();
            let wish = Wish {
                command: command(declaration, &arguments),
                address: Some(address.clone()),
                log: round.in_folder(name).with_extension("log"),
            };
            Member::start(wish).unwrap_or_else(|end| panic!("{name}: {end}"))
        })
        .collect();
    let told = loop {
        let told = status(declaration, &databases);
        if told["settled"] == true {
            break told;
        }
        pause(std::time::Duration::from_millis(200));
    };
    drop(aggregators);
    let dump = well(declaration, &["dump", "--all", "--aggregates", database]);
    round.judge("postgres", &dump, &told)
}

#[test]
fn rows_of_random_pings_are_those_of_a_slow_aggregation_in_another_language() {
    let Ok(python) = std::env::var("HIGHWATER_PYTHON") else {
        return println!("left out: HIGHWATER_PYTHON names no Python with what tests/requirements.txt lists");
    };
    let Some(postgres) = Postgres::shared() else {
        return println!("left out: there is no PostgreSQL");
    };
    let runtime = Runtime::new().expect("a runtime");
    let s3 = runtime.block_on(LoopbackS3::start(&[BUCKET])).expect("loopback");
    let endpoint = s3.endpoint_url();
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle");
    let declaration = scripts.join("press.yaml").display().to_string();
    let first = number("HIGHWATER_ORACLE_SEED").unwrap_or_else(rand::random);
    let mut wrong: Vec<String> = Vec::new();
    for seed in (0..number("HIGHWATER_ORACLE_ROUNDS").unwrap_or(1)).map(|round| first.wrapping_add(round)) {
        println!("HIGHWATER_ORACLE_SEED={seed}");
        let folder = tempfile::tempdir().expect("a folder");
        let round = Round {
            python: python.clone(),
            script: scripts.join("oracle.py"),
            seed,
            pings: number("HIGHWATER_ORACLE_PINGS").unwrap_or(PINGS),
            folder: folder.path().to_owned(),
        };
        let (whole, parts) = (round.draw(1), round.draw(4));
        let url = format!("s3://{BUCKET}/{seed}");
        let store = [
            "--store",
            &url,
            "--endpoint-url",
            &endpoint,
            "--region",
            "us-east-1",
        ];
        let each: Vec<&[String]> = parts.chunks(1).collect();
        let database = postgres.tcp_url(&postgres.database());
        let judged = [
            by_sqlite(&round, &declaration, "sqlite-at-once", &[&whole], &[]),
            by_sqlite(&round, &declaration, "sqlite-by-parts", &each, &store),
            by_postgres(&round, &declaration, &store, &database),
        ];
        for said in judged.iter().flatten() {
            println!("{}", said.trim());
        }
        wrong.extend(judged.into_iter().filter_map(Result::err));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
