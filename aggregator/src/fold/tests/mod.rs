//! The fold against its oracle, on generated, mutated and recorded pings.

mod caps;
mod client_hash;
mod dice;
mod dice_sections;
mod generated;
mod glean;
mod golden;
mod loose_texts;
mod mutations;
mod properties;
mod recorded;
mod strings;

use std::collections::BTreeMap;

use ping::SubmissionDate;
use readers::values::beside::PINGS;

use super::oracle::{self, Key, Sums, Totals};
use super::{Folder, PingError};

/// The day on which the tests' pings are received.
fn day() -> SubmissionDate {
    "20170130".parse().expect("a date")
}

/// What the fold makes of pings, each added as often as its sign says; or why the first errored one is one.
fn fold(pings: &[(&[u8], i64)]) -> Result<Totals, &'static str> {
    let mut folder = Folder::new();
    for (body, sign) in pings {
        folder.read(body, day()).map_err(PingError::reason)?;
        if *sign > 0 {
            folder.add();
        } else {
            folder.subtract();
        }
    }
    Ok(Totals::of(&folder.take()))
}

/// What the oracle makes of one ping.
fn oracle(body: &[u8]) -> Result<Totals, &'static str> {
    oracle::read(body, day()).map(|ping| ping.totals)
}

/// The cells that values of pings make: all but those that count the pings themselves.
fn of_values(totals: Totals) -> BTreeMap<Key, Sums> {
    let cells = totals.cells.into_iter();
    cells.filter(|(key, _)| key.1 != PINGS).collect()
}
