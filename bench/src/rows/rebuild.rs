//! Rebuild: one source folded anew in a running process that takes pings meanwhile, against the fold of the same chunks by a process that
//! has nothing else to do; and how fresh numbers are while it goes on.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use service::clock::SystemClock;
use service::task;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::metrics::Metrics;
use super::process::{self, Process};
use super::senders::{Pace, Requests, quantile};
use super::{child, freshness, import};
use crate::options::Options;
use crate::outcome::{Bar, Row};
use crate::pairs::Pairs;
use crate::sample::Sample;
use crate::small_pings::{DECLARATION, DECLARED, declared};

const WORK: &str = "rebuild of one source beside live folding";
const BAR: Bar = Bar::AtLeast(0.7);
/// Small pings for each one of the sample.
const TIMES: u64 = 300;
/// Live pings a second beside the rebuild, for so many seconds; and before the rebuild begins.
const LIVE: u64 = 1_000;
const LIVE_SECONDS: u64 = 40;
const AHEAD: Duration = Duration::from_secs(2);
/// Probes from the begin of the rebuild on.
const PROBES: usize = 60;
/// How often it is looked whether all is folded, and for how long.
const LOOK: Duration = Duration::from_millis(10);
const LOOKS: u32 = 30_000;
/// How long a process that has nothing left to fold waits before it writes.
const IDLE: Duration = Duration::from_millis(500);
const HELD: &str = "highwater_aggregate_store_held_chunks";
const FOLDED: &str = "highwater_aggregator_pings_total{outcome=\"folded\"}";

/// Measures it in a full run or when asked for: importing the pings takes a minute.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    if !options.full && options.rows.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(reason) = process::missing(&options.highwater) {
        return Ok(vec![Row::left_out(WORK, reason)]);
    }
    let pings = sample.pings.len() as u64 * TIMES;
    let rows = Rig::new(options, pings).and_then(Rig::measure);
    Ok(rows.unwrap_or_else(|error| vec![Row::failed(WORK, format!("{error:#}"))]))
}

/// A data directory with the pings, and what was added to them.
struct Rig<'a> {
    options: &'a Options,
    runtime: Runtime,
    folder: Option<TempDir>,
    products: TempDir,
    imported: u64,
    live: u64,
    probes: usize,
    /// Seconds from POST to number beside a rebuild.
    fresh: Vec<f64>,
    /// Seconds that rebuilds took.
    took: Vec<f64>,
}

impl<'a> Rig<'a> {
    fn new(options: &'a Options, imported: u64) -> Result<Self> {
        let (folder, products) = (tempfile::tempdir()?, tempfile::tempdir()?);
        fs::write(products.path().join("product.yaml"), DECLARATION)?;
        let lines = folder.path().join("pings.ndjson");
        let mut file = BufWriter::new(File::create(&lines)?);
        for (uri, body) in (0..imported).map(declared) {
            import::write_line(&mut file, &uri, &body)?;
        }
        file.flush()?;
        drop(file);
        let rig = Self {
            options,
            runtime: tokio::runtime::Builder::new_multi_thread().enable_all().build()?,
            folder: None,
            products,
            imported,
            live: 0,
            probes: 0,
            fresh: Vec::new(),
            took: Vec::new(),
        };
        let (data, products) = (folder.path().join("data"), rig.products_path());
        let settings = ["--products", products.as_str()];
        import::once(
            &options.highwater,
            &lines,
            &data,
            usize::try_from(imported)?,
            &settings,
        )?;
        fs::remove_file(&lines)?;
        Ok(Self {
            folder: Some(folder),
            ..rig
        })
    }

    fn products_path(&self) -> String {
        self.products.path().display().to_string()
    }

    fn measure(mut self) -> Result<Vec<Row>> {
        let mut pairs = Pairs::default();
        let mut peak: f64 = 0.0;
        // The first warms up.
        for pair in 0..=self.options.pairs {
            let folder = self.folder.take().context("the folder of before")?;
            let (folded, process) = self.fold_all(folder)?;
            let rebuilt = self.rebuild(&process)?;
            peak = peak.max(process.peak_megabytes()?);
            self.folder = Some(process.kill()?);
            if pair > 0 {
                pairs.push(rebuilt, folded);
            }
        }
        self.fresh.sort_by(f64::total_cmp);
        let [shortest, longest] = [f64::min, f64::max].map(|of| self.took.iter().copied().fold(f64::NAN, of));
        let note = format!(
            "pings a second; {} declared pings of 1 KB and what was live before; the fold: from the answer of a new process that lacks \
             all aggregates until all is folded and written, less the {} ms that it waits before it writes; the rebuild: the command, start and \
             end included ({shortest:.1} to {longest:.1} s), \
             beside {LIVE} pings a second of the same source that were sent for {LIVE_SECONDS} s, {} s before it at first, and {PROBES} \
             probes of another source, one each {} ms",
            self.imported,
            IDLE.as_millis(),
            AHEAD.as_secs(),
            freshness::PACE.as_millis()
        );
        let ratio = Row::compared(WORK, "the fold of the same alone", BAR, "pings/s", pairs).note(note);
        let fresh = |share: f64| quantile(&self.fresh, share);
        Ok(vec![
            ratio,
            Row::figure("freshness beside a rebuild, p50", fresh(0.5), "s", None),
            Row::figure(
                "freshness beside a rebuild, p99",
                fresh(0.99),
                "s",
                Some(freshness::BAR_SECONDS),
            )
            .note(format!("{} probes in all, seal age 1 s", self.fresh.len())),
            Row::figure("serve memory in that run", peak, "MB", None),
        ])
    }

    /// Pings a second of a process that folds everything from the beginning, until all is written, as what a rebuild folded is.
    fn fold_all(&self, folder: TempDir) -> Result<(f64, Process)> {
        fs::remove_dir_all(folder.path().join("data/aggregates"))?;
        let products = self.products_path();
        let settings = ["--products", products.as_str(), "--seal-age", "1s"];
        let clock = SystemClock::shared();
        let all = self.imported + self.live + self.probes as u64;
        self.runtime.block_on(async {
            let process = Process::serve_on(&self.options.highwater, folder, &settings).await?;
            let begun = clock.monotonic();
            for _ in 0..LOOKS {
                let metrics = Metrics::read(&process.edge).await?;
                let folded = metrics.value(FOLDED).unwrap_or(0.0);
                if folded >= all as f64 && metrics.value(HELD) == Some(0.0) {
                    ensure!(folded == all as f64, "of {all} pings {folded} were folded");
                    let took = (clock.monotonic() - begun).saturating_sub(IDLE);
                    return Ok((all as f64 / took.as_secs_f64(), process));
                }
                task::sleep(LOOK).await;
            }
            bail!("{all} pings were not folded in time")
        })
    }

    /// Pings a second of a rebuild beside live pings.
    fn rebuild(&mut self, process: &Process) -> Result<f64> {
        let number = LIVE * LIVE_SECONDS;
        let first = self.imported + self.live;
        let live = Requests::plain((first..first + number).map(declared), "POST");
        let probes = self.probes..self.probes + PROBES;
        let (program, data) = (&self.options.highwater, process.data());
        let (runtime, clock) = (&self.runtime, SystemClock::shared());
        let (took, fresh, sent) = thread::scope(|scope| {
            let pace = Pace::Every(Duration::from_secs(1) / u32::try_from(LIVE)?);
            let sending = scope.spawn(move || live.send(&process.edge, usize::try_from(number)?, pace));
            runtime.block_on(task::sleep(AHEAD));
            let probing = scope.spawn(move || runtime.block_on(freshness::probes(process, probes)));
            let begun = clock.monotonic();
            rebuild_by(program, &data)?;
            let took = (clock.monotonic() - begun).as_secs_f64();
            let is_live = !sending.is_finished();
            let joined = |what: &str| anyhow!("the {what} panicked");
            let fresh = probing.join().map_err(|_| joined("prober"))??;
            sending.join().map_err(|_| joined("sender"))??;
            ensure!(
                is_live,
                "the load ended {took:.1} s after the rebuild began, before its end"
            );
            anyhow::Ok((took, fresh, number))
        })?;
        self.live += sent;
        self.probes += PROBES;
        self.fresh.extend(fresh);
        self.took.push(took);
        Ok(first as f64 / took)
    }
}

fn rebuild_by(program: &Path, data: &Path) -> Result<()> {
    let mut command = Command::new(program);
    command
        .args([
            "rebuild",
            "--source",
            DECLARED,
            "--log-filter",
            "warn",
            "--data-dir",
        ])
        .arg(data);
    child::run(&mut command)?;
    Ok(())
}
