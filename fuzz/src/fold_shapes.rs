//! Target: the fold against its oracle on whole pings, broken in named ways. The input is not the ping but numbers of which
//! one is made, so that a corpus of large pings takes a few bytes.

use std::sync::LazyLock;

use ping::SubmissionDate;
use sample_pings::{Mutation, Options, Population, mutate};

use crate::fold;
use crate::parts::Input;

static POPULATION: LazyLock<Population> = LazyLock::new(|| Population::new(19, Options::default()));

/// The number of a generated ping, then the seeds of mutations, eight bytes each, at most four.
pub fn target(data: &[u8]) {
    let mut input = Input(data);
    let day: SubmissionDate = "20170130".parse().expect("a date");
    let mut body = POPULATION.ping(input.short() as u64, day.start()).body;
    for _ in 0..4 {
        if input.is_empty() {
            break;
        }
        let mut seed = [0; 8];
        let taken = input.take(8);
        seed[..taken.len()].copy_from_slice(taken);
        body = mutate(u64::from_le_bytes(seed), &body).1;
    }
    fold::target(&body);
}

/// A ping as it is, and one broken in each way.
pub fn seeds() -> Vec<Vec<u8>> {
    let way_of = |seed: u64| mutate(seed, b"{}").0;
    let whole = vec![vec![0, 0]];
    let ways = Mutation::ALL.iter().enumerate();
    let broken = ways.filter_map(|(number, way)| {
        let seed = (0..1_000).find(|seed| way_of(*seed) == *way)?;
        Some([&[number as u8, 0], seed.to_le_bytes().as_slice()].concat())
    });
    whole.into_iter().chain(broken).collect()
}
