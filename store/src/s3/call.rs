//! One request with its tries: time-outs, waits between tries, the budget for them, and the count of all of it.
//!
//! The SDK's own retries are off: they end before an answer's body is read, and know nothing of puts that may be repeated.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use service::backoff::{Backoff, drawn};
use service::clock::Clock;
use service::random::Random;

use super::failure::Failure;
use super::metrics;
use super::operation::Operation;
use super::reason::Reason;
use super::retry_budget::RetryBudget;
use super::settings::S3Settings;

/// Makes requests.
#[derive(Debug)]
pub(super) struct Caller {
    answer_timeout: Duration,
    bytes_per_second_min: u64,
    tries_max: u32,
    backoff: Backoff,
    budget: Mutex<RetryBudget>,
    random: Arc<dyn Random>,
    clock: Arc<dyn Clock>,
}

/// A request that was given up.
#[derive(Clone, Debug)]
pub(super) struct GivenUp {
    pub(super) operation: Operation,
    /// How the last try failed.
    pub(super) failure: Failure,
    pub(super) tries: u32,
    /// Whether any of the tries may have changed an object.
    pub(super) may_have_happened: bool,
}

impl Caller {
    pub(super) fn new(settings: &S3Settings, random: Arc<dyn Random>, clock: Arc<dyn Clock>) -> Self {
        Self {
            answer_timeout: settings.answer_timeout,
            bytes_per_second_min: settings.bytes_per_second_min,
            tries_max: settings.tries_max,
            backoff: Backoff::new(settings.retry_wait, settings.retry_wait_max),
            budget: Mutex::new(RetryBudget::of(settings.retry_budget)),
            random,
            clock,
        }
    }

    /// Makes a request until it succeeds, fails for good, or was tried often enough. Each try gets time for so many bytes.
    pub(super) async fn call<T, F>(
        &self,
        operation: Operation,
        bytes: u64,
        request: impl Fn() -> F + Send + Sync,
    ) -> Result<T, GivenUp>
    where
        F: Future<Output = Result<T, Failure>> + Send,
        T: Send,
    {
        self.tries(operation, || self.within(bytes, request())).await
    }

    /// The same for a request whose answer takes so long beyond that of others, whatever is sent.
    pub(super) async fn call_for<T, F>(
        &self,
        operation: Operation,
        work: Duration,
        request: impl Fn() -> F + Send + Sync,
    ) -> Result<T, GivenUp>
    where
        F: Future<Output = Result<T, Failure>> + Send,
        T: Send,
    {
        let allowed = self.answer_timeout + work;
        self.tries(operation, || within(allowed, request())).await
    }

    /// The same for a request that takes care of its own time.
    pub(super) async fn tries<T, F>(
        &self,
        operation: Operation,
        request: impl Fn() -> F + Send + Sync,
    ) -> Result<T, GivenUp>
    where
        F: Future<Output = Result<T, Failure>> + Send,
        T: Send,
    {
        let (mut backoff, mut tries, mut may_have_happened) = (self.backoff, 0, false);
        loop {
            tries += 1;
            let failure = match request().await {
                Ok(done) => {
                    self.succeeded(operation);
                    return Ok(done);
                }
                Err(failure) => failure,
            };
            let failure = self.noted(operation, failure);
            may_have_happened |= operation.changes_objects() && failure.reason.may_have_happened();
            if !self.goes_on(operation, failure.reason, tries) {
                return Err(GivenUp {
                    operation,
                    failure,
                    tries,
                    may_have_happened,
                });
            }
            tracing::debug!(
                operation = operation.name(),
                said = failure.said,
                tries,
                "S3 is asked again"
            );
            self.pause(backoff.grow()).await;
        }
    }

    /// Waits for something that takes or brings so many bytes, as long as that may take.
    pub(super) async fn within<T>(
        &self,
        bytes: u64,
        done: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Failure> {
        let allowed = self.answer_timeout + Duration::from_secs(bytes / self.bytes_per_second_min);
        within(allowed, done).await
    }

    /// Waits between nothing and all of this.
    pub(super) async fn pause(&self, longest: Duration) {
        service::task::sleep(drawn(longest, 0.0, &*self.random)).await;
    }

    fn succeeded(&self, operation: Operation) {
        metrics::count_request(operation, "ok");
        metrics::set_clock_skew(0.0);
        self.budget
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .succeeded();
    }

    fn goes_on(&self, operation: Operation, reason: Reason, tries: u32) -> bool {
        if !reason.is_worth_another_try(operation) || tries >= self.tries_max {
            return false;
        }
        let left = self.budget.lock().unwrap_or_else(PoisonError::into_inner).take();
        if !left {
            metrics::count_untried_retry();
        }
        left
    }

    /// Counts a failure, and says by how much the clocks differ.
    fn noted(&self, operation: Operation, mut failure: Failure) -> Failure {
        metrics::count_request(operation, failure.reason.label());
        if let Some(server_time) = failure.server_time {
            let ahead = self.clock.now_micros() / 1_000_000 - server_time;
            #[expect(clippy::cast_precision_loss, reason = "a metric")]
            metrics::set_clock_skew(ahead as f64);
            let which = if ahead < 0 { "behind" } else { "ahead of" };
            failure.said += &format!(" (this machine's is {} s {which} S3's)", ahead.abs());
        }
        failure
    }
}

async fn within<T>(
    allowed: Duration,
    done: impl Future<Output = Result<T, Failure>> + Send,
) -> Result<T, Failure> {
    tokio::select! {
        biased;
        done = done => done,
        () = service::task::sleep(allowed) => {
            Err(Failure::new(Reason::NoAnswer, format!("no whole answer within {allowed:?}")))
        }
    }
}

impl GivenUp {
    pub(super) const fn reason(&self) -> Reason {
        self.failure.reason
    }
}
