//! A LocalStack of a test's own, ended with the test's process however that ends (`tests/localstack/stage.py`).

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Tools;
use super::tools::project;
use crate::free_address;
use crate::program::{now, thread_sleep};

/// How long something is waited for that takes seconds.
const PATIENCE: Duration = Duration::from_secs(600);

/// The region in which everything is.
pub const REGION: &str = "eu-west-1";

/// A running LocalStack.
#[derive(Debug)]
pub struct LocalStack {
    /// Where it listens: host and port.
    pub address: String,
    pub(super) tools: Tools,
    stage: Mutex<Stage>,
    folder: TempDir,
}

#[derive(Debug)]
struct Stage {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl LocalStack {
    /// The one that the tests of this process share while one of them has it; `None`, and a line about it, where it or the
    /// Lambda is not installed.
    ///
    /// # Panics
    /// When it does not start; its log is printed.
    pub fn shared() -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<LocalStack>> = Mutex::new(Weak::new());
        // A test that panicked while it started one left none.
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return Some(running);
        }
        let started = Arc::new(Self::start(Tools::find()?));
        *shared = Arc::downgrade(&started);
        Some(started)
    }

    /// One more, that nobody shares; `None`, and a line about it, where it or the Lambda is not installed.
    ///
    /// # Panics
    /// When it does not start; its log is printed.
    pub fn another() -> Option<Self> {
        Some(Self::start(Tools::find()?))
    }

    fn start(tools: Tools) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = free_address();
        let mut child = Command::new(&tools.python)
            .arg(project().join("tests/localstack/stage.py"))
            .arg(folder.path())
            .arg(&address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let output = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut stage = Stage {
            input: child.stdin.take(),
            child,
            output,
        };
        let said = stage.output.next().and_then(Result::ok).unwrap_or_default();
        let localstack = Self {
            address,
            tools,
            stage: Mutex::new(stage),
            folder,
        };
        assert_eq!(said, r#"{"ready": true}"#, "{}", localstack.log());
        localstack
    }

    /// The address as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("localstack.log")).unwrap_or_default()
    }

    /// Asks an AWS service, in boto3's names: `call("sqs", "get_queue_attributes", json!({"QueueUrl": …}))`.
    ///
    /// # Panics
    /// When the service refuses.
    pub fn call(&self, service: &str, operation: &str, arguments: &Value) -> Value {
        self.try_call(service, operation, arguments)
            .unwrap_or_else(|error| panic!("{service} {operation}: {error}\n{}", self.log()))
    }

    /// The same; a refusal is answered.
    ///
    /// # Errors
    /// What the service says.
    pub fn try_call(&self, service: &str, operation: &str, arguments: &Value) -> Result<Value, String> {
        self.ask(&json!({"call": service, "operation": operation, "arguments": arguments}))
    }

    /// Waits until something is so.
    ///
    /// # Panics
    /// When that does not come within minutes; what else was said, and what LocalStack logged, is printed.
    pub fn wait(&self, what: &str, said: impl Fn() -> String, mut is_so: impl FnMut() -> bool) {
        let start = now();
        while !is_so() {
            assert!(
                start.elapsed() < PATIENCE,
                "waited in vain for {what}:\n{}\n{}",
                said(),
                self.log()
            );
            thread_sleep(Duration::from_millis(200));
        }
    }

    /// Has the stage do something.
    pub(super) fn ask(&self, wish: &Value) -> Result<Value, String> {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let input = stage.input.as_mut().expect("open until the end");
        writeln!(input, "{wish}").expect("the stage listens");
        let line = stage.output.next().and_then(Result::ok);
        let line = line.unwrap_or_else(|| panic!("the stage ended:\n{}", self.log()));
        let mut answer: Value = serde_json::from_str(&line).expect("JSON");
        match answer["failed"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["done"].take()),
        }
    }
}

impl Drop for LocalStack {
    fn drop(&mut self) {
        let stage = self.stage.get_mut().unwrap_or_else(PoisonError::into_inner);
        // The end of its input is what it ends by.
        drop(stage.input.take());
        // It was started by this process, so it can be waited for.
        let _ = stage.child.wait();
    }
}
