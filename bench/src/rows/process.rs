//! The program as a child process: its CPU time and memory as the kernel counts them.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use service::task;
use tempfile::TempDir;

use super::client::Client;

/// Linux counts the CPU time of a process in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running program on a data directory of its own, both gone when it is dropped.
pub(crate) struct Process {
    child: Child,
    folder: TempDir,
    /// Where pings are posted.
    pub(crate) edge: String,
    /// Where questions are asked.
    pub(crate) api: String,
}

impl Process {
    /// Starts `highwater edge` and waits until it answers.
    pub(crate) async fn edge(program: &Path, seal_age: &str) -> Result<Self> {
        let (edge, api) = (free_address()?, String::new());
        Self::start(
            program,
            &["edge", "--edge-listen", &edge, "--seal-age", seal_age],
            &edge,
            &api,
        )
        .await
    }

    /// Starts `highwater serve` and waits until it answers.
    pub(crate) async fn serve(program: &Path, seal_age: &str) -> Result<Self> {
        let (edge, api) = (free_address()?, free_address()?);
        let arguments = [
            "serve",
            "--edge-listen",
            &edge,
            "--api-listen",
            &api,
            "--seal-age",
            seal_age,
        ];
        Self::start(program, &arguments, &edge, &api).await
    }

    async fn start(program: &Path, arguments: &[&str], edge: &str, api: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let log = fs::File::create(folder.path().join("log.txt"))?;
        let child = Command::new(program)
            .args(arguments)
            .arg("--data-dir")
            .arg(folder.path().join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        let mut process = Self {
            child,
            folder,
            edge: edge.to_owned(),
            api: api.to_owned(),
        };
        process.wait_until_up().await?;
        Ok(process)
    }

    async fn wait_until_up(&mut self) -> Result<()> {
        for _ in 0..200 {
            if answers(&self.edge).await && (self.api.is_empty() || answers(&self.api).await) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                let log = fs::read_to_string(self.folder.path().join("log.txt")).unwrap_or_default();
                bail!("the program ended at its start ({status}): {}", log.trim());
            }
            task::sleep(Duration::from_millis(50)).await;
        }
        bail!("the program does not answer within 10 seconds");
    }

    /// The folder of its chunks.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("data/store")
    }

    /// CPU seconds it has used, user and system, all threads.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        cpu_seconds(self.child.id())
    }

    /// CPU seconds that its living threads have used, to the nanosecond: for short spans in which no thread ends.
    pub(crate) fn threads_cpu_seconds(&self) -> Result<f64> {
        let mut nanos = 0.0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanos += text.split(' ').next().context("no schedstat")?.parse::<f64>()?;
        }
        Ok(nanos / 1e9)
    }

    /// The most resident memory it ever had, in megabytes.
    pub(crate) fn peak_megabytes(&self) -> Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line
            .and_then(|line| line.trim().split(' ').next())
            .context("no VmHWM")?;
        Ok(kib.parse::<f64>()? * 1024.0 / 1e6)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; nothing of it is needed any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU seconds that a process has used, user and system, all threads. Also of one that ended and was not waited for.
pub(crate) fn cpu_seconds(process: u32) -> Result<f64> {
    two_times(process, 11)
}

/// CPU seconds of all processes that a process waited for, and that these waited for.
pub(crate) fn children_cpu_seconds(process: u32) -> Result<f64> {
    two_times(process, 13)
}

/// The sum of two fields of a process's state, which are times. The name in parentheses may hold anything; fields are
/// counted after it: first user and system time, then those of children.
fn two_times(process: u32, first: usize) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = text.rsplit_once(')').context("no process state")?;
    let ticks: Vec<f64> = fields
        .split_whitespace()
        .skip(first)
        .take(2)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    ensure!(ticks.len() == 2, "no CPU time in the process state");
    Ok((ticks[0] + ticks[1]) / TICKS_PER_SECOND)
}

async fn answers(address: &str) -> bool {
    let Ok(mut client) = Client::connect(address).await else {
        return false;
    };
    client
        .get("/__lbheartbeat__")
        .await
        .is_ok_and(|answer| answer.status == 200)
}

/// A loopback address that was free a moment ago.
fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// Why the rows that need a process cannot run; `None` when they can.
pub(crate) fn missing(program: &Path) -> Option<String> {
    let reason = format!(
        "no program at {}: cargo build --release -p highwater",
        program.display()
    );
    (!program.is_file()).then_some(reason)
}
