//! How fast a body comes. Pure: the caller says what time it is.

use std::time::Duration;

use tokio::time::Instant;

/// The shortest time over which a pace is measured: a burst at the beginning earns no more than that.
const MARK_EVERY: Duration = Duration::from_secs(1);

/// The pace of one body, over about the last one to two seconds; none when nothing came for a second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    since: Instant,
    last: Instant,
    bytes: u64,
    /// When so many bytes had come: the last mark but one, from which the pace is measured, and the last.
    marks: [(Instant, u64); 2],
}

impl Pace {
    /// A body that is waited for from now on.
    pub(super) const fn begin(now: Instant) -> Self {
        Self {
            since: now,
            last: now,
            bytes: 0,
            marks: [(now, 0); 2],
        }
    }

    /// Notes that bytes came.
    pub(super) fn add(&mut self, bytes: u64, now: Instant) {
        self.last = now;
        self.bytes += bytes;
        if now.duration_since(self.marks[1].0) >= MARK_EVERY {
            self.marks = [self.marks[1], (now, self.bytes)];
        }
    }

    /// Since when it is waited for.
    pub(super) const fn since(&self) -> Instant {
        self.since
    }

    /// Bytes per second.
    pub(super) fn per_second(&self, now: Instant) -> u64 {
        if now.duration_since(self.last) >= MARK_EVERY {
            return 0;
        }
        let (from, bytes) = self.marks[0];
        let micros = now.duration_since(from).as_micros().max(1);
        let per_second = u128::from(self.bytes - bytes) * 1_000_000 / micros;
        u64::try_from(per_second).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::disallowed_methods,
        reason = "any moment will do: only differences are measured"
    )]
    fn moment() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_burst_at_the_beginning_is_forgotten_once_the_body_trickles() {
        let start = moment();
        let at = |millis| start + Duration::from_millis(millis);
        let (mut burst, mut steady) = (Pace::begin(start), Pace::begin(start));
        burst.add(100_000, at(10));
        for second in 1..=4 {
            burst.add(1, at(second * 1000));
            steady.add(5000, at(second * 1000));
        }
        assert!(burst.per_second(at(4000)) <= 1, "{}", burst.per_second(at(4000)));
        assert_eq!(steady.per_second(at(4000)), 5000);
        assert_eq!((burst.bytes, steady.bytes), (100_004, 20_000));
    }

    #[test]
    fn a_body_that_stalls_has_no_pace_however_much_came_before() {
        let start = moment();
        let mut pace = Pace::begin(start);
        pace.add(4000, start + Duration::from_millis(100));
        assert_eq!(pace.per_second(start + Duration::from_secs(1)), 4000);
        assert_eq!(pace.per_second(start + Duration::from_millis(1100)), 0);
        pace.add(500, start + Duration::from_secs(4));
        assert_eq!(
            pace.per_second(start + Duration::from_secs(5) - Duration::from_millis(1)),
            900
        );
    }
}
