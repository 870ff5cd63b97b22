//! The program in one of its lives, on the addresses that all lives share.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::Faults;
use crate::program::{now, thread_sleep};
use crate::{Client, highwater};

/// How long a start may take: a large log is read.
const START_MAX: Duration = Duration::from_secs(300);

/// How long an end by SIGTERM may take.
const END_MAX: Duration = Duration::from_secs(120);

/// A life of the program.
pub(super) struct Process {
    child: Child,
    api: String,
}

/// What all lives share.
pub(super) struct Launch<'a> {
    pub(super) data: &'a Path,
    /// All lives write their log lines here.
    pub(super) log: &'a Path,
    pub(super) edge: &'a str,
    pub(super) api: &'a str,
    pub(super) faults: Option<&'a Faults>,
}

impl Process {
    /// Starts it, and waits until both listeners answer. Answers why not, where it ends before.
    pub(super) fn start(place: &Launch<'_>, settings: &[String]) -> Result<Self, String> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(place.log)
            .expect("a log file");
        let mut command = Command::new(highwater());
        if let Some(faults) = place.faults {
            faults.put_under(&mut command);
        }
        let child = command
            .args(["serve", "--edge-listen", place.edge, "--api-listen", place.api])
            .arg("--data-dir")
            .arg(place.data)
            .args(settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let mut process = Self {
            child,
            api: place.api.to_owned(),
        };
        let start = now();
        while start.elapsed() < START_MAX {
            let answers = |address: &str| {
                Client::new(address)
                    .get("/__lbheartbeat__")
                    .is_ok_and(|answer| answer.status == 200)
            };
            if answers(place.edge) && answers(place.api) {
                return Ok(process);
            }
            if let Ok(Some(status)) = process.child.try_wait() {
                return Err(format!("ended at its start: {status}"));
            }
            thread_sleep(Duration::from_millis(20));
        }
        Err("does not answer".to_owned())
    }

    /// What it tells of the pipeline; nothing where it cannot say.
    pub(super) fn status(&self) -> Option<Value> {
        let answer = Client::new(&self.api).get("/api/v1/status").ok()?;
        (answer.status == 200).then(|| answer.json())
    }

    /// The value of a metric without labels.
    pub(super) fn metric(&self, name: &str) -> Option<f64> {
        let answer = Client::new(&self.api).get("/metrics").ok()?;
        let lines = answer.text().lines();
        let value = lines
            .filter_map(|line| line.strip_prefix(name))
            .find_map(|rest| rest.strip_prefix(' '));
        value.and_then(|value| value.trim().parse().ok())
    }

    /// The most resident memory that there was, in bytes, as the kernel counts it.
    pub(super) fn peak_bytes(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kib * 1024)
    }

    /// Sends a signal.
    pub(super) fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(self.child.id().cast_signed()).expect("a process id");
        kill_process(id, signal).expect("a child that nobody waited for");
    }

    /// Whether it has ended by itself, and how.
    pub(super) fn has_ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().expect("a child");
        status.map(|status| status.to_string())
    }

    /// SIGTERM; answers what is wrong with the end that follows.
    pub(super) fn terminate(&mut self) -> Result<(), String> {
        self.signal(Signal::TERM);
        let start = now();
        while start.elapsed() < END_MAX {
            match self.child.try_wait().expect("a child") {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("SIGTERM ended it with {status}")),
                None => thread_sleep(Duration::from_millis(20)),
            }
        }
        Err("SIGTERM did not end it".to_owned())
    }
}

impl Drop for Process {
    /// Kill -9, where it still lives.
    fn drop(&mut self) {
        // Both fail only when it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
