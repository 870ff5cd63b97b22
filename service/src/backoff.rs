//! A back-off: the waits between tries of something that fails, each twice as long as the one before, up to the longest. Pure.

use std::time::Duration;

use crate::random::Random;

/// Waits that grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    next: Duration,
    longest: Duration,
}

impl Backoff {
    /// The waits `first`, twice `first`, and so on, none of them above `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            next: first.min(longest),
            longest,
        }
    }

    /// The next wait; the one after it is twice as long.
    pub fn grow(&mut self) -> Duration {
        let wait = self.next;
        self.next = wait.saturating_mul(2).min(self.longest);
        wait
    }

    /// The next wait, which stays the next.
    pub const fn next_wait(&self) -> Duration {
        self.next
    }

    /// Waits grow up to this from now on.
    pub fn up_to(&mut self, longest: Duration) {
        self.longest = longest;
        self.next = self.next.min(longest);
    }

    /// Something has worked: the first wait is the next again.
    pub fn reset(&mut self) {
        self.next = self.first.min(self.longest);
    }
}

/// A wait drawn between a share of this one and the whole of it, so that many who failed at one time do not try again at one
/// time.
pub fn drawn(wait: Duration, least_share: f64, random: &dyn Random) -> Duration {
    let drawn = f64::from(random.bits()[0]) / f64::from(u8::MAX);
    wait.mul_f64(least_share + (1.0 - least_share) * drawn)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::SeededRandom;

    proptest! {
        #[test]
        fn each_wait_is_twice_the_one_before_until_the_longest_and_the_first_after_a_success(
            first in 1_u64..1_000, longest in 1_u64..100_000, tries in prop::collection::vec(any::<bool>(), 1..60),
        ) {
            let ms = Duration::from_millis;
            let mut backoff = Backoff::new(ms(first), ms(longest));
            let mut failures = 0_u32;
            for worked in tries {
                if worked {
                    backoff.reset();
                    failures = 0;
                } else {
                    let slow = (0..failures).fold(u128::from(first), |wait, _| wait * 2).min(u128::from(longest));
                    prop_assert_eq!(backoff.next_wait().as_millis(), slow);
                    prop_assert_eq!(backoff.grow().as_millis(), slow);
                    failures += 1;
                }
            }
        }

        #[test]
        fn a_drawn_wait_lies_between_its_share_and_the_whole(wait in 0_u64..1_000_000, share in 0.0_f64..=1.0, seed: u64) {
            let wait = Duration::from_micros(wait);
            let drawn = drawn(wait, share, &*SeededRandom::new(seed));
            // Rounded to whole nanoseconds.
            prop_assert!(drawn + Duration::from_nanos(1) >= wait.mul_f64(share) && drawn <= wait);
        }
    }

    #[test]
    fn a_longer_or_shorter_bound_holds_from_the_next_wait_on() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(100), ms(400));
        assert_eq!(
            [backoff.grow(), backoff.grow(), backoff.grow()],
            [ms(100), ms(200), ms(400)]
        );
        backoff.up_to(ms(1_000));
        assert_eq!(
            [backoff.grow(), backoff.grow(), backoff.grow()],
            [ms(400), ms(800), ms(1_000)]
        );
        backoff.up_to(ms(300));
        assert_eq!(backoff.grow(), ms(300));
    }
}
