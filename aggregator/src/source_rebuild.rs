//! Folds one source anew into an epoch of its own, beside what is in use: a batch at a time, by turns with what is pending. So are
//! all of them together, where generations of files are not kept (`whole_rebuild.rs`).
//!
//! What is in use, and is answered from, stays as it is until nothing is lacking; then the new epoch takes its place in one
//! transaction. A chunk that was folded and cannot be read any more holds that up, and is told: numbers that were never get
//! smaller unasked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use aggregate_store::{AggregateStore, Days, Flip, Flipped, Persisted, Rebuild, RebuildWish, Source};
use index_schema::{Condition, IndexEntry, Selection};
use ping::{ChunkId, Dimension, SubmissionDate};
use service::task;

use crate::aggregator::Aggregator;
use crate::error::AggregatorError;
use crate::fold::{Given, Products};
use crate::passed_over::PassedOver;
use crate::progress::RebuildProgress;
use crate::walk::{SourceRebuild, Walk};

/// Index entries that are looked at together.
const PAGE: usize = 1_000;

/// Sources that are listed before one is said not to be among them.
const KNOWN_MAX: usize = 100_000;

/// How long what could not be read is left alone.
const REST: Duration = Duration::from_secs(30);

/// How long what is not in use any more stays, for those who asked before: longer than any answer takes.
const UNUSED_FOR: Duration = Duration::from_secs(120);

impl Aggregator {
    /// Takes the rebuild that is under way a batch further, or into use when nothing is lacking; one of all comes into use by who
    /// wished it. False when there is nothing to do now.
    ///
    /// # Errors
    /// When index, store or aggregates failed. What is in use is as before.
    pub async fn rebuild_step(&self) -> Result<bool, AggregatorError> {
        let aggregates = self.current.get();
        let Some(rebuild) = aggregates.rebuilds().await?.into_iter().next() else {
            return self.remove_unused(&*aggregates).await;
        };
        if !self.work.folds_for(&*aggregates, &rebuild).await? {
            return Ok(false);
        }
        let _folding = self.gate.lock().await;
        let aggregates = self.current.get();
        if let Some(folded) = self.walk_step(&*aggregates, &rebuild).await? {
            return Ok(folded);
        }
        if rebuild.wish.source.is_none() {
            self.walk().rests_until = self.work.clock.monotonic() + REST;
            return Ok(false);
        }
        self.try_to_put_into_use(&*aggregates, &rebuild).await
    }

    /// Folds the next batch of what a rebuild lacks; called with the gate held. Whether one was folded; `None` when nothing is lacking.
    pub(crate) async fn walk_step(
        &self,
        aggregates: &dyn AggregateStore,
        rebuild: &Rebuild,
    ) -> Result<Option<bool>, AggregatorError> {
        self.begin_walk(rebuild).await?;
        if self.work.clock.monotonic() < self.walk().rests_until {
            return Ok(Some(false));
        }
        self.walk_on(aggregates, rebuild).await
    }

    /// The rebuild that goes on here, if one does.
    pub fn source_rebuild(&self) -> Option<SourceRebuild> {
        let now = self.work.clock.monotonic();
        let walk = self.walk();
        let mut told = walk.told.clone()?;
        told.elapsed = now.saturating_sub(walk.begun);
        Some(told)
    }

    /// Wishes that a source is folded anew, of these days, by the rules that this program was given for it, if any, else by
    /// those in use. Days whose pings were deleted stay as they are.
    ///
    /// # Errors
    /// When index or aggregates failed, or one source cannot be folded alone.
    pub async fn wish_rebuild(&self, source: &str, days: Days) -> Result<Rebuild, AggregatorError> {
        let aggregates = self.current.get();
        let rules = match self.begun().remove(source) {
            Some(rules) => Some(rules),
            None => aggregates.source_rules().await?.remove(source),
        };
        let wish = RebuildWish {
            source: Some(source.to_owned()),
            days: self.above_floors(source, days).await?,
            rules,
            version: None,
        };
        let rebuild = aggregates.begin_rebuild(&wish).await?;
        self.wake.notify_one();
        Ok(rebuild)
    }

    /// The sources that can be folded anew: something of them was counted, or they are declared.
    ///
    /// # Errors
    /// When the aggregates failed.
    pub async fn known_sources(&self) -> Result<BTreeSet<String>, AggregatorError> {
        let aggregates = self.current.get();
        let products = self.work.given();
        let given = products.given();
        let mut known: BTreeSet<String> = given.map(|given| given.source.as_str().to_owned()).collect();
        known.extend(aggregates.source_rules().await?.into_keys());
        let counted = aggregates.source_pings(KNOWN_MAX).await?.values.into_iter();
        known.extend(counted.map(|counted| counted.source.as_str().to_owned()));
        let with_cells = aggregates.sources(KNOWN_MAX).await?.values.into_iter();
        known.extend(with_cells.map(|source| source.as_str().to_owned()));
        Ok(known)
    }

    /// Folds on at a rebuild until it is under way no more. Whether it is in use; else another wish took its place, or it was given up.
    ///
    /// # Errors
    /// When index, store or aggregates failed. What is in use is as before.
    pub async fn finish_rebuild(
        &self,
        rebuild: &Rebuild,
        progress: &(dyn Fn(SourceRebuild) + Send + Sync),
    ) -> Result<bool, AggregatorError> {
        loop {
            if !self.is_under_way(rebuild).await? {
                return self.is_in_use(rebuild).await;
            }
            let folded = {
                let _alone = self.rebuilding.lock().await;
                self.rebuild_step().await?
            };
            self.tell(progress);
            if !folded {
                task::sleep(self.work.settings.poll).await;
            }
        }
    }

    /// Whether a rebuild is still to come into use.
    pub(crate) async fn is_under_way(&self, rebuild: &Rebuild) -> Result<bool, AggregatorError> {
        let under_way = self.current.get().rebuilds().await?;
        Ok(under_way.iter().any(|other| other.epoch == rebuild.epoch))
    }

    /// Tells how far the rebuild is that goes on here.
    pub(crate) fn tell(&self, progress: &(dyn Fn(SourceRebuild) + Send + Sync)) {
        if let Some(told) = self.source_rebuild() {
            progress(told);
        }
    }

    /// Whether something of a rebuild is in use.
    ///
    /// # Errors
    /// When the aggregates failed.
    pub async fn is_in_use(&self, rebuild: &Rebuild) -> Result<bool, AggregatorError> {
        Ok(self.current.get().epochs().await?.names(rebuild.epoch))
    }

    /// The rules of all declared sources by which this program would fold everything anew: those in use, and in their places those
    /// that it was given.
    pub async fn declared(&self) -> BTreeMap<String, String> {
        // Aggregates that cannot be read are what a rebuild is for.
        let mut rules = self.current.get().source_rules().await.unwrap_or_default();
        rules.extend(self.begun());
        rules
    }

    /// The declarations that this program was given and whose first day has come, by source.
    pub(crate) fn begun(&self) -> BTreeMap<String, String> {
        let (today, products) = (self.work.today(), self.work.given());
        let begun = products.given().filter(|given| given.has_begun(today));
        begun
            .map(|given| (given.source.as_str().to_owned(), given.rules.to_owned()))
            .collect()
    }

    /// This program is given other declarations: they are taken up by the next step of the fold, as those of a start are.
    pub async fn give(&self, products: Products) {
        // Else a step under way could note that it has taken up those of before.
        let _folding = self.gate.lock().await;
        self.work.give(products);
        self.declares_from.store(0, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// Takes up the declarations that this program was given: of a source of which nothing was counted at once, of any other one
    /// by a rebuild from the day on from which it counts. One whose first day is to come waits for it, and one that was not given
    /// stays in force. Answers the next day that is waited for.
    ///
    /// # Errors
    /// When index or aggregates failed.
    pub async fn declare(&self) -> Result<Option<SubmissionDate>, AggregatorError> {
        let aggregates = self.current.get();
        let stored = aggregates.source_rules().await?;
        let today = self.work.today();
        let products = self.work.given();
        let mut next: Option<SubmissionDate> = None;
        let all: Vec<Given<'_>> = products.given().collect();
        for given in all {
            let (source, rules) = (given.source, given.rules);
            if stored.get(source.as_str()).is_some_and(|stored| stored == rules) {
                self.give_up_other_wishes(&*aggregates, source.as_str()).await?;
            } else if let Some(since) = given.since.filter(|_| !given.has_begun(today)) {
                tracing::info!(%source, %since, "its declaration counts from a day on that is to come: it is taken up then");
                next = Some(next.map_or(since, |next| next.min(since)));
            } else if stored.contains_key(source.as_str()) || !aggregates.adopt_rules(source, rules).await? {
                self.fold_as_declared(given).await;
            }
        }
        let is_given = |source: &&String| products.given().any(|given| given.source.as_str() == **source);
        for source in stored.keys().filter(|source| !is_given(source)) {
            tracing::warn!(
                source,
                "no declaration of it was given: the one in use stays in force"
            );
        }
        Ok(next)
    }

    /// Has a source folded anew as it is declared now, from the day on from which that counts.
    async fn fold_as_declared(&self, given: Given<'_>) {
        let Given { source, since, .. } = given;
        tracing::info!(
            %source,
            ?since,
            "its declaration changed: the source is folded anew, beside what is in use"
        );
        let days = Days {
            first: since,
            last: None,
        };
        if let Err(error) = self.wish_rebuild(source.as_str(), days).await {
            tracing::error!(%source, %error, "a source cannot be folded anew; the declaration in use stays in force");
        }
    }

    /// A wish for the rules in use only ends what else was wished.
    async fn give_up_other_wishes(
        &self,
        aggregates: &dyn AggregateStore,
        source: &str,
    ) -> Result<(), AggregatorError> {
        let stored = aggregates.source_rules().await?;
        for rebuild in aggregates.rebuilds().await? {
            if rebuild.wish.source.as_deref() == Some(source)
                && rebuild.wish.rules.as_ref() != stored.get(source)
            {
                aggregates.give_up_rebuild(rebuild.epoch).await?;
            }
        }
        Ok(())
    }

    /// Those of these days whose pings of a source are all there.
    async fn above_floors(&self, source: &str, days: Days) -> Result<Days, AggregatorError> {
        let floors = self.work.index.all_floors().await?.of_source(source);
        let floor = [floors.pings, floors.errors, floors.aggregates]
            .into_iter()
            .max()
            .flatten();
        Ok(Days {
            first: days.first.max(floor),
            ..days
        })
    }

    async fn begin_walk(&self, rebuild: &Rebuild) -> Result<(), AggregatorError> {
        let is_known = |walk: &Walk| {
            walk.told
                .as_ref()
                .is_some_and(|told| told.rebuild.epoch == rebuild.epoch)
        };
        if is_known(&self.walk()) {
            return Ok(());
        }
        let mut progress = RebuildProgress::default();
        let mut after: Option<String> = None;
        let selection = self.selection(rebuild);
        loop {
            let page = self.work.index.select(&selection, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            for entry in page
                .iter()
                .filter(|entry| rebuild.wish.days.hold(entry.submission_date()))
            {
                progress.add_total(entry);
            }
        }
        let mut walk = self.walk();
        *walk = Walk {
            told: Some(SourceRebuild {
                rebuild: rebuild.clone(),
                progress,
                unreadable: PassedOver::default(),
                elapsed: Duration::ZERO,
            }),
            begun: self.work.clock.monotonic(),
            is_complete: true,
            unused_since: walk.unused_since,
            ..Walk::default()
        };
        Ok(())
    }

    /// Which chunks may hold pings of the source.
    pub(crate) fn selection(&self, rebuild: &Rebuild) -> Selection {
        let received_from = rebuild.wish.days.first.map(SubmissionDate::start);
        let Some(source) = &rebuild.wish.source else {
            return Selection {
                received_from,
                ..Selection::default()
            };
        };
        let (namespace, document_type) = source.split_once('/').unwrap_or((source, ""));
        let mut document_types = vec![document_type.to_owned()];
        if source == Source::TELEMETRY_MAIN {
            let folded = self.work.settings.fold.folded.iter();
            document_types.extend(folded.map(|folded| folded.document_type.clone()));
        }
        Selection {
            conditions: vec![
                (
                    Dimension::SourceName,
                    Condition::OneOf(vec![namespace.to_owned()]),
                ),
                (Dimension::DocType, Condition::OneOf(document_types)),
            ],
            received_from,
            ..Selection::default()
        }
    }

    /// Folds the next batch of what is lacking: whether one was folded; `None` when the walk has come to its end and nothing
    /// was lacking.
    async fn walk_on(
        &self,
        aggregates: &dyn AggregateStore,
        rebuild: &Rebuild,
    ) -> Result<Option<bool>, AggregatorError> {
        let selection = self.selection(rebuild);
        loop {
            let after = self.walk().after.clone();
            let page = self.work.index.select(&selection, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(self.end_walk());
            };
            let mut mine = self.lacking(aggregates, rebuild, &page).await?;
            if mine.is_empty() {
                self.walk().pass(&last.key);
                continue;
            }
            self.walk().is_complete = false;
            match &self.share {
                Some(share) => share.fences().retain(&mut mine),
                // Those who have shares go from the first to the last: so both meet once in a page.
                None => mine.reverse(),
            }
            if mine.is_empty() {
                self.walk().pass(&last.key);
                continue;
            }
            return Ok(Some(self.fold_anew(aggregates, rebuild, &mine).await?));
        }
    }

    /// Begins the walk anew; `None` when nothing was lacking in this one.
    fn end_walk(&self) -> Option<bool> {
        let now = self.work.clock.monotonic();
        let mut walk = self.walk();
        walk.begin_anew();
        let was_complete = std::mem::replace(&mut walk.is_complete, true);
        if !walk.unreadable.is_empty() {
            // They are tried again, and told until then.
            walk.rests_until = now + REST;
            walk.unreadable.clear();
            return Some(false);
        }
        if let Some(told) = &mut walk.told {
            told.unreadable = PassedOver::default();
        }
        (!was_complete).then_some(self.share.is_none())
    }

    /// Chunks of a page that are folded in what is in use and not by the rebuild.
    async fn lacking(
        &self,
        aggregates: &dyn AggregateStore,
        rebuild: &Rebuild,
        page: &[IndexEntry],
    ) -> Result<Vec<IndexEntry>, AggregatorError> {
        let floors = self.work.index.all_floors().await?;
        let days = rebuild.wish.days;
        let unreadable = self.walk().unreadable.clone();
        let is_wished = |entry: &&IndexEntry| {
            days.hold(entry.submission_date()) && floors.fold(entry) && !unreadable.contains(&entry.id)
        };
        let entries: Vec<IndexEntry> = page.iter().filter(is_wished).cloned().collect();
        let ids: Vec<ChunkId> = entries.iter().map(|entry| entry.id).collect();
        let rebuilt = aggregates.rebuilt(rebuild.epoch, &ids).await?;
        let written = aggregates.written(&ids).await?;
        let (mut lacking, mut done) = (Vec::new(), RebuildProgress::default());
        for (entry, (rebuilt, written)) in entries.into_iter().zip(rebuilt.into_iter().zip(written)) {
            if rebuilt || !written {
                done.note(&entry, false);
            } else {
                lacking.push(entry);
            }
        }
        self.walk().note(done);
        Ok(lacking)
    }

    async fn fold_anew(
        &self,
        aggregates: &dyn AggregateStore,
        rebuild: &Rebuild,
        entries: &[IndexEntry],
    ) -> Result<bool, AggregatorError> {
        match self.work.fold_anew(entries, aggregates, rebuild).await {
            Ok(end) => {
                let mut walk = self.walk();
                if let Some(told) = &mut walk.told {
                    for entry in entries.iter().take(end.chunks) {
                        told.progress.note(entry, false);
                    }
                }
                Ok(true)
            }
            Err(AggregatorError::Chunk { chunk, reason }) => Ok(self.leave_out(chunk, reason)),
            Err(AggregatorError::Unreachable { chunk, source }) => {
                let reason = source.to_string();
                if !self.work.store_answers().await {
                    return Err(AggregatorError::Unreachable { chunk, source });
                }
                Ok(self.leave_out(chunk, reason))
            }
            Err(error) => Err(error),
        }
    }

    fn leave_out(&self, chunk: ChunkId, reason: String) -> bool {
        tracing::warn!(%chunk, reason, "a chunk that is folded cannot be read: the rebuild waits for it");
        let mut walk = self.walk();
        walk.unreadable.insert(chunk);
        if let Some(told) = &mut walk.told
            && !told.unreadable.named.iter().any(|(named, _)| *named == chunk)
        {
            told.unreadable.note(chunk, reason);
        }
        true
    }

    /// Puts a rebuild into use if nothing is lacking; called with the gate held, so that nothing is folded here meanwhile, and
    /// where others fold, the store compares.
    async fn try_to_put_into_use(
        &self,
        aggregates: &dyn AggregateStore,
        rebuild: &Rebuild,
    ) -> Result<bool, AggregatorError> {
        if let Persisted::Dropped(_) = aggregates.persist().await? {
            self.wake.notify_one();
            return Ok(true);
        }
        let accounted = aggregates.status().await?.counters.accounted();
        if self.walk_on(aggregates, rebuild).await?.is_some() {
            return Ok(true);
        }
        let source = rebuild.wish.source.as_deref().unwrap_or_default();
        let flip = Flip {
            epoch: rebuild.epoch,
            days: self.above_floors(source, rebuild.wish.days).await?,
            fences: Vec::new(),
            accounted: Some(accounted),
        };
        if aggregates.put_into_use(&flip).await? == Flipped::InUse {
            tracing::info!(
                source,
                epoch = rebuild.epoch,
                "a source was folded anew and is in use"
            );
            self.begin_unused();
        }
        Ok(true)
    }

    /// From now on what was in use may be in use no more.
    pub(crate) fn begin_unused(&self) {
        let now = self.work.clock.monotonic();
        *self.walk() = Walk {
            unused_since: Some(now),
            ..Walk::default()
        };
    }

    /// Removes a slice of what has not been in use for long enough.
    async fn remove_unused(&self, aggregates: &dyn AggregateStore) -> Result<bool, AggregatorError> {
        let now = self.work.clock.monotonic();
        let since = {
            let mut walk = self.walk();
            walk.told = None;
            *walk.unused_since.get_or_insert(now)
        };
        if now.saturating_sub(since) < UNUSED_FOR {
            return Ok(false);
        }
        let _folding = self.gate.lock().await;
        let removed = aggregates.remove_unused().await?;
        if !removed {
            // Looked at again later: another process may put something into use.
            self.walk().unused_since = None;
        }
        Ok(removed)
    }

    pub(crate) fn walk(&self) -> std::sync::MutexGuard<'_, Walk> {
        self.walk
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
