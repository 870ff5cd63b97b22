//! A world on AWS's services: the deployed stack, a PostgreSQL, and the processes of the program that share them.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use postgres_for_tests::Postgres;
use rustix::process::Pid;
use serde_json::{Value, json};

use super::{Deployment, LocalStack, REGION};
use crate::{Member, Pipeline, Wish, free_address};

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

    /// Where LocalStack answers.
    pub fn localstack_url(&self) -> String {
        self.localstack.url()
    }

    /// Starts an edge of this name, which seals each second.
    ///
    /// # Panics
    /// When it does not come up; its log is printed.
    pub fn edge(&self, name: &str) -> Member {
        let arguments = ["edge", "--seal-age", "1s", "--edge-metrics", "--edge-listen"];
        self.start(name, &arguments, &["--data-dir", &self.folder_of(name)])
    }

    /// Starts an aggregator, one of any number, whose share is taken by the others two seconds after its last word.
    ///
    /// # Panics
    /// When it does not come up; its log is printed.
    pub fn aggregate(&self, name: &str) -> Member {
        let databases = ["--index", &self.index, "--aggregates", &self.index];
        self.start(name, &["aggregate", "--lease-time", "2s", "--listen"], &databases)
    }

    /// Starts who answers questions.
    ///
    /// # Panics
    /// When it does not come up; its log is printed.
    pub fn query(&self, name: &str) -> Member {
        let databases = ["--index", &self.index, "--aggregates", &self.index];
        self.start(name, &["query", "--api-listen"], &databases)
    }

    /// Starts the indexer as a process, which takes messages from the queue of this URL.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn indexer(&self, name: &str, queue: &str) -> Member {
        let mut command = self.command();
        command
            .args(["index", "run", "--queue", queue])
            .args(self.shared())
            .args(["--index", &self.index]);
        let log = self.folder.path().join(name).with_extension("log");
        let wish = Wish {
            command,
            address: None,
            log,
        };
        Member::start(wish).unwrap_or_else(|end| panic!("{name}: {end}"))
    }

    /// Creates a queue of the test's own; its URL.
    ///
    /// # Panics
    /// When it is refused.
    pub fn create_queue(&self, name: &str) -> String {
        let created = self
            .localstack
            .call("sqs", "create_queue", &json!({"QueueName": name}));
        created["QueueUrl"].as_str().expect("a URL").to_owned()
    }

    /// Empties the queue of this URL.
    ///
    /// # Panics
    /// When it is refused.
    pub fn purge_queue(&self, queue: &str) {
        self.localstack
            .call("sqs", "purge_queue", &json!({"QueueUrl": queue}));
    }

    /// Puts an object of this whole name into the bucket of chunks.
    ///
    /// # Panics
    /// When it is refused.
    pub fn put_object(&self, name: &str, body: &str) {
        let arguments = json!({"Bucket": self.deployment.output("ChunkBucket"), "Key": name, "Body": body});
        self.localstack.call("s3", "put_object", &arguments);
    }

    /// Starts the process that folds what the Lambda indexes into its own data directory, and answers questions.
    ///
    /// # Errors
    /// How it ended where it ended at its start, and what it said.
    pub fn serve(&self, name: &str) -> Result<Pipeline, String> {
        let shared = self.shared();
        let mut arguments: Vec<&str> = shared.iter().map(String::as_str).collect();
        arguments.extend(["--index", &self.index]);
        Pipeline::start_by(self.command(), &self.folder.path().join(name), &arguments)
    }

    /// Starts a process that listens at the address behind `first`.
    fn start(&self, name: &str, first: &[&str], rest: &[&str]) -> Member {
        let address = free_address();
        let mut command = self.command();
        command.args(first).arg(&address).args(self.shared()).args(rest);
        let wish = Wish {
            command,
            address: Some(address),
            log: self.folder.path().join(name).with_extension("log"),
        };
        Member::start(wish).unwrap_or_else(|end| panic!("{name}: {end}"))
    }

    /// Writes a file for a command; its path.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    fn folder_of(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Runs a command of the program that asks about, or works on, the shared store and index.
    ///
    /// # Panics
    /// When it cannot be started, or does not end well.
    pub fn run(&self, arguments: &[&str]) -> (String, String) {
        self.finish(
            self.command()
                .args(arguments)
                .args(self.shared())
                .args(["--index", &self.index]),
        )
    }

    /// The same for a command that may fail; whether it ended well, and what it said.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn try_run(&self, arguments: &[&str]) -> (bool, String, String) {
        let mut command = self.command();
        command.args(arguments).args(self.shared());
        self.output(command.args(["--index", &self.index]))
    }

    fn finish(&self, command: &mut Command) -> (String, String) {
        let (ended_well, stdout, stderr) = self.output(command);
        assert!(ended_well, "{command:?}: {stderr}");
        (stdout, stderr)
    }

    fn output(&self, command: &mut Command) -> (bool, String, String) {
        let output = command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.success(),
            text(&output.stdout),
            text(&output.stderr),
        )
    }

    /// Runs a command on a data directory of this name, which shares the store and nothing else.
    ///
    /// # Panics
    /// When it cannot be started, or does not end well.
    pub fn run_alone(&self, name: &str, arguments: &[&str]) -> (String, String) {
        self.finish(
            self.command()
                .args(arguments)
                .args(self.shared())
                .args(["--data-dir", &self.folder_of(name)]),
        )
    }

    /// The address of index and aggregates.
    pub fn index(&self) -> &str {
        &self.index
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

    /// Tells the queue that these objects (whole names) were created, in one message.
    ///
    /// # Panics
    /// When it is refused.
    pub fn announce(&self, names: &[String]) {
        self.deployment.announce(&self.notification(names));
    }

    /// What S3 says when these objects (whole names) were created.
    pub fn notification(&self, names: &[String]) -> Value {
        let bucket = self.deployment.output("ChunkBucket");
        let record = |name: &String| {
            let key: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
            json!({
                "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": bucket}, "object": {"key": key}}
            })
        };
        let records: Vec<_> = names.iter().map(record).collect();
        json!({ "Records": records })
    }

    /// The processes that LocalStack runs the function in: those that were given the address of the index.
    ///
    /// # Panics
    /// When the list of processes cannot be read.
    pub fn functions(&self) -> Vec<Pid> {
        let given = format!("HIGHWATER_INDEX={}", self.index);
        let processes = std::fs::read_dir("/proc").expect("a list of processes");
        let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
        let is_function = |id: &i32| {
            let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            let name = std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
            name.trim() == "bootstrap"
                && environment
                    .split(|byte| *byte == 0)
                    .any(|variable| variable == given.as_bytes())
        };
        ids.filter(is_function).filter_map(Pid::from_raw).collect()
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
