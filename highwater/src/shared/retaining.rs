//! Retention where store, index and aggregates are shared: all aggregators stand still for the moment in which a floor is
//! raised, since whoever retains claims all of their leases.

use std::sync::Arc;

use aggregator::Aggregator;
use aggregator::fold::FoldSettings;
use anyhow::Context;
use index_schema::{Forgotten, Lowered, RetainIndex};
use ping::{SubmissionDate, Timestamp};
use retention::{Consent, Parts, Retained, Retainer};
use service::clock::{Clock, SystemClock};
use service::current::Current;
use store::ObservedStore;

use super::query::belong_together;
use super::standstill::Everybody;
use crate::data::Data;
use crate::declarations::Taken;
use crate::places::{self, SharedIndex};

/// Retention over shared parts.
pub(crate) struct SharedRetention {
    retainer: Retainer,
    index: Arc<dyn RetainIndex>,
    everybody: Arc<Everybody>,
    clock: Arc<dyn Clock>,
}

impl SharedRetention {
    /// Opens all of it.
    ///
    /// # Errors
    /// When one of them is not named, or cannot be opened.
    pub(crate) async fn open(data: &Data) -> anyhow::Result<Self> {
        let declared = Taken::by_files(&data.fold)?.declarations;
        let (mut rules, sources) = (data.retention_rules()?, declared.kept.clone());
        let settings = data.aggregator_settings(&declared)?;
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
        let everybody = Everybody::new(aggregates.leases, Some(settling));
        let parts = Parts {
            store,
            index: index.clone(),
            aggregates: Arc::new(Current::new(aggregates.retained)),
            folding: everybody.clone(),
        };
        Ok(Self {
            retainer: Retainer::with_sources(parts, rules, sources),
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
