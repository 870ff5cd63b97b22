//! Small: 200s per CPU second of the edge for pings of 1 KB that are not compressed, against nginx that keeps a file of each.

use anyhow::Result;

use super::capacity::alternate;
use super::nginx::{self, Bodies, Nginx};
use super::process;
use super::senders::Requests;
use crate::options::Options;
use crate::outcome::{Bar, Row};
use crate::sample::Sample;
use crate::small_pings::declared;

const WORK: &str = "edge, 200s per CPU second, pings of 1 KB";
const BAR: Bar = Bar::AtLeast(2.0);
/// Small pings for each one of the sample.
const TIMES: u64 = 10;

/// Measures ours and nginx alternately.
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    if let Some(reason) = process::missing(&options.highwater) {
        return Ok(vec![Row::left_out(WORK, reason)]);
    }
    let Some(program) = nginx::program() else {
        return Ok(vec![Row::left_out(WORK, "no nginx: infra/install/peers.sh")]);
    };
    let requests = Requests::plain((0..sample.pings.len() as u64 * TIMES).map(declared), "PUT");
    let row = Nginx::start(&program, Bodies::Kept)
        .and_then(|nginx| alternate(options, &requests, WORK, &nginx, BAR));
    Ok(vec![row.unwrap_or_else(|error| {
        Row::left_out(WORK, format!("{error:#}"))
    })])
}
