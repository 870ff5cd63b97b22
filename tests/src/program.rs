//! The program as a person would run it: real processes, ended by their id whatever happens.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::{Client, free_address};

/// How long anything may take: on a machine with little to spare, many times what it takes elsewhere.
const PATIENCE: Duration = Duration::from_secs(600);

/// Names the program that tests start: the one that was built with them. Whoever runs tests sets it.
const PROGRAM: &str = "HIGHWATER_PROGRAM";

/// The built program. Where nobody names it, it is built as the tests were, which costs nothing when that was done.
///
/// # Panics
/// When it cannot be built, or is not there.
pub fn highwater() -> &'static Path {
    static PROGRAM_PATH: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM_PATH.get_or_init(|| {
        if let Some(named) = std::env::var_os(PROGRAM) {
            let named = PathBuf::from(named);
            assert!(
                named.is_file(),
                "{PROGRAM} names {}, which is not there",
                named.display()
            );
            return named;
        }
        let test = std::env::current_exe().expect("this test has a path");
        let folder = test.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
        let folder = folder.expect("target/PROFILE/deps/<test>, or target/PROFILE/<program>");
        let profile = match folder.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(profile) => profile,
        };
        let built = Command::new(env!("CARGO"))
            .args([
                "build",
                "--profile",
                profile,
                "--quiet",
                "--offline",
                "-p",
                "highwater",
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            // Who runs tests sets it for their harness alone: a build with it is another one.
            .env_remove("RUSTC_BOOTSTRAP")
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the program does not build");
        folder.join("highwater")
    })
}

/// How a command ended.
#[derive(Debug)]
pub struct Finished {
    /// Whether it said success.
    pub success: bool,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Runs a command of the program to its end.
///
/// # Panics
/// When it cannot be started.
pub fn run<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Finished {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(highwater())
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Finished {
        success: status.success(),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

/// A running `highwater serve`.
#[derive(Debug)]
pub struct Pipeline {
    child: Child,
    /// Where pings are posted.
    pub edge: String,
    /// Where questions are asked.
    pub api: String,
}

impl Pipeline {
    /// Starts it on a data directory, with further arguments, and waits until both listeners answer.
    ///
    /// # Panics
    /// When it does not come up; its log is printed.
    pub fn start(data_dir: &Path, arguments: &[&str]) -> Self {
        match Self::start_by(Command::new(highwater()), data_dir, arguments) {
            Ok(pipeline) => pipeline,
            Err(end) => panic!("highwater ended at its start: {end}"),
        }
    }

    /// The same by a command that runs the program, to which the arguments are added. Where it ends at its start, answers
    /// how, and what it said.
    ///
    /// # Panics
    /// When it neither comes up nor ends.
    pub fn start_by(mut command: Command, data_dir: &Path, arguments: &[&str]) -> Result<Self, String> {
        let mut pipeline = Self::spawn(&mut command, data_dir, arguments);
        for _ in 0..1_200 {
            let answers = |address: &str| {
                Client::new(address)
                    .get("/__lbheartbeat__")
                    .is_ok_and(|r| r.status == 200)
            };
            if answers(&pipeline.edge) && answers(&pipeline.api) {
                return Ok(pipeline);
            }
            if let Ok(Some(status)) = pipeline.child.try_wait() {
                return Err(format!("{status}:\n{}", log_of(data_dir)));
            }
            thread_sleep(Duration::from_millis(50));
        }
        panic!("highwater does not answer:\n{}", log_of(data_dir));
    }

    /// The same without waiting for anything.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn spawn(command: &mut Command, data_dir: &Path, arguments: &[&str]) -> Self {
        let (edge, api) = (free_address(), free_address());
        let log = std::fs::File::create(data_dir.with_extension("log")).expect("a log file");
        let child = command
            .arg("serve")
            .arg("--data-dir")
            .arg(data_dir)
            .args(["--edge-listen", &edge, "--api-listen", &api])
            .args(
                ["--seal-age", "1s"]
                    .iter()
                    .filter(|_| !arguments.contains(&"--seal-age")),
            )
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        Self { child, edge, api }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A client of the edge.
    pub fn edge_client(&self) -> Client {
        Client::new(&self.edge)
    }

    /// A client of the API.
    pub fn api_client(&self) -> Client {
        Client::new(&self.api)
    }

    /// The status.
    ///
    /// # Panics
    /// When it is not answered.
    pub fn status(&self) -> Value {
        let response = self.api_client().get("/api/v1/status").expect("an answer");
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()
    }

    /// Waits until the status satisfies a condition, and answers it.
    ///
    /// # Panics
    /// When that does not come true within ten minutes.
    pub fn wait_for(&self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let start = now();
        loop {
            // While a database cannot be read the status is refused.
            let answer = self.api_client().get("/api/v1/status").expect("an answer");
            let status = answer.json();
            if answer.status == 200 && condition(&status) {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "waited in vain for {what}: {status}");
            thread_sleep(Duration::from_millis(50));
        }
    }

    /// Waits until everything accepted is counted.
    pub fn wait_until_settled(&self) -> Value {
        self.wait_for("everything to be counted", |status| status["settled"] == true)
    }

    /// Kill -9.
    ///
    /// # Panics
    /// When the process is gone already.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Panics
    /// When it does not end within ten minutes, or not well.
    pub fn terminate(mut self) {
        self.signal(Signal::TERM);
        let status = self.wait();
        assert!(
            status.success(),
            "SIGTERM should end the program well, not with {status}"
        );
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) {
        let id = rustix::process::Pid::from_raw(self.child.id().cast_signed()).expect("a process id");
        rustix::process::kill_process(id, signal).expect("it runs");
    }

    /// Waits until it ended, however it did.
    ///
    /// # Panics
    /// When it does not end within ten minutes.
    pub fn wait(&mut self) -> ExitStatus {
        let start = now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "the program does not end");
            thread_sleep(Duration::from_millis(20));
        }
    }

    /// Resident memory now, in bytes, as the kernel counts it.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn resident_bytes(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most resident memory that there was, in bytes, as the kernel counts it.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn peak_bytes(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, what: &str) -> u64 {
        let mut status = String::new();
        let path = format!("/proc/{}/status", self.child.id());
        std::fs::File::open(path)
            .and_then(|mut file| file.read_to_string(&mut status))
            .expect("it runs");
        let line = status
            .lines()
            .find(|line| line.starts_with(what))
            .expect("a line of resident memory");
        line.split_whitespace()
            .nth(1)
            .and_then(|kib| kib.parse::<u64>().ok())
            .expect("a number")
            * 1024
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        // Both fail only when it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process on this data directory has logged.
pub(crate) fn log_of(data_dir: &Path) -> String {
    std::fs::read_to_string(data_dir.with_extension("log")).unwrap_or_default()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test of real processes waits in real time"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test of real processes waits in real time"
)]
/// Waits in real time.
pub fn thread_sleep(duration: Duration) {
    thread::sleep(duration);
}
