//! The edge with its chunks in S3, beside the same edge with them in its directory: what the way to S3 costs it.

use anyhow::Result;

use crate::options::Options;
use crate::outcome::Row;
use crate::sample::Sample;

const WORK: &str = "edge, socket to chunk in S3 (s3s-fs)";

/// Measures CPU against the directory, and memory with very many partitions.
#[cfg(feature = "aws")]
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    if let Some(reason) = super::process::missing(&options.highwater) {
        return Ok(vec![Row::left_out(WORK, reason)]);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let work = "edge memory, 100,000 open partitions, chunks in S3 (s3s-fs)";
    let rows = [
        with::cpu(options, sample, &runtime)
            .unwrap_or_else(|error| Row::left_out(WORK, format!("{error:#}"))),
        with::memory(options, sample, &runtime)
            .unwrap_or_else(|error| Row::left_out(work, format!("{error:#}"))),
    ];
    Ok(rows.into())
}

/// Says what is missing.
#[cfg(not(feature = "aws"))]
pub(crate) fn measure(_: &Options, _: &Sample) -> Result<Vec<Row>> {
    super::without_aws::left_out(WORK)
}

#[cfg(feature = "aws")]
mod with {
    use std::time::Duration;

    use anyhow::Result;
    use loopback_s3::{ACCESS_KEY_ID, LoopbackS3, SECRET_ACCESS_KEY};
    use service::task;
    use tempfile::TempDir;
    use tokio::runtime::Runtime;

    use super::super::load::Load;
    use super::super::metrics::{chunks_so_far, wait_for_chunks};
    use super::super::process::Process;
    use super::super::short_keys::ShortKeys;
    use super::WORK;
    use crate::options::Options;
    use crate::outcome::Row;
    use crate::pairs::Pairs;
    use crate::sample::Sample;

    const PARTITIONS: usize = 50;
    /// Long enough that everything is answered before the first seal.
    const SEAL_AGE: &str = "3s";
    /// Of the way to S3 through the kernel and back.
    const BAR: f64 = 1.3;
    /// The bar of the directory with so many partitions, and what may be on its way to S3 (`--help`: 64 MiB).
    const BAR_MB: f64 = 118.0 + 67.0;
    const MANY: usize = 100_000;
    const PATIENCE_SECONDS: usize = 60;
    /// s3s-fs writes several files for an object.
    const MANY_PATIENCE_SECONDS: usize = 900;

    /// S3 on loopback, in this process: its CPU is not the edge's.
    struct Rig {
        s3: LoopbackS3,
        _root: TempDir,
    }

    impl Rig {
        async fn start() -> Result<Self> {
            let root = tempfile::tempdir()?;
            std::fs::create_dir(root.path().join("bench"))?;
            let files = s3s_fs::FileSystem::new(root.path()).map_err(|error| anyhow::anyhow!("{error:?}"))?;
            Ok(Self {
                s3: LoopbackS3::in_front_of(ShortKeys(files)).await?,
                _root: root,
            })
        }

        async fn edge(&self, options: &Options, seal_age: &str) -> Result<Process> {
            let endpoint = self.s3.endpoint_url();
            let settings = [
                "--seal-age",
                seal_age,
                "--log-budget",
                "64GiB",
                "--store",
                "s3://bench/below",
                "--endpoint-url",
                &endpoint,
                "--region",
                "us-east-1",
            ];
            let keys = [
                ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
                ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
            ];
            Process::edge_in(&options.highwater, &settings, &keys).await
        }
    }

    pub(super) fn cpu(options: &Options, sample: &Sample, runtime: &Runtime) -> Result<Row> {
        let number = sample.pings.len();
        let load = Load::new(&sample.pings, number, PARTITIONS);
        let rig = runtime.block_on(Rig::start())?;
        let in_s3 = runtime.block_on(rig.edge(options, SEAL_AGE))?;
        let settings = ["--seal-age", SEAL_AGE, "--log-budget", "64GiB"];
        let in_directory = runtime.block_on(Process::edge_with(&options.highwater, &settings))?;
        let run = |process: &Process| {
            let before = process.cpu_seconds()?;
            runtime.block_on(async {
                let chunks = chunks_so_far(&process.edge).await?;
                load.send(&process.edge).await?;
                wait_for_chunks(&process.edge, chunks + PARTITIONS, PATIENCE_SECONDS).await?;
                task::sleep(Duration::from_millis(200)).await;
                anyhow::Ok(())
            })?;
            Ok(process.cpu_seconds()? - before)
        };
        let pairs = Pairs::alternate(options.pairs, || run(&in_s3), || run(&in_directory))?;
        let note = format!(
            "{PARTITIONS} partitions; CPU of the edge's process alone, waiting for the last seal included; S3 in the process that \
             measures"
        );
        Ok(Row::ratios(
            WORK,
            "the same edge with a directory as its store",
            BAR,
            number,
            pairs,
        )
        .note(note))
    }

    pub(super) fn memory(options: &Options, sample: &Sample, runtime: &Runtime) -> Result<Row> {
        let rig = runtime.block_on(Rig::start())?;
        let process = runtime.block_on(rig.edge(options, "10s"))?;
        let number = sample.pings.len().max(MANY);
        runtime.block_on(async {
            Load::new(&sample.pings, number, MANY).send(&process.edge).await?;
            wait_for_chunks(&process.edge, MANY, MANY_PATIENCE_SECONDS).await
        })?;
        let note = format!("VmHWM, until {number} pings of {MANY} partitions were in as many objects");
        let work = "edge memory, 100,000 partitions sealed to S3 (s3s-fs)";
        Ok(Row::figure(work, process.peak_megabytes()?, "MB", Some(BAR_MB)).note(note))
    }
}
