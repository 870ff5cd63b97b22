//! The program as a child process: its start and end, and what it says and uses.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use service::task;
use tempfile::TempDir;

use super::client::Client;
use super::metrics::Metrics;
use super::usage::{self, ThreadTimes};

/// A running program on a data directory of its own, both gone when it is dropped.
pub(crate) struct Process {
    child: Child,
    folder: TempDir,
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// Where pings are posted.
    pub(crate) edge: String,
    /// Where questions are asked.
    pub(crate) api: String,
}

impl Process {
    /// Starts `highwater edge` and waits until it answers.
    pub(crate) async fn edge(program: &Path, seal_age: &str) -> Result<Self> {
        Self::edge_with(program, &["--seal-age", seal_age]).await
    }

    /// Starts `highwater edge` with settings and waits until it answers.
    pub(crate) async fn edge_with(program: &Path, settings: &[&str]) -> Result<Self> {
        let (edge, api) = (free_address()?, String::new());
        let arguments = [&["edge", "--edge-metrics", "--edge-listen", &edge], settings].concat();
        Self::start(program, &arguments, &[], &edge, &api).await
    }

    /// The same with these variables in its environment.
    #[cfg(feature = "aws")]
    pub(crate) async fn edge_in(
        program: &Path,
        settings: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let (edge, api) = (free_address()?, String::new());
        let arguments = [&["edge", "--edge-metrics", "--edge-listen", &edge], settings].concat();
        Self::start(program, &arguments, environment, &edge, &api).await
    }

    /// Starts `highwater serve` and waits until it answers.
    pub(crate) async fn serve(program: &Path, seal_age: &str) -> Result<Self> {
        let (edge, api) = (free_address()?, free_address()?);
        let arguments = [
            "serve",
            "--edge-metrics",
            "--edge-listen",
            &edge,
            "--api-listen",
            &api,
            "--seal-age",
            seal_age,
        ];
        Self::start(program, &arguments, &[], &edge, &api).await
    }

    /// Starts `highwater serve` by these settings on the data directory `data` of a folder and waits until it answers.
    pub(crate) async fn serve_on(program: &Path, folder: TempDir, settings: &[&str]) -> Result<Self> {
        let (edge, api) = (free_address()?, free_address()?);
        let addresses = ["--edge-listen", &edge, "--api-listen", &api];
        let arguments = [&["serve", "--edge-metrics"], &addresses[..], settings].concat();
        Self::start_on(folder, program, &arguments, &[], &edge, &api).await
    }

    /// Starts `highwater query` by these settings and waits until it answers.
    #[cfg(feature = "aws")]
    pub(crate) async fn query(program: &Path, settings: &[&str]) -> Result<Self> {
        let api = free_address()?;
        let arguments = [&["query", "--api-listen", &api], settings].concat();
        Self::start(program, &arguments, &[], &api, &api).await
    }

    /// Starts `highwater aggregate` by these settings, with these variables in its environment, and waits until it answers:
    /// metrics, where pings would be posted.
    #[cfg(feature = "aws")]
    pub(crate) async fn aggregate(
        program: &Path,
        settings: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let address = free_address()?;
        let arguments = [&["aggregate", "--listen", &address], settings].concat();
        Self::start(program, &arguments, environment, &address, "").await
    }

    /// Starts `highwater index run` by these settings, with these variables in its environment; it answers nobody.
    #[cfg(feature = "aws")]
    pub(crate) async fn index(
        program: &Path,
        settings: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let arguments = [&["index", "run"], settings].concat();
        Self::start(program, &arguments, environment, "", "").await
    }

    async fn start(
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
        edge: &str,
        api: &str,
    ) -> Result<Self> {
        Self::start_on(tempfile::tempdir()?, program, arguments, environment, edge, api).await
    }

    async fn start_on(
        folder: TempDir,
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
        edge: &str,
        api: &str,
    ) -> Result<Self> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment: Vec<_> = environment.iter().map(owned).collect();
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut process = Self {
            child: spawn(program, &arguments, &environment, folder.path())?,
            folder,
            program: program.to_owned(),
            arguments,
            environment,
            edge: edge.to_owned(),
            api: api.to_owned(),
        };
        process.wait_until_up().await?;
        Ok(process)
    }

    async fn wait_until_up(&mut self) -> Result<()> {
        for _ in 0..200 {
            if answers(&self.edge).await && answers(&self.api).await {
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

    /// Ends it by SIGKILL; answers the folder that it left.
    pub(crate) fn kill(mut self) -> Result<TempDir> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(std::mem::replace(&mut self.folder, tempfile::tempdir()?))
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder of its chunks.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("data/store")
    }

    /// The folder of its log.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.path().join("data/log")
    }

    /// CPU seconds it has used, user and system, all threads.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        usage::cpu_seconds(self.child.id())
    }

    /// CPU time of its threads so far.
    pub(crate) fn threads(&self) -> Result<ThreadTimes> {
        ThreadTimes::of(&[self.child.id()])
    }

    /// The most resident memory it ever had, in megabytes.
    pub(crate) fn peak_megabytes(&self) -> Result<f64> {
        usage::peak_megabytes(self.child.id())
    }

    /// Its metrics.
    pub(crate) async fn metrics(&self) -> Result<Metrics> {
        Metrics::read(&self.edge).await
    }

    /// Ends it by SIGKILL and starts it again as before, on what it left; returns when it answers.
    pub(crate) async fn kill_and_start(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.child = spawn(
            &self.program,
            &self.arguments,
            &self.environment,
            self.folder.path(),
        )?;
        self.wait_until_up().await
    }
}

fn spawn(
    program: &Path,
    arguments: &[String],
    environment: &[(String, String)],
    folder: &Path,
) -> Result<Child> {
    let log = fs::File::create(folder.join("log.txt"))?;
    Command::new(program)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .args(arguments)
        .arg("--data-dir")
        .arg(folder.join("data"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .with_context(|| format!("could not start {}", program.display()))
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; nothing of it is needed any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether it answers at an address, if it has one there.
async fn answers(address: &str) -> bool {
    if address.is_empty() {
        return true;
    }
    let Ok(mut client) = Client::connect(address).await else {
        return false;
    };
    client
        .get("/__lbheartbeat__")
        .await
        .is_ok_and(|answer| answer.status == 200)
}

/// A loopback address that was free a moment ago.
pub(crate) fn free_address() -> Result<String> {
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
