//! Freshness: from the POST of a ping to its number in the API, in one process with chunks sealed after a second.
//!
//! A latency, not a ratio: on a busy machine it says less than the rows above.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use ping::Timestamp;
use sample_pings::gzip;
use serde_json::Value;
use service::clock::{Clock, SystemClock};
use service::task;

use super::client::Client;
use super::partition::uri_of;
use super::process::{self, Process};
use crate::bodies::Sent;
use crate::options::Options;
use crate::outcome::Row;
use crate::sample::Sample;

const PROBES: usize = 100;
/// From one probe to the next.
pub(super) const PACE: Duration = Duration::from_millis(100);
/// From one question for a probe's number to the next.
const POLL: Duration = Duration::from_millis(50);
/// A probe that is not counted by then was lost.
const PATIENCE: Duration = Duration::from_secs(30);
/// Sample pings a second beside the probes, each in its own partition: light load.
const LOAD_PACE: Duration = Duration::from_millis(50);
/// The seconds from a POST to its number that are good.
pub(super) const BAR_SECONDS: f64 = 3.0;

/// Measures freshness, and the memory it took.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    let work = "freshness, POST to number";
    if let Some(reason) = process::missing(&options.highwater) {
        return Ok(vec![Row::left_out(work, reason)]);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match runtime.block_on(probe_all(options, sample)) {
        Ok(rows) => Ok(rows),
        Err(error) => Ok(vec![Row::left_out(work, format!("{error:#}"))]),
    }
}

async fn probe_all(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    let process = Process::serve(&options.highwater, "1s").await?;
    let load = task::spawn(
        "light load",
        light_load(process.edge.clone(), sample.pings.clone()),
    );
    let seconds = probes(&process, 0..PROBES).await?;
    load.abort();
    let at = |share: f64| seconds[((seconds.len() - 1) as f64 * share).round() as usize];
    let note = format!(
        "{PROBES} probes, one each {} ms, asked for each {} ms, each in its own \
         partition, beside {:.0} sample pings a second of about as many; fastest {:.2} s, slowest {:.2} s",
        PACE.as_millis(),
        POLL.as_millis(),
        1.0 / LOAD_PACE.as_secs_f64(),
        at(0.0),
        at(1.0)
    );
    Ok(vec![
        Row::figure("freshness at seal age 1 s, p50", at(0.5), "s", None),
        Row::figure("freshness at seal age 1 s, p99", at(0.99), "s", Some(BAR_SECONDS)).note(note),
        Row::figure("serve memory in that run", process.peak_megabytes()?, "MB", None),
    ])
}

/// Probes of these numbers, one after the other by [`PACE`]. Answers the seconds of each from its POST to its number, ascending. No
/// number was a probe before.
pub(super) async fn probes(process: &Process, numbers: Range<usize>) -> Result<Vec<f64>> {
    let clock = SystemClock::shared();
    let mut probes = Vec::new();
    for number in numbers {
        let probe = probe(
            process.edge.clone(),
            process.api.clone(),
            number,
            Arc::clone(&clock),
        );
        probes.push(task::spawn("probe", probe));
        task::sleep(PACE).await;
    }
    let mut seconds = Vec::new();
    for probe in probes {
        seconds.push(probe.await??.as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds)
}

/// Posts a ping of a channel of its own and asks until its histogram is in the answer.
async fn probe(edge: String, api: String, number: usize, clock: Arc<dyn Clock>) -> Result<Duration> {
    let (mut edge, mut api) = (Client::connect(&edge).await?, Client::connect(&api).await?);
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("content-encoding", "gzip".to_owned()),
    ];
    let body = gzip(body(number).as_bytes(), 6);
    let document = format!("00000000-0000-4000-8000-{number:012x}");
    let posted = clock.monotonic();
    let answer = edge.post(&uri_of(&document, number), &headers, &body).await?;
    if answer.status != 200 {
        bail!("a probe was answered {}", answer.status);
    }
    let day = Timestamp::from_micros(clock.now_micros()).submission_date();
    let route =
        format!("/aggregates_by/submission_date/channels/probe{number}/?version=54&dates={day}&metric=GC_MS");
    while clock.monotonic() - posted < PATIENCE {
        let answer = api.get(&route).await?;
        if answer.status == 200 {
            let found: Value = serde_json::from_slice(&answer.body)?;
            if found["data"][0]["count"] == 1 {
                return Ok(clock.monotonic() - posted);
            }
            bail!("a probe's answer is not its number: {found}");
        }
        task::sleep(POLL).await;
    }
    bail!("a probe was not counted within {} seconds", PATIENCE.as_secs())
}

fn body(number: usize) -> String {
    format!(
        r#"{{"type":"main","version":4,"clientId":"00000000-0000-4000-9000-{number:012x}",
        "application":{{"channel":"probe{number}","version":"54.0","buildId":"20170420030205","name":"Firefox",
        "architecture":"x86-64"}},"environment":{{"system":{{"os":{{"name":"Linux","version":"4.9"}}}},
        "settings":{{"e10sEnabled":true}}}},"payload":{{"histograms":{{"GC_MS":{{"range":[1,10000],"bucket_count":50,
        "histogram_type":0,"values":{{"0":0,"1":1,"2":0}},"sum":1}}}}}}}}"#
    )
}

async fn light_load(edge: String, pings: Vec<Sent>) -> Result<()> {
    let mut client = Client::connect(&edge).await?;
    for ping in pings.iter().cycle() {
        client.submit(&ping.uri, ping).await?;
        task::sleep(LOAD_PACE).await;
    }
    Ok(())
}
