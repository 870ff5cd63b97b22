//! One process of the program among others that share everything: started, spoken to, signalled, ended.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::Client;
use crate::program::{now, thread_sleep};

/// How long a process may take to come up, to end, or to say what is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// How it is started, each time again.
#[derive(Debug)]
pub struct Wish {
    /// The program with its arguments, environment and all.
    pub command: Command,
    /// Where it answers heartbeats; none where it listens nowhere.
    pub address: Option<String>,
    /// Where its log lines go, behind those of its earlier lives.
    pub log: PathBuf,
}

/// A process, ended with its test.
#[derive(Debug)]
pub struct Member {
    wish: Wish,
    child: Option<Child>,
}

impl Member {
    /// Starts it, and waits until it answers.
    ///
    /// # Errors
    /// How it ended where it ended at its start, and what it said.
    ///
    /// # Panics
    /// When it neither comes up nor ends; its log is printed.
    pub fn start(wish: Wish) -> Result<Self, String> {
        let mut member = Self { wish, child: None };
        member.start_again()?;
        Ok(member)
    }

    /// Starts it again after its end.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    ///
    /// # Panics
    /// As [`start`](Self::start); when it runs.
    pub fn start_again(&mut self) -> Result<(), String> {
        assert!(self.child.is_none(), "it runs");
        let log = OpenOptions::new().create(true).append(true).open(&self.wish.log);
        let child = self
            .wish
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("a log file"))
            .spawn()
            .expect("the program starts");
        self.child = Some(child);
        let start = now();
        while !self.answers() {
            if let Some(end) = self.has_ended() {
                self.child = None;
                return Err(format!("{end}:\n{}", self.log()));
            }
            assert!(start.elapsed() < PATIENCE, "it does not come up:\n{}", self.log());
            thread_sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn answers(&self) -> bool {
        let Some(address) = &self.wish.address else {
            return true;
        };
        let answer = Client::new(address).get("/__lbheartbeat__");
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// Where it listens.
    ///
    /// # Panics
    /// When it listens nowhere.
    pub fn address(&self) -> &str {
        self.wish.address.as_deref().expect("it listens")
    }

    /// A client of it.
    ///
    /// # Panics
    /// When it listens nowhere.
    pub fn client(&self) -> Client {
        Client::new(self.address())
    }

    /// What it has logged in all its lives.
    pub fn log(&self) -> String {
        read(&self.wish.log)
    }

    /// Whether it has ended by itself, and how.
    ///
    /// # Panics
    /// When it was not started.
    pub fn has_ended(&mut self) -> Option<String> {
        let child = self.child.as_mut().expect("it was started");
        let status = child.try_wait().expect("a child");
        status.map(|status| status.to_string())
    }

    /// Its status, as the API answers it; `None` while it cannot.
    ///
    /// # Panics
    /// When it listens nowhere.
    pub fn status(&self) -> Option<Value> {
        let answer = self.client().get("/api/v1/status").ok()?;
        (answer.status == 200).then(|| answer.json())
    }

    /// Waits until the status satisfies a condition, and answers it.
    ///
    /// # Panics
    /// When that does not come true within ten minutes.
    pub fn wait_for(&self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let (start, mut last) = (now(), Value::Null);
        loop {
            if let Some(status) = self.status() {
                if condition(&status) {
                    return status;
                }
                last = status;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "waited in vain for {what}: {last}\n{}",
                self.log()
            );
            thread_sleep(Duration::from_millis(50));
        }
    }

    /// The value of a metric without labels.
    ///
    /// # Panics
    /// When it listens nowhere.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let answer = self.client().get("/metrics").ok()?;
        let lines = answer.text().lines();
        let value = lines
            .filter_map(|line| line.strip_prefix(name))
            .find_map(|rest| rest.strip_prefix(' '));
        value.and_then(|value| value.trim().parse().ok())
    }

    /// Whether no ping waits in its log, to be asked again and again: its gauges are as of the last second, so they must say it
    /// for longer.
    pub fn nothing_waits(&self) -> impl FnMut() -> bool {
        let mut since = None;
        move || {
            if self.metric("highwater_edge_waiting_pings") != Some(0.0) {
                since = None;
                return false;
            }
            since.get_or_insert_with(now).elapsed() >= Duration::from_secs(3)
        }
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When it does not run.
    pub fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("it runs");
        let id = Pid::from_raw(child.id().cast_signed()).expect("a process id");
        kill_process(id, signal).expect("a child that nobody waited for");
    }

    /// Kill -9.
    ///
    /// # Panics
    /// When it was not started.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it was started");
        // Fails only when it has ended already.
        let _ = child.kill();
        child.wait().expect("a child");
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Panics
    /// When it does not end within ten minutes, or not well.
    pub fn terminate(&mut self) {
        self.signal(Signal::TERM);
        let start = now();
        let mut child = self.child.take().expect("it runs");
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child") {
                break status;
            }
            if start.elapsed() > PATIENCE {
                // Nobody else would end it.
                let _ = child.kill();
                let _ = child.wait();
                panic!("SIGTERM did not end it:\n{}", self.log());
            }
            thread_sleep(Duration::from_millis(20));
        };
        assert!(
            status.success(),
            "SIGTERM should end it well, not with {status}:\n{}",
            self.log()
        );
    }

    /// Whether it was started and not ended from here.
    pub const fn is_up(&self) -> bool {
        self.child.is_some()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both do nothing to a process that has ended and was waited for.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn read(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
