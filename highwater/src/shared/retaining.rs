//! Retention where store, index and aggregates are shared: all aggregators stand still for the moment in which a floor is
//! raised, since whoever retains claims all of their leases.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aggregate_store::{Holder, Leases, standing_holder};
use aggregator::Aggregator;
use aggregator::fold::FoldSettings;
use anyhow::Context;
use async_trait::async_trait;
use index_schema::{Forgotten, Lowered, RetainIndex};
use ping::{SubmissionDate, Timestamp};
use retention::{Consent, Parts, Retained, Retainer, Standstill};
use service::clock::{Clock, SystemClock};
use service::current::Current;
use service::random::{Random, SystemRandom};
use service::task;
use store::ObservedStore;

use super::query::belong_together;
use crate::data::Data;
use crate::places::{self, SharedIndex};

/// How long the others stand still when this process dies meanwhile.
const STANDSTILL: Duration = Duration::from_secs(120);

/// Retention over shared parts.
pub(crate) struct SharedRetention {
    retainer: Retainer,
    index: Arc<dyn RetainIndex>,
    everybody: Arc<Everybody>,
    clock: Arc<dyn Clock>,
}

/// All aggregators, as they can be held up.
#[derive(Debug)]
struct Everybody {
    leases: Arc<dyn Leases>,
    /// Who held them up last.
    last: Mutex<Option<Holder>>,
    /// Folds nothing itself, and settles what the others have written.
    settling: Arc<Aggregator>,
}

/// For as long as it lasts nobody folds.
struct Standing(Arc<dyn Leases>, Holder);

impl Everybody {
    /// Gives back what is held, if anything is.
    async fn go_on(&self) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(holder) = last {
            leave(&*self.leases, holder).await;
        }
    }
}

impl SharedRetention {
    /// Opens all of it.
    ///
    /// # Errors
    /// When one of them is not named, or cannot be opened.
    pub(crate) async fn open(data: &Data) -> anyhow::Result<Self> {
        let mut rules = data.retention_rules()?;
        let settings = data.aggregator_settings()?;
        let clock = SystemClock::shared();
        let (kept, SharedIndex { index, .. }, aggregates) = places::open_all_shared(data).await?;
        belong_together(index.as_ref(), aggregates.incarnation).await?;
        if let Some(version) = aggregates.store.fold_version().await? {
            // What the aggregators go by, whatever this command was told: else it might delete what tells a repeat.
            rules.repeat_window = FoldSettings::repeat_window_of(&version).with_context(|| {
                format!(
                    "the aggregates were folded with settings that this program cannot read: {}",
                    version.settings
                )
            })?;
        }
        let store = Arc::new(ObservedStore::new(kept));
        let current = Arc::new(Current::new(aggregates.store));
        let settling = Aggregator::new(index.clone(), store.clone(), current, clock.clone(), settings);
        let everybody = Arc::new(Everybody {
            leases: aggregates.leases,
            last: Mutex::default(),
            settling,
        });
        let parts = Parts {
            store,
            index: index.clone(),
            aggregates: Arc::new(Current::new(aggregates.retained)),
            folding: everybody.clone(),
        };
        Ok(Self {
            retainer: Retainer::new(parts, rules),
            index,
            everybody,
            clock,
        })
    }

    /// What a run would do.
    ///
    /// # Errors
    /// When a question could not be answered.
    pub(crate) async fn look(&self) -> anyhow::Result<Retained> {
        Ok(self.retainer.look(self.now().submission_date()).await?)
    }

    /// Lowers the floors to a day. What came below them and is above them now, a comparison of store and index adds.
    ///
    /// # Errors
    /// When the index refused: then they are as before.
    pub(crate) async fn lower_floors(&self, to: SubmissionDate) -> anyhow::Result<Lowered> {
        Ok(self.index.lower_floors(to).await?)
    }

    /// One run.
    ///
    /// # Errors
    /// When it did not end; the next one goes on.
    pub(crate) async fn run(&self, consent: Consent) -> anyhow::Result<Retained> {
        let retained = self.retainer.run(self.now().submission_date(), consent).await;
        // The process ends next, and what it gave back beside the work may not have arrived.
        self.everybody.go_on().await;
        Ok(retained?)
    }

    /// Forgets one object.
    ///
    /// # Errors
    /// When it was not forgotten.
    pub(crate) async fn forget(&self, key: &str, why: &str) -> anyhow::Result<Forgotten> {
        let forgotten = self.retainer.forget(key, why, self.now()).await;
        self.everybody.go_on().await;
        Ok(forgotten?)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.clock.now_micros())
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
                "another `retain` or `forget-chunk` is at it, or ended within the last two minutes without a word".to_owned(),
            );
        }
        let standing = Standing(self.leases.clone(), holder);
        let settled = self.settling.stand_still().await;
        drop(settled.map_err(|error| error.to_string())?);
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
