//! The command: starts the pipeline, sends, shows how it goes, and compares at the end if asked to.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ping::Timestamp;
use sample_pings::{Options, Population};
use service::clock::{Clock, SystemClock};
use service::shutdown::Signals;
use service::task;
use tokio::sync::mpsc;

use super::ledger::{Counted, Sent};
use super::number::Numbers;
use super::progress::Progress;
use super::sender::Sender;
use crate::cli::{Demo, Serve};
use crate::pipeline::Pipeline;

/// How often the status is shown and the directory measured.
const SHOW_EVERY: Duration = Duration::from_millis(500);

/// Lines of a dump that may wait to be read.
const LINES_WAITING: usize = 1_024;

/// Runs the command.
pub(crate) async fn run(demo: &Demo) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::catch()?;
    let clock = SystemClock::shared();
    let pipeline = Pipeline::start(&Serve::for_demo(demo), clock.clone()).await?;
    print_welcome(&pipeline)?;
    let ended = tokio::select! {
        _ = signals.next() => Ok(ExitCode::SUCCESS),
        failure = pipeline.failed() => Err(failure),
        finished = drive(demo, &pipeline, clock) => finished,
    };
    pipeline.stop().await?;
    ended
}

/// Sends what was asked for, then shows how it goes until the end.
async fn drive(demo: &Demo, pipeline: &Pipeline, clock: Arc<dyn Clock>) -> anyhow::Result<ExitCode> {
    let mut run = Run::new(demo, pipeline, clock)?;
    let before = if demo.exit {
        run.counted_when_settled().await?
    } else {
        Counted::default()
    };
    run.send_all().await?;
    run.wait_until_settled().await?;
    if !demo.exit {
        loop {
            run.show("").await?;
            task::sleep(SHOW_EVERY).await;
        }
    }
    let after = run.counted_when_settled().await?;
    run.progress.finish();
    Ok(match run.sent.compare(&before, &after) {
        Ok(text) => {
            write!(io::stdout(), "{text}")?;
            ExitCode::SUCCESS
        }
        Err(text) => {
            writeln!(io::stdout(), "{text}")?;
            ExitCode::FAILURE
        }
    })
}

/// One run of sending.
struct Run<'a> {
    demo: &'a Demo,
    pipeline: &'a Pipeline,
    clock: Arc<dyn Clock>,
    sender: Sender,
    numbers: Numbers,
    sent: Sent,
    progress: Progress,
    shown: Duration,
}

impl<'a> Run<'a> {
    fn new(demo: &'a Demo, pipeline: &'a Pipeline, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let today = Timestamp::from_micros(clock.now_micros()).submission_date();
        let population = Population::new(
            demo.seed,
            Options {
                newest_build: today,
                ..Options::default()
            },
        );
        let sender = Sender::new(pipeline.edge_address(), population, demo.rate, clock.clone());
        let numbers = Numbers::open(&demo.data_dir)?;
        let shown = Duration::ZERO;
        Ok(Self {
            demo,
            pipeline,
            clock,
            sender,
            numbers,
            sent: Sent::default(),
            progress: Progress::new(),
            shown,
        })
    }

    async fn send_all(&mut self) -> anyhow::Result<()> {
        while self.demo.pings.is_none_or(|pings| self.sent.pings() < pings) {
            let number = self.numbers.take()?;
            // A repeat of a ping of an earlier run would add nothing: it is not this run's to count.
            if self.sender.original(number) >= self.numbers.first() {
                let ping = self.sender.send(number).await?;
                if self.demo.exit {
                    self.sent.add(&ping);
                } else {
                    self.sent.count();
                }
            }
            if self.clock.monotonic() >= self.shown + SHOW_EVERY {
                self.show("").await?;
                self.pause_while_large().await?;
            }
        }
        Ok(())
    }

    /// A demo must not fill a disk: older days go, and when today alone takes the room, sending pauses.
    async fn pause_while_large(&mut self) -> anyhow::Result<()> {
        let limit = self.demo.data_limit;
        let mut told = false;
        while folder_bytes(&self.demo.data_dir) > limit.0 {
            if let Err(error) = self.pipeline.retain().await {
                tracing::warn!(%error, "older days could not be deleted");
            }
            if !told {
                self.progress.finish();
                let folder = self.demo.data_dir.display();
                eprintln!(
                    "sending is paused: {folder} holds {limit}; remove the folder to begin anew (the page stays up)"
                );
                told = true;
            }
            self.show(&format!("  sending is paused at {limit}")).await?;
            task::sleep(10 * SHOW_EVERY).await;
        }
        Ok(())
    }

    async fn show(&mut self, note: &str) -> anyhow::Result<()> {
        self.shown = self.clock.monotonic();
        let status = self.pipeline.status().await?;
        let now = Timestamp::from_micros(self.clock.now_micros());
        let age = status
            .newest_received
            .map(|newest| Duration::from_micros(u64::try_from(now.micros_since(newest)).unwrap_or(0)));
        self.progress.show(&status, age, note, self.shown);
        Ok(())
    }

    async fn wait_until_settled(&mut self) -> anyhow::Result<()> {
        while !self.pipeline.status().await?.is_settled() {
            self.show("").await?;
            task::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    async fn counted_when_settled(&mut self) -> anyhow::Result<Counted> {
        self.wait_until_settled().await?;
        let (sender, mut lines) = mpsc::channel(LINES_WAITING);
        let aggregates = self.pipeline.aggregates();
        let dump = task::spawn("dump", async move { aggregates.dump(sender).await });
        let mut counted = Counted::default();
        while let Some(line) = lines.recv().await {
            counted.add_line(&line)?;
        }
        dump.await??;
        Ok(counted)
    }
}

fn print_welcome(pipeline: &Pipeline) -> io::Result<()> {
    let (edge, api) = (pipeline.edge_address(), pipeline.api_address());
    let body = r#"{"clientId":"5f3a1c2e-7d64-4b0a-9c1e-2a671118dccd","application":{"name":"Firefox","channel":"nightly","version":"54.0a1","buildId":"20170130030205"},"payload":{"histograms":{"GC_MS":{"range":[1,10000],"bucket_count":50,"histogram_type":0,"values":{"7":1},"sum":7}}}}"#;
    writeln!(
        io::stdout(),
        "The page: http://{api}/\n\n\
         Post your own ping:\n  curl -d '{body}' 'http://{edge}/submit/telemetry/c4582ba1-79fc-4f47-8e2a-671118dccd8b/main/Firefox/54.0a1/nightly/20170130030205?v=4'\n\
         Read its number:\n  curl 'http://{api}/aggregates_by/build_id/channels/nightly/?version=54&dates=20170130&metric=GC_MS'\n\n\
         Ctrl-C ends it; started again, it goes on with the same data."
    )
}

/// Bytes of all files below a folder. What vanishes meanwhile does not count.
fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
