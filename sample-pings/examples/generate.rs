//! Generates pings and says how many bytes they are: run it under `time` for what one costs.
//!
//! `cargo run --release -p sample-pings --example generate -- 10000`
#![expect(clippy::print_stdout, reason = "its output is what it is run for")]

use ping::Timestamp;
use sample_pings::{Options, Population};

fn main() {
    let wish = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let pings: u64 = wish.unwrap_or(2_000);
    let population = Population::new(1, Options::default());
    let received = Timestamp::from_micros(1_493_000_000_000_000);
    let bytes: usize = (0..pings).map(|n| population.ping(n, received).body.len()).sum();
    println!(
        "{pings} pings of {} bytes on average",
        bytes as u64 / pings.max(1)
    );
}
