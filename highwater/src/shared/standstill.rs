//! All aggregators stand still for a moment: whoever holds them up claims all of their leases.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aggregate_store::{Holder, Leases, standing_holder};
use aggregator::Aggregator;
use async_trait::async_trait;
use retention::Standstill;
use service::random::{Random, SystemRandom};
use service::task;

/// How long the others stand still when this process dies meanwhile.
const STANDSTILL: Duration = Duration::from_secs(120);

/// All aggregators, as they can be held up.
#[derive(Debug)]
pub(super) struct Everybody {
    leases: Arc<dyn Leases>,
    /// Who held them up last.
    last: Mutex<Option<Holder>>,
    /// Folds nothing itself, and settles what the others have written; none where nothing hangs on that.
    settling: Option<Arc<Aggregator>>,
}

/// For as long as it lasts nobody folds.
struct Standing(Arc<dyn Leases>, Holder);

impl Everybody {
    /// Whoever folds by these leases.
    pub(super) fn new(leases: Arc<dyn Leases>, settling: Option<Arc<Aggregator>>) -> Arc<Self> {
        Arc::new(Self {
            leases,
            last: Mutex::default(),
            settling,
        })
    }

    /// Gives back what is held, if anything is.
    pub(super) async fn go_on(&self) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(holder) = last {
            leave(&*self.leases, holder).await;
        }
    }
}

#[async_trait]
impl Standstill for Everybody {
    async fn stand_still<'a>(&'a self) -> Result<Box<dyn Send + 'a>, String> {
        // The one before may not have been given back yet.
        self.go_on().await;
        let holder = standing_holder(SystemRandom.bits());
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(holder);
        let taken = self.leases.take_all(holder, STANDSTILL).await;
        if !taken.map_err(|error| error.to_string())? {
            return Err(
                "another `retain`, `forget-chunk` or `rebuild` is at it, or ended within the last two minutes without a word".to_owned(),
            );
        }
        let standing = Standing(self.leases.clone(), holder);
        if let Some(settling) = &self.settling {
            drop(settling.stand_still().await.map_err(|error| error.to_string())?);
        }
        Ok(Box::new(standing))
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        let (leases, holder) = (self.0.clone(), self.1);
        task::spawn("leave", async move { leave(&*leases, holder).await });
    }
}

async fn leave(leases: &dyn Leases, holder: Holder) {
    if let Err(error) = leases.leave(holder).await {
        tracing::warn!(%error, "the leases could not be given back; they end by themselves within two minutes");
    }
}
