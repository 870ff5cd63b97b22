//! How fast the counts move, over the last seconds. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use query::health::Rates;

/// Rates are averages over so long: long enough that a chunk a second is no saw tooth.
const WINDOW: Duration = Duration::from_secs(10);

/// Counts at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    /// By the monotonic clock.
    pub(super) at: Duration,
    /// Pings accepted.
    pub(super) accepted: u64,
    /// Pings in chunks.
    pub(super) chunked: u64,
    /// Pings that the fold has dealt with.
    pub(super) folded: u64,
    /// Bytes in the log.
    pub(super) log_bytes: u64,
}

/// The last samples.
#[derive(Debug, Default)]
pub(super) struct Trend {
    samples: VecDeque<Sample>,
}

impl Trend {
    /// Takes a sample, and answers the changes per second since the oldest one that is kept.
    pub(super) fn add(&mut self, sample: Sample) -> Rates {
        self.samples.push_back(sample);
        while self.samples.len() > 2
            && self
                .samples
                .get(1)
                .is_some_and(|second| sample.at.saturating_sub(second.at) >= WINDOW)
        {
            self.samples.pop_front();
        }
        let first = self.samples.front().copied().unwrap_or(sample);
        let seconds = sample.at.saturating_sub(first.at).as_secs_f64();
        let rate = |now: u64, before: u64| match seconds > 0.0 {
            true => (now as f64 - before as f64) / seconds,
            false => 0.0,
        };
        Rates {
            accepted: rate(sample.accepted, first.accepted),
            chunked: rate(sample.chunked, first.chunked),
            folded: rate(sample.folded, first.folded),
            log_bytes: rate(sample.log_bytes, first.log_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_averages_over_the_window_and_forget_what_lies_before_it() {
        let mut trend = Trend::default();
        let sample = |second: u64, accepted: u64, log_bytes: u64| Sample {
            at: Duration::from_secs(second),
            accepted,
            chunked: 0,
            folded: accepted / 2,
            log_bytes,
        };
        assert_eq!(trend.add(sample(0, 1_000, 500)), Rates::default());
        let rates = trend.add(sample(2, 1_100, 100));
        assert_eq!(
            (rates.accepted, rates.folded, rates.log_bytes),
            (50.0, 25.0, -200.0)
        );
        for second in 3..30 {
            trend.add(sample(second, 1_100, 100));
        }
        assert_eq!(trend.add(sample(30, 1_200, 100)).accepted, 10.0);
        assert!(trend.samples.len() <= 12);
    }
}
