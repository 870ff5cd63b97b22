//! A running edge without its HTTP door, in this process: pings wait in its log until they are sealed.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use disk::RealDisk;
use edge::intake::{Accepted, Intake as _, Refusal};
use edge::{Edge, EdgeLimits, EdgeOptions, Parts};
use ping::{DimensionSchema, Incarnation};
use service::clock::SystemClock;
use service::random::SystemRandom;
use service::task;
use std::time::Duration;
use store::{Blocking, DirectoryStore};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::partition::uri_in;
use crate::bodies::Sent;
use crate::cpu;

/// Submissions on their way at once.
const SUBMITTERS: usize = 64;
/// How often a submission is tried that is refused for want of room, each time 10 ms later.
const PATIENCE: u64 = 1_000;

/// A log and its edge in a folder of their own, with a store in a directory.
pub(crate) struct Logged {
    runtime: Runtime,
    edge: Arc<Edge>,
    /// Submissions that were refused for want of room.
    pub(crate) refused: u64,
    // Removed at the end.
    _folder: TempDir,
}

impl Logged {
    /// An edge that seals only when asked.
    pub(crate) fn open() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let folder = tempfile::tempdir()?;
        let path = |name: &str| -> Result<_> {
            let path = folder.path().join(name);
            std::fs::create_dir(&path)?;
            Ok(path)
        };
        let (disk, (announce, mut announced)) = (RealDisk::shared(), mpsc::channel(1_024));
        let staging_dir = path("staging")?;
        let store = DirectoryStore::new(disk.clone(), path("store")?, staging_dir.clone(), Blocking::Pool);
        let limits = EdgeLimits {
            new_partitions: u32::MAX,
            seal_age: Duration::from_secs(86_400),
            ..EdgeLimits::default()
        };
        let (log_dir, damaged_dir) = (path("log")?, path("damaged")?);
        let options = EdgeOptions {
            claims: None,
            log_dir,
            staging_dir,
            damaged_dir,
            prefix: "pings".to_owned(),
            limits,
        };
        let parts = Parts {
            disk,
            store: Arc::new(store),
            clock: SystemClock::shared(),
            random: SystemRandom::shared(),
            schema: DimensionSchema::default(),
            incarnation: Incarnation::from_bytes([7; 16]),
            privacy: edge::Privacy::none(),
            announce,
        };
        let edge = runtime.block_on(async {
            task::spawn(
                "announced",
                async move { while announced.recv().await.is_some() {} },
            );
            Edge::open(options, parts).await
        })?;
        Ok(Self {
            runtime,
            edge,
            refused: 0,
            _folder: folder,
        })
    }

    /// Logs pings under their own URIs; then they wait. Answers in how many partitions.
    pub(crate) fn submit_as_sent(&mut self, pings: &[Sent]) -> Result<usize> {
        let accepted = pings.iter().map(|ping| accepted(ping, ping.uri.clone()));
        self.refused += self.runtime.block_on(submit(&self.edge, accepted.collect()))?;
        Ok(self.edge.status().open_partitions)
    }

    /// Logs pings, `shape` to each partition; then they wait. Answers the CPU seconds.
    pub(crate) fn submit(&mut self, pings: &[Sent], shape: usize) -> Result<f64> {
        let accepted: Vec<Accepted> = pings
            .iter()
            .enumerate()
            .map(|(n, ping)| accepted(ping, uri_in(&ping.uri, n / shape)))
            .collect();
        let partitions = pings.len().div_ceil(shape);
        let (seconds, submitted) = cpu::of(|| self.runtime.block_on(submit(&self.edge, accepted)));
        self.refused += submitted?;
        let status = self.edge.status();
        ensure!(
            status.open_partitions == partitions,
            "{} partitions wait",
            status.open_partitions
        );
        Ok(seconds)
    }

    /// Seals all that waits, until it is in the store. Answers the CPU seconds.
    pub(crate) fn seal(&self) -> Result<f64> {
        let (seconds, ()) = cpu::of(|| self.runtime.block_on(self.edge.wait_until_sealed()));
        ensure!(
            self.edge.status().waiting == 0,
            "pings still wait after they were sealed"
        );
        Ok(seconds)
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        self.runtime.block_on(self.edge.shutdown(false));
    }
}

fn accepted(ping: &Sent, uri: String) -> Accepted {
    Accepted {
        uri: uri.into(),
        headers: ping
            .headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        body: Bytes::copy_from_slice(&ping.gzip),
    }
}

/// Submits in order, some at once. Answers how many were refused for want of room; they were submitted again.
async fn submit(edge: &Arc<Edge>, mut accepted: Vec<Accepted>) -> Result<u64> {
    let mut refused = 0;
    while !accepted.is_empty() {
        let group = accepted.drain(..accepted.len().min(SUBMITTERS));
        let tasks: Vec<_> = group
            .map(|ping| {
                let edge = Arc::clone(edge);
                task::spawn("submit", async move { submit_patiently(&edge, ping).await })
            })
            .collect();
        for task in tasks {
            refused += task.await??;
        }
    }
    Ok(refused)
}

async fn submit_patiently(edge: &Edge, ping: Accepted) -> Result<u64> {
    for refused in 0..PATIENCE {
        match edge.submit(ping.clone()).await {
            Ok(()) => return Ok(refused),
            Err(Refusal::Full { .. }) => task::sleep(Duration::from_millis(10)).await,
            Err(refusal) => return Err(refusal.into()),
        }
    }
    bail!("the log stays full")
}
