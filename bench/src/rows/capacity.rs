//! Capacity: 200s per CPU second of the edge, against nginx that takes each body into a file and answers.
//!
//! Bodies are main pings as Firefox compresses them; those of 1 KB are in `small.rs`. The client of both is this process: it sends the same bodies over as many connections, each as often, and knows when
//! all are answered. What it costs is in neither figure.

use std::fs;

use anyhow::{Result, anyhow, ensure};

use super::load::CONNECTIONS;
use super::metrics::wait_for;
use super::nginx::{self, Bodies, Nginx};
use super::process::{self, Process};
use super::senders::{Pace, Requests};
use crate::options::Options;
use crate::outcome::{Bar, Row};
use crate::pairs::Pairs;
use crate::sample::Sample;

const WORK: &str = "edge, 200s per CPU second";
const WORK_TEMPORARY: &str = "the same, nginx dropping its files";
const PARTITIONS: usize = 50;
/// As often is the sample sent in a run.
const TIMES: usize = 3;
const BAR: Bar = Bar::AtLeast(1.0);

/// Measures ours and nginx alternately, for both things that nginx can do with bodies.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    if let Some(reason) = process::missing(&options.highwater) {
        return Ok(vec![Row::left_out(WORK, reason)]);
    }
    let Some(program) = nginx::program() else {
        return Ok(vec![Row::left_out(WORK, "no nginx: infra/install/peers.sh")]);
    };
    // Both start before anything is measured, and what makes more files goes first and keeps them meanwhile: the file
    // system searches long for a free place where many files were removed.
    let started = [(WORK, Bodies::Kept), (WORK_TEMPORARY, Bodies::Temporary)]
        .map(|(work, bodies)| (work, Nginx::start(&program, bodies)));
    let rows = started.iter().map(|(work, nginx)| {
        let nginx = nginx.as_ref().map_err(|error| anyhow!("{error:#}"));
        let row = nginx.and_then(|nginx| {
            let requests = Requests::new(&sample.pings, "PUT", PARTITIONS);
            alternate(options, &requests, work, nginx, BAR)
        });
        row.unwrap_or_else(|error| Row::left_out(*work, format!("{error:#}")))
    });
    Ok(rows.collect())
}

/// Pairs of these requests, each sent some times a run.
pub(crate) fn alternate(
    options: &Options,
    requests: &Requests,
    work: &str,
    nginx: &Nginx,
    bar: Bar,
) -> Result<Row> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Nothing is sealed, neither by age nor because the log fills.
    let settings = [
        "--seal-age",
        "1h",
        "--log-budget",
        "64GiB",
        "--new-partitions",
        "1000000",
    ];
    let process = runtime.block_on(Process::edge_with(&options.highwater, &settings))?;
    let number = requests.len() * TIMES;
    let (mut ours_sent, mut theirs_sent) = (0, 0);
    let ours = || {
        let before = process.threads()?;
        requests.send(&process.edge, number, Pace::Closed)?;
        ours_sent += number;
        Ok(number as f64 / process.threads()?.seconds_since(&before))
    };
    let theirs = || {
        let before = nginx.threads()?;
        requests.send(&nginx.address, number, Pace::Closed)?;
        theirs_sent += number;
        Ok(number as f64 / nginx.threads()?.seconds_since(&before))
    };
    let pairs = Pairs::alternate(options.pairs, ours, theirs)?;
    let waiting = [("highwater_edge_waiting_pings", ours_sent as f64)];
    runtime.block_on(wait_for(&process.edge, &waiting))?;
    let due = match nginx.does {
        Bodies::Temporary => 0,
        Bodies::Kept => theirs_sent,
    };
    let files = nginx.bodies()?;
    ensure!(files == due, "nginx keeps {files} bodies in files, not {due}");
    let syncs = runtime
        .block_on(process.metrics())?
        .value("highwater_edge_log_commits_total")
        .unwrap_or(f64::NAN);
    let (against, what) = match nginx.does {
        Bodies::Temporary => (
            "nginx, bodies to temporary files",
            "which is gone with the answer",
        ),
        Bodies::Kept => ("nginx, bodies to files that stay", "under its own name"),
    };
    let note = format!(
        "{number} PUTs a run over {CONNECTIONS} connections, from one client in this process; ours syncs \
         each body before its 200 ({:.1} share a sync) and seals nothing meanwhile; {} with two workers writes each body \
         to a file, {what}, and syncs nothing; ours had {:.1} MB of memory at most, and {} files of its log",
        ours_sent as f64 / syncs,
        nginx.version()?,
        process.peak_megabytes()?,
        fs::read_dir(process.log())?.count()
    );
    Ok(Row::compared(work, against, bar, "1/s", pairs).note(note))
}
