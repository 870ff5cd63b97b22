//! The generated pings of a run.

use ping::{SubmissionDate, Timestamp};
use sample_pings::{Options, Population};

use crate::bodies::Sent;

/// The day on which all pings of the sample are received.
const DAY: u32 = 20_170_424;

/// Pings of one seed.
pub(crate) struct Sample {
    population: Population,
    /// The first of them.
    pub(crate) pings: Vec<Sent>,
}

impl Sample {
    /// The first `pings` pings of a seed.
    pub(crate) fn generate(seed: u64, pings: usize) -> Self {
        let population = Population::new(seed, Options::default());
        let pings = (0..pings as u64)
            .map(|n| Sent::generate(&population, n, received()))
            .collect();
        Self { population, pings }
    }

    /// Any ping of the seed, as sent.
    pub(crate) fn sent(&self, n: usize) -> Sent {
        let known = self.pings.get(n).cloned();
        known.unwrap_or_else(|| Sent::generate(&self.population, n as u64, received()))
    }

    /// URI and body, not compressed, of any ping of the seed.
    pub(crate) fn ping(&self, n: usize) -> (String, Vec<u8>) {
        if let Some(ping) = self.pings.get(n) {
            return (ping.uri.clone(), ping.body.clone());
        }
        let ping = self.population.ping(n as u64, received());
        (ping.uri, ping.body)
    }

    /// URI and body of those of the first `pings` pings that are no repeats.
    pub(crate) fn firsts(&self, pings: usize) -> impl Iterator<Item = (String, Vec<u8>)> {
        self.first_numbers(pings).map(|n| self.ping(n))
    }

    /// The numbers of those of the first `pings` pings that are no repeats.
    pub(crate) fn first_numbers(&self, pings: usize) -> impl Iterator<Item = usize> {
        (0..pings).filter(|n| self.population.original(*n as u64) == *n as u64)
    }

    /// Bytes of all bodies.
    pub(crate) fn body_bytes(&self) -> usize {
        self.pings.iter().map(|ping| ping.body.len()).sum()
    }

    /// Bytes of all bodies as sent.
    pub(crate) fn gzip_bytes(&self) -> usize {
        self.pings.iter().map(|ping| ping.gzip.len()).sum()
    }
}

/// The day of receipt.
pub(crate) fn day() -> SubmissionDate {
    SubmissionDate::from_yyyymmdd(DAY).expect("a day of the calendar")
}

/// The moment of receipt.
pub(crate) fn received() -> Timestamp {
    day().start()
}
