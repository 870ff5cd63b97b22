//! How often requests may be tried again, all of them together. Pure.

use super::limits::SUCCESSES_PER_RETRY;

/// Tries again that are left, counted in successes that pay for them.
#[derive(Debug)]
pub(super) struct RetryBudget {
    left: u32,
    full: u32,
}

impl RetryBudget {
    /// A full one.
    pub(super) const fn of(retries: u32) -> Self {
        let full = retries.saturating_mul(SUCCESSES_PER_RETRY);
        Self { left: full, full }
    }

    /// Takes one try again, if one is left.
    pub(super) const fn take(&mut self) -> bool {
        match self.left.checked_sub(SUCCESSES_PER_RETRY) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    /// A request has succeeded.
    pub(super) fn succeeded(&mut self) {
        self.left = self.left.saturating_add(1).min(self.full);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_comes_back_by_successes_and_never_exceeds_the_whole() {
        let mut budget = RetryBudget::of(2);
        assert!(budget.take() && budget.take() && !budget.take());
        for _ in 0..SUCCESSES_PER_RETRY - 1 {
            budget.succeeded();
            assert!(!budget.take());
        }
        budget.succeeded();
        assert!(budget.take() && !budget.take());
        for _ in 0..100 * SUCCESSES_PER_RETRY {
            budget.succeeded();
        }
        assert!(budget.take() && budget.take() && !budget.take());
    }

    #[test]
    fn an_empty_one_gives_nothing() {
        let mut budget = RetryBudget::of(0);
        budget.succeeded();
        assert!(!budget.take());
    }
}
