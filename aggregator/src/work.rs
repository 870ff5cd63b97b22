//! What folding needs: the doors, the settings, and what is known of copies that cannot be read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aggregate_store::{AggregateStore, Rebuild};
use index_schema::{Index, IndexEntry};
use ping::{SubmissionDate, Timestamp};
use service::clock::Clock;
use service::current::Current;
use store::Store;

use crate::error::AggregatorError;
use crate::fold::{FoldSettings, Products, Standing, inflated_bytes_of};
use crate::reader::Reader;
use crate::scope::Scope;
use crate::settings::AggregatorSettings;
use crate::unreadable::Unreadable;

/// By what a batch is folded, and into which epochs.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) fold: FoldSettings,
    pub(crate) scope: Scope,
}

/// What folding needs.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) index: Arc<dyn Index>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: AggregatorSettings,
    /// The declared products that this program was given last.
    given: Current<Products>,
    unreadable: Mutex<Arc<Unreadable>>,
    /// The declared products by whose rules it was folded last.
    products: Mutex<Products>,
    read_last: Mutex<Option<IndexEntry>>,
}

impl Work {
    pub(crate) fn new(
        index: Arc<dyn Index>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        settings: AggregatorSettings,
    ) -> Self {
        let given = Current::new(Arc::new(settings.fold.products.clone()));
        Self {
            index,
            store,
            clock,
            settings,
            given,
            unreadable: Mutex::default(),
            products: Mutex::default(),
            read_last: Mutex::default(),
        }
    }

    /// The declared products that this program was given last.
    pub(crate) fn given(&self) -> Arc<Products> {
        self.given.get()
    }

    /// Other declared products are given from now on.
    pub(crate) fn give(&self, products: Products) {
        self.given.exchange(Arc::new(products));
    }

    /// The day by the clock.
    pub(crate) fn today(&self) -> SubmissionDate {
        Timestamp::from_micros(self.clock.now_micros()).submission_date()
    }

    /// Copies that cannot be read, as far as is known.
    pub(crate) fn unreadable(&self) -> MutexGuard<'_, Arc<Unreadable>> {
        self.unreadable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what could not be read: who repaired it wants it tried.
    pub(crate) fn try_all_again(&self) {
        *self.unreadable() = Arc::default();
    }

    /// Notes a chunk that could be read.
    pub(crate) fn note_read(&self, entry: &IndexEntry) {
        *self.read_last.lock().unwrap_or_else(PoisonError::into_inner) = Some(entry.clone());
    }

    /// Whether the store answers at all, when a chunk cannot be reached: then that is the chunk's own trouble. Asks for the
    /// chunk that was read last, else for a list.
    pub(crate) async fn store_answers(&self) -> bool {
        let read_last = self
            .read_last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match read_last {
            Some(entry) => {
                let opened = Reader::new(Arc::clone(&self.store)).open(&entry).await;
                !matches!(opened, Err(AggregatorError::Unreachable { .. }))
            }
            None => self.store.list("", None, 1).await.is_ok(),
        }
    }

    /// Whether these aggregates are folded by our rules; aggregates without any get ours.
    pub(crate) async fn check_fold_version(
        &self,
        aggregates: &dyn AggregateStore,
    ) -> Result<(), AggregatorError> {
        let fold = &self.settings.fold;
        let Some(stored) = aggregates.fold_version().await? else {
            return Ok(aggregates.set_fold_version(&fold.version()).await?);
        };
        match fold.standing(&stored) {
            Standing::Same => Ok(()),
            Standing::AcceptMore(ours) => Err(AggregatorError::AcceptsMore { stored, ours }),
            Standing::Other => Err(AggregatorError::OtherFoldVersion {
                ours: fold.beside(&stored),
                stored,
            }),
        }
    }

    /// Whether this program folds by the rules of a rebuild: of one source by those in use, of all by its own.
    pub(crate) async fn folds_for(
        &self,
        aggregates: &dyn AggregateStore,
        rebuild: &Rebuild,
    ) -> Result<bool, AggregatorError> {
        let version = match &rebuild.wish.version {
            Some(version) => Some(version.clone()),
            None => aggregates.fold_version().await?,
        };
        Ok(version.is_some_and(|version| self.settings.fold.standing(&version) == Standing::Same))
    }

    /// The rules in use, for a batch that is folded into the epochs in use.
    pub(crate) async fn in_use(&self, aggregates: &dyn AggregateStore) -> Result<Rules, AggregatorError> {
        let scope = Scope::in_use(aggregates.epochs().await?);
        let fold = self.folding_by(&aggregates.source_rules().await?)?;
        Ok(Rules { fold, scope })
    }

    /// The rules of a rebuild: those in use, and its own for its source.
    pub(crate) async fn of_rebuild(
        &self,
        aggregates: &dyn AggregateStore,
        rebuild: &Rebuild,
    ) -> Result<Rules, AggregatorError> {
        let scope = Scope::of_rebuild(aggregates.epochs().await?, rebuild.clone());
        let mut rules = aggregates.source_rules().await?;
        rules.extend(rebuild.wish.rules_by_source()?);
        let fold = self.folding_by(&rules)?;
        Ok(Rules { fold, scope })
    }

    fn folding_by(&self, rules: &BTreeMap<String, String>) -> Result<FoldSettings, AggregatorError> {
        let mut last = self.products.lock().unwrap_or_else(PoisonError::into_inner);
        let products = Products::by_rules(rules, &[&last, &self.given()]);
        let products = products.map_err(|source_name| AggregatorError::Declaration { source_name })?;
        *last = products.clone();
        Ok(FoldSettings {
            products,
            ..self.settings.fold.clone()
        })
    }

    /// The most bytes of an inflated body under the rules of these aggregates.
    pub(crate) async fn inflated_cap(&self, aggregates: &dyn AggregateStore) -> Result<u64, AggregatorError> {
        let stored = aggregates.fold_version().await?;
        Ok(stored.map_or(self.settings.fold.caps.inflated_bytes, |stored| {
            inflated_bytes_of(&stored)
        }))
    }
}
