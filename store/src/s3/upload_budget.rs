//! The budget of uploads: bytes that may be under way at once, all objects and all their parts together.

use tokio::sync::{Semaphore, SemaphorePermit};

use super::metrics;

/// What one permit stands for, so that their number fits whatever the setting.
const PERMIT_BYTES: u64 = 4 << 10;

/// The budget of uploads. Whoever waited longest gets it first, so large parts are not kept out by small objects.
#[derive(Debug)]
pub(super) struct UploadBudget {
    permits: Semaphore,
    all: u32,
}

/// What was taken of it, for as long as it lives.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    bytes: f64,
    _permit: SemaphorePermit<'a>,
}

impl UploadBudget {
    /// For so many bytes at once.
    pub(super) fn of(bytes: u64) -> Self {
        let all = u32::try_from(bytes / PERMIT_BYTES).unwrap_or(u32::MAX);
        let all = all.min(u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX));
        Self {
            permits: Semaphore::new(usize::try_from(all).unwrap_or(Semaphore::MAX_PERMITS)),
            all,
        }
    }

    /// Waits for room. What is larger than all of it gets all of it.
    pub(super) async fn take(&self, bytes: u64) -> Taken<'_> {
        let wanted = u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX);
        let permit = self.permits.acquire_many(wanted.min(self.all)).await;
        #[expect(clippy::cast_precision_loss, reason = "a metric")]
        let bytes = bytes as f64;
        metrics::upload_begins(bytes);
        Taken {
            bytes,
            _permit: permit.expect("nobody closes the semaphore"),
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        metrics::upload_ends(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn no_more_is_under_way_than_there_is_room_for() {
        let room = UploadBudget::of(10 * PERMIT_BYTES);
        let six = room.take(6 * PERMIT_BYTES).await;
        let mut context = Context::from_waker(Waker::noop());
        let mut five = pin!(room.take(5 * PERMIT_BYTES));
        assert!(five.as_mut().poll(&mut context).is_pending());
        let mut one = pin!(room.take(1));
        assert!(one.as_mut().poll(&mut context).is_pending(), "nobody overtakes");
        drop(six);
        assert!(five.as_mut().poll(&mut context).is_ready());
        assert!(one.as_mut().poll(&mut context).is_ready());
    }

    #[tokio::test]
    async fn what_is_larger_than_all_room_goes_alone() {
        let room = UploadBudget::of(PERMIT_BYTES);
        drop(room.take(u64::MAX).await);
        drop(room.take(0).await);
    }
}
