//! A world on AWS's services: the deployed stack, a PostgreSQL, and the processes of the program that share them.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use postgres_for_tests::Postgres;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::{Deployment, LocalStack, REGION};
use crate::program::{log_of, now, thread_sleep};
use crate::{Client, Pipeline, free_address};

/// How long a process may take to come up or to end.
const PATIENCE: Duration = Duration::from_secs(120);

/// A deployed stack and the database of its index.
#[derive(Debug)]
pub struct World {
    /// The stack.
    pub deployment: Deployment,
    /// The server of the index.
    pub postgres: Postgres,
    program: PathBuf,
    index: String,
    database: String,
    localstack: Arc<LocalStack>,
    folder: tempfile::TempDir,
}

impl World {
    /// Deploys the template with these parameters, for processes of this program, which must have the feature `aws`. `None`,
    /// and a line about it, where something is not installed.
    ///
    /// # Panics
    /// When it cannot be deployed.
    pub fn deploy(program: &str, stack: &str, parameters: &[(&str, &str)]) -> Option<Self> {
        let localstack = LocalStack::shared()?;
        let postgres = Postgres::start(&[])?;
        let database = postgres.database();
        let index = postgres.tcp_url(&database);
        Some(Self {
            deployment: Deployment::up(&localstack, stack, &index, parameters),
            program: program.into(),
            folder: tempfile::tempdir().expect("a folder"),
            index,
            database,
            postgres,
            localstack,
        })
    }

    /// Starts an edge of this name, which seals each second.
    ///
    /// # Panics
    /// When it does not come up; its log is printed.
    pub fn edge(&self, name: &str) -> EdgeProcess {
        let data = self.folder.path().join(name);
        let address = free_address();
        let log = std::fs::File::create(data.with_extension("log")).expect("a log file");
        let child = self
            .command()
            .args(["edge", "--seal-age", "1s", "--edge-listen", &address])
            .args(self.shared())
            .arg("--data-dir")
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let mut edge = EdgeProcess { child, address };
        let start = now();
        while !edge.answers() {
            let ended = edge.child.try_wait().expect("a child");
            assert!(
                ended.is_none() && start.elapsed() < PATIENCE,
                "the edge does not come up ({ended:?}):\n{}",
                log_of(&data)
            );
            thread_sleep(Duration::from_millis(50));
        }
        edge
    }

    /// Starts the process that folds what the Lambda indexes, and answers questions.
    ///
    /// # Errors
    /// How it ended where it ended at its start, and what it said.
    pub fn serve(&self, name: &str) -> Result<Pipeline, String> {
        let shared = self.shared();
        let mut arguments: Vec<&str> = shared.iter().map(String::as_str).collect();
        arguments.extend(["--index", &self.index]);
        Pipeline::start_by(self.command(), &self.folder.path().join(name), &arguments)
    }

    /// Runs a command of the program that asks about, or works on, the shared store and index.
    ///
    /// # Panics
    /// When it cannot be started, or does not end well.
    pub fn run(&self, arguments: &[&str]) -> (String, String) {
        let output = self
            .command()
            .args(arguments)
            .args(self.shared())
            .args(["--index", &self.index])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {stderr}");
        (stdout, stderr)
    }

    /// The names of all objects in the bucket of chunks.
    ///
    /// # Panics
    /// When they cannot be listed, or are more than a page.
    pub fn objects(&self) -> Vec<String> {
        let arguments = json!({"Bucket": self.deployment.output("ChunkBucket")});
        let page = self.localstack.call("s3", "list_objects_v2", &arguments);
        assert_eq!(page["IsTruncated"], false, "there are more than a page of them");
        let objects = page["Contents"].as_array().map(Vec::as_slice).unwrap_or_default();
        let names = objects.iter().filter_map(|object| object["Key"].as_str());
        names.map(str::to_owned).collect()
    }

    /// What statements print that are asked of the index by `psql`.
    ///
    /// # Panics
    /// When they fail.
    pub fn sql(&self, statements: &str) -> String {
        self.postgres.sql(&self.database, statements)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test");
        command
    }

    fn shared(&self) -> Vec<String> {
        let store = self.deployment.output("Store");
        let url = self.localstack.url();
        ["--store", store, "--endpoint-url", &url, "--region", REGION]
            .map(str::to_owned)
            .to_vec()
    }
}

/// A running `highwater edge`, ended with its test.
#[derive(Debug)]
pub struct EdgeProcess {
    child: Child,
    address: String,
}

impl EdgeProcess {
    /// Where pings are posted.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        Client::new(&self.address)
    }

    fn answers(&self) -> bool {
        let answer = self.client().get("/__lbheartbeat__");
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Panics
    /// When it does not end well.
    pub fn terminate(mut self) {
        let id = Pid::from_raw(self.child.id().cast_signed()).expect("a process id");
        kill_process(id, Signal::TERM).expect("it runs");
        let status = self.child.wait().expect("a child");
        assert!(
            status.success(),
            "SIGTERM should end an edge well, not with {status}"
        );
    }
}

impl Drop for EdgeProcess {
    fn drop(&mut self) {
        // Both do nothing to a process that has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
