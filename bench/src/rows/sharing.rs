//! Sharing: two aggregators over one PostgreSQL, behind an edge that takes small pings at a rate that is given: whether what is folded
//! and merged keeps up with what is acknowledged, and the memory it takes.

use anyhow::Result;

use crate::options::Options;
use crate::outcome::Row;
use crate::sample::Sample;

const WORK: &str = "two aggregators over PostgreSQL, 3,000 pings of 1 KB a second";

/// Measures it in a full run or when asked for: it takes minutes.
#[cfg(feature = "aws")]
pub(crate) fn measure(options: &Options, _: &Sample) -> Result<Vec<Row>> {
    if !options.full && options.rows.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(reason) = super::process::missing(&options.highwater) {
        return Ok(vec![Row::left_out(WORK, reason)]);
    }
    let rows = with::measure(options);
    Ok(rows.unwrap_or_else(|error| vec![Row::failed(WORK, format!("{error:#}"))]))
}

/// Says what is missing.
#[cfg(not(feature = "aws"))]
pub(crate) fn measure(_: &Options, _: &Sample) -> Result<Vec<Row>> {
    super::without_aws::left_out(WORK)
}

#[cfg(feature = "aws")]
mod with {
    use std::fs;
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    use anyhow::{Context as _, Result, anyhow, ensure};
    use loopback_s3::{ACCESS_KEY_ID, LoopbackS3, SECRET_ACCESS_KEY};
    use postgres_for_tests::Postgres;
    use service::clock::{Clock, SystemClock};
    use service::task;
    use tempfile::TempDir;
    use tokio::runtime::Runtime;

    use super::super::process::Process;
    use super::super::senders::{Pace, Requests};
    use crate::options::Options;
    use crate::outcome::Row;
    use crate::pairs::Spread;
    use crate::small_pings::{DECLARATION, declared};

    /// Pings a second, and for how many seconds.
    const RATE: u32 = 3_000;
    const SECONDS: u32 = 60;
    /// What is looked at is the second half: by then all sets of dimensions are known.
    const LOOKED_FROM: u32 = SECONDS / 2;
    /// How far behind is no sign that merges do not follow: the age of a seal, a listing, a batch, a merge, and one of each that has just
    /// begun.
    const BEHIND_SECONDS: f64 = 10.0;
    /// How long what is behind at the end may take.
    const PATIENCE_SECONDS: u32 = 120;
    const BUCKET: &str = "bench";
    const PLACES: [&str; 4] = ["--store", "s3://bench/below", "--region", "us-east-1"];
    const KEYS: [(&str, &str); 2] = [
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
    ];
    const FOLDED: &str = "highwater_aggregator_pings_total{outcome=\"folded\"}";
    const BATCHES: &str = "highwater_aggregator_batches_total{outcome=\"written\"}";
    const LOST: &str = "highwater_aggregator_batches_total{outcome=\"lost\"}";
    const BATCH_SECONDS: &str = "highwater_aggregator_batch_seconds_sum";

    pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let rig = Rig::start(options, &runtime)?;
        let looks = rig.run(&runtime)?;
        rig.rows(&looks)
    }

    /// All that runs: S3 in this process, PostgreSQL, and processes of the program.
    struct Rig {
        _s3: LoopbackS3,
        server: Postgres,
        database: String,
        _products: TempDir,
        edge: Process,
        _indexer: Process,
        aggregators: [Process; 2],
    }

    /// What was seen in one look.
    #[derive(Clone, Copy, Debug)]
    struct Look {
        seconds: f64,
        /// Pings behind: acknowledged, or due, and in no aggregate yet.
        behind: f64,
    }

    impl Rig {
        fn start(options: &Options, runtime: &Runtime) -> Result<Self> {
            let program = &options.highwater;
            // As in use: what is confirmed is on the disk.
            let settings = ["fsync=on", "shared_buffers=512MB", "max_wal_size=4GB"];
            let server = Postgres::start(&settings).context("PostgreSQL is not installed")?;
            let database = server.database();
            let url = server.url(&database);
            let products = tempfile::tempdir()?;
            fs::write(products.path().join("product.yaml"), DECLARATION)?;
            let products_path = products.path().display().to_string();
            runtime.block_on(async {
                let s3 = LoopbackS3::start(&[BUCKET]).await?;
                let endpoint = s3.endpoint_url();
                let store = [&PLACES[..], &["--endpoint-url", &endpoint]].concat();
                let shared = [&store[..], &["--index", &url, "--aggregates", &url]].concat();
                let seal = [&store[..], &["--seal-age", "1s", "--products", &products_path]].concat();
                let folding = [&shared[..], &["--products", &products_path]].concat();
                let listing = [&shared[..], &["--every", "500ms"]].concat();
                Ok(Self {
                    edge: Process::edge_in(program, &seal, &KEYS).await?,
                    _indexer: Process::index(program, &listing, &KEYS).await?,
                    aggregators: [
                        Process::aggregate(program, &folding, &KEYS).await?,
                        Process::aggregate(program, &folding, &KEYS).await?,
                    ],
                    _s3: s3,
                    server,
                    database,
                    _products: products,
                })
            })
        }

        /// Sends, and looks once a second until nothing is behind.
        fn run(&self, runtime: &Runtime) -> Result<Vec<Look>> {
            let all = RATE * SECONDS;
            let requests = Requests::plain((0..u64::from(all)).map(declared), "POST");
            let pace = Pace::Every(Duration::from_secs(1) / RATE);
            let clock: Arc<dyn Clock> = SystemClock::shared();
            thread::scope(|scope| {
                let begun = clock.monotonic();
                let sending = scope.spawn(|| requests.send(&self.edge.edge, all as usize, pace));
                let mut looks = Vec::new();
                for _ in 0..SECONDS + PATIENCE_SECONDS {
                    runtime.block_on(task::sleep(Duration::from_secs(1)));
                    let folded = runtime.block_on(self.sum(FOLDED))?;
                    let seconds = (clock.monotonic() - begun).as_secs_f64();
                    let due = (seconds * f64::from(RATE)).min(f64::from(all));
                    let behind = due - folded;
                    looks.push(Look { seconds, behind });
                    if folded >= f64::from(all) {
                        break;
                    }
                }
                let sent = sending.join().map_err(|_| anyhow!("the sender panicked"))??;
                ensure!(
                    looks.last().is_some_and(|look| look.behind <= 0.0),
                    "{PATIENCE_SECONDS} s after the load {:?} pings were not folded; p99 of their answers {:.1} ms",
                    looks.last(),
                    super::super::senders::quantile(&sent.latencies, 0.99) * 1e3
                );
                Ok(looks)
            })
        }

        async fn sum(&self, name: &str) -> Result<f64> {
            let mut sum = 0.0;
            for process in &self.aggregators {
                sum += process.metrics().await?.value(name).unwrap_or(0.0);
            }
            Ok(sum)
        }

        fn rows(&self, looks: &[Look]) -> Result<Vec<Row>> {
            let within = |look: &&Look| (f64::from(LOOKED_FROM)..f64::from(SECONDS)).contains(&look.seconds);
            let behind: Vec<f64> = looks
                .iter()
                .filter(within)
                .map(|look| look.behind / f64::from(RATE))
                .collect();
            let drained = looks
                .last()
                .map_or(f64::NAN, |look| look.seconds - f64::from(SECONDS));
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let sum = |name| runtime.block_on(self.sum(name));
            let cells = "SELECT count(*) FROM highwater_aggregates.cell";
            let note = format!(
                "{SECONDS} s; looked at once a second in the second half: from {:.1} to {:.1} s; all was folded {drained:.1} s after the load's \
                 end; seal age 1 s, the store listed each 0.5 s; {} batches, {} lost, that took {:.1} s from the begin of their fold to the end of \
                 their transaction; {} aggregates; S3 and the sender in the process that measures, PostgreSQL on this machine",
                Spread::of(behind.iter().copied()).min,
                Spread::of(behind.iter().copied()).max,
                sum(BATCHES)?,
                sum(LOST)?,
                sum(BATCH_SECONDS)?,
                self.server.sql(&self.database, cells).trim(),
            );
            let [first, second] = &self.aggregators;
            let peak = first.peak_megabytes()?.max(second.peak_megabytes()?);
            let median = Spread::of(behind.iter().copied()).median;
            Ok(vec![
                Row::figure(
                    "sharing: how far behind, 3,000 pings a second",
                    median,
                    "s",
                    Some(BEHIND_SECONDS),
                )
                .note(note),
                Row::figure("sharing: memory of an aggregator", peak, "MB", None),
                Row::figure(
                    "sharing: CPU seconds of both aggregators",
                    first.cpu_seconds()? + second.cpu_seconds()?,
                    "s",
                    None,
                ),
            ])
        }
    }
}
