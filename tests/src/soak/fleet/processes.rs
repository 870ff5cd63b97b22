//! The processes of a fleet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use loopback_s3::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};

use super::{BUCKET, Role};
use crate::{Finished, Member, Wish, free_address};

/// How long the others wait for an aggregator that says nothing.
pub(super) const LEASE_TIME: &str = "2s";

/// All of them, and how a command is run beside them.
pub(super) struct Processes {
    program: PathBuf,
    /// The store.
    store: Vec<String>,
    /// Store, index and aggregates.
    shared: Vec<String>,
    members: BTreeMap<Role, Member>,
}

impl Processes {
    /// Starts them all.
    pub(super) fn start(program: &Path, folder: &Path, endpoint: &str, database: &str) -> Self {
        let store = format!("s3://{BUCKET}/below");
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let places = [
            "--store",
            &store,
            "--endpoint-url",
            endpoint,
            "--region",
            "us-east-1",
        ];
        let databases = ["--index", database, "--aggregates", database];
        let shared = words(&[&places[..], &databases[..]].concat());
        let mut processes = Self {
            program: program.to_owned(),
            store: words(&places),
            shared,
            members: BTreeMap::new(),
        };
        for role in Role::ALL {
            let name = format!("{role:?}").to_lowercase();
            let data = folder.join(&name).display().to_string();
            let address = free_address();
            let mut command = processes.command();
            match role {
                Role::North | Role::South => {
                    command.args(["edge", "--seal-age", "500ms", "--seal-at-shutdown"]);
                    command
                        .args(["--data-dir", &data, "--edge-metrics", "--edge-listen", &address])
                        .args(places);
                }
                Role::Indexer => {
                    command
                        .args(["index", "run", "--every", "500ms"])
                        .args(&processes.shared);
                }
                Role::East | Role::West => {
                    command.args(["aggregate", "--lease-time", LEASE_TIME, "--listen", &address]);
                    command.args(&processes.shared);
                }
                Role::Query => {
                    command.args(["query", "--api-listen", &address]).args(databases);
                }
            }
            let wish = Wish {
                command,
                address: (role != Role::Indexer).then_some(address),
                log: folder.join(name).with_extension("log"),
            };
            let member = Member::start(wish).unwrap_or_else(|end| panic!("{role:?}: {end}"));
            processes.members.insert(role, member);
        }
        processes
    }

    /// One of them.
    pub(super) fn of(&mut self, role: Role) -> &mut Member {
        self.members.get_mut(&role).expect("all were started")
    }

    /// Starts one again.
    pub(super) fn start_again(&mut self, role: Role) {
        let started = self.of(role).start_again();
        started.unwrap_or_else(|end| panic!("{role:?}: {end}"));
    }

    /// Runs a command over the shared store, index and aggregates.
    pub(super) fn run(&self, arguments: &[&str]) -> Finished {
        self.run_over(&self.shared, arguments)
    }

    /// Runs a command over the shared store, with an index and aggregates of its own.
    pub(super) fn run_over_store(&self, arguments: &[&str]) -> Finished {
        self.run_over(&self.store, arguments)
    }

    fn run_over(&self, places: &[String], arguments: &[&str]) -> Finished {
        let output = self
            .command()
            .args(arguments)
            .args(places)
            .stdin(Stdio::null())
            .output()
            .expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Finished {
            success: output.status.success(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY);
        command
    }
}
