//! Folds everything anew into one epoch of all sources, beside what is in use: where many processes share the aggregates, and
//! there is no next file to fold into. Whoever wished it puts it into use, while nobody folds; those who fold by its rules have
//! their share in it until then.

use std::collections::BTreeMap;

use aggregate_store::{AggregateStore, Days, Flip, Flipped, Rebuild, RebuildWish, Source};
use index_schema::{AllFloors, Swap};
use ping::{ChunkId, SubmissionDate};
use service::task;

use crate::aggregator::Aggregator;
use crate::error::AggregatorError;
use crate::walk::SourceRebuild;

/// Index entries that are looked at together.
const PAGE: usize = 1_000;

/// How often the index is told what is in use: it refuses when something was removed meanwhile.
const SWAPS: usize = 10;

impl Aggregator {
    /// Wishes that everything is folded anew by the rules of this program and its declarations, or goes on with such a wish.
    /// Days whose pings were deleted keep their numbers, unless they are to be forgotten. What was set aside is tried again, and
    /// what is indexed and not folded is pending.
    ///
    /// # Errors
    /// When index or aggregates failed, or nobody can tell what is counted of the days that would stay.
    pub async fn wish_whole_rebuild(&self, forget_older: bool) -> Result<Rebuild, AggregatorError> {
        let aggregates = self.current.get();
        self.take_up_what_was_set_aside().await?;
        self.make_missing_pending(&*aggregates).await?;
        self.work.try_all_again();
        let (version, days) = (self.rules().await, self.kept_days(Days::ALL, forget_older).await?);
        let under_way = aggregates.rebuilds().await?;
        let same = under_way.iter().find(|rebuild| {
            let wish = &rebuild.wish;
            // A floor that rose since makes it no other one: it comes into use from the floor on.
            let is_longer = !forget_older && wish.days.first < days.first && wish.days.last.is_none();
            let is_wished = wish.source.is_none() && wish.version.as_ref() == Some(&version);
            is_wished && (wish.days == days || is_longer) && self.is_declared_so(wish)
        });
        let rebuild = match same {
            Some(rebuild) => rebuild.clone(),
            None => {
                let wish = RebuildWish {
                    source: None,
                    days,
                    rules: RebuildWish::rules_of(&self.declared_beside(&under_way).await),
                    version: Some(version),
                };
                aggregates.begin_rebuild(&wish).await?
            }
        };
        self.wake.notify_one();
        Ok(rebuild)
    }

    /// Whether a rebuild gives sources the rules that this program was given for them.
    fn is_declared_so(&self, wish: &RebuildWish) -> bool {
        let Ok(rules) = wish.rules_by_source() else {
            return false;
        };
        let given = self.begun();
        given
            .iter()
            .all(|(source, given)| rules.get(source) == Some(given))
    }

    /// The rules of all sources when everything is folded anew in place of these rebuilds: what those would have put into use is
    /// among them, where this program was given nothing else.
    async fn declared_beside(&self, under_way: &[Rebuild]) -> BTreeMap<String, String> {
        let (mut rules, given) = (self.declared().await, self.begun());
        for wish in under_way.iter().map(|rebuild| &rebuild.wish) {
            for (source, text) in wish.rules_by_source().unwrap_or_default() {
                if !given.contains_key(&source) {
                    rules.insert(source, text);
                }
            }
        }
        rules
    }

    /// Folds on at a rebuild of all until nothing is lacking; false when it is not under way any more, for another wish took its
    /// place, or somebody put it into use.
    ///
    /// # Errors
    /// When index, store or aggregates failed. What is in use is as before; the same wish goes on.
    pub async fn fold_all_anew(
        &self,
        rebuild: &Rebuild,
        progress: &(dyn Fn(SourceRebuild) + Send + Sync),
    ) -> Result<bool, AggregatorError> {
        loop {
            if !self.is_under_way(rebuild).await? {
                return Ok(false);
            }
            let step = {
                let _folding = self.gate.lock().await;
                self.walk_step(&*self.current.get(), rebuild).await?
            };
            self.tell(progress);
            match step {
                None => return Ok(true),
                Some(true) => {}
                Some(false) => task::sleep(self.work.settings.poll).await,
            }
        }
    }

    /// Puts a rebuild of all into use, if it lacks nothing. Whoever calls this has everybody stand still, so that nothing is folded
    /// and no floor is raised meanwhile. False when something is lacking or was folded since.
    ///
    /// # Errors
    /// When index or aggregates failed. If that was the index, the rebuild may be in use: then the status may count what was forgotten as missing.
    pub async fn put_all_into_use(
        &self,
        rebuild: &Rebuild,
        forget_older: bool,
    ) -> Result<bool, AggregatorError> {
        let _standing = self.gate.lock().await;
        let aggregates = self.current.get();
        let accounted = aggregates.status().await?.counters.accounted();
        let Some(records) = self.rebuilt_records(&*aggregates, rebuild).await? else {
            return Ok(false);
        };
        let flip = Flip {
            epoch: rebuild.epoch,
            days: self.kept_days(rebuild.wish.days, forget_older).await?,
            fences: Vec::new(),
            accounted: Some(accounted),
        };
        if aggregates.put_into_use(&flip).await? != Flipped::InUse {
            return Ok(false);
        }
        self.begin_unused();
        tracing::info!(
            epoch = rebuild.epoch,
            records,
            "everything was folded anew and is in use"
        );
        let counted = aggregates.status().await?.counters.accounted();
        self.tell_index(counted.saturating_sub(records)).await?;
        Ok(true)
    }

    /// Tells the index that what is in use was folded from what it has now, but for so many records.
    async fn tell_index(&self, gone_records: u64) -> Result<(), AggregatorError> {
        let index = &self.work.index;
        for _ in 0..SWAPS {
            let swap = Swap {
                generation: index.generation().await?,
                gone_records,
                removed_records: index.totals().await?.removed_records,
                floors: index.all_floors().await?,
            };
            if index.set_generation(swap).await? {
                return Ok(());
            }
        }
        tracing::warn!(
            "chunks were deleted all the time: the index was not told that everything is folded anew, and the status may count what \
             was forgotten as missing"
        );
        Ok(())
    }

    /// Those of these days whose pings are there, or all of them. Chunks of errored pings may have gone before the others: then they
    /// are counted no more, as by a rebuild into the next file.
    async fn kept_days(&self, days: Days, forget_older: bool) -> Result<Days, AggregatorError> {
        if forget_older {
            return Ok(days);
        }
        let floors = self.work.index.all_floors().await?;
        let floor: Option<SubmissionDate> = floors.all.pings.max(floors.all.aggregates);
        let days = Days {
            first: days.first.max(floor),
            ..days
        };
        self.check_kept(&floors, days).await?;
        Ok(days)
    }

    /// Refuses these days where a source has aggregates of some of them whose pings went earlier than those of all.
    async fn check_kept(&self, floors: &AllFloors, days: Days) -> Result<(), AggregatorError> {
        let aggregates = self.current.get();
        for (name, own) in floors.sources.iter() {
            let Some(floor) = own.chunks.filter(|floor| Some(*floor) > days.first) else {
                continue;
            };
            let about = aggregates.about(&Source::named(name)).await?;
            let first = about.map(|about| about.first_day.max(days.first.unwrap_or(about.first_day)));
            if first.is_some_and(|first| first < floor) {
                return Err(AggregatorError::WouldLose {
                    source_name: name.to_owned(),
                    floor,
                });
            }
        }
        Ok(())
    }

    /// How many records are in the indexed chunks that the rebuild has folded; `None` when it lacks one that is folded.
    async fn rebuilt_records(
        &self,
        aggregates: &dyn AggregateStore,
        rebuild: &Rebuild,
    ) -> Result<Option<u64>, AggregatorError> {
        let index = &self.work.index;
        let (selection, floors) = (self.selection(rebuild), index.all_floors().await?);
        let (mut after, mut records): (Option<String>, u64) = (None, 0);
        loop {
            let mut page = index.select(&selection, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(Some(records));
            };
            after = Some(last.key.clone());
            page.retain(|entry| rebuild.wish.days.hold(entry.submission_date()) && floors.fold(entry));
            let ids: Vec<ChunkId> = page.iter().map(|entry| entry.id).collect();
            let rebuilt = aggregates.rebuilt(rebuild.epoch, &ids).await?;
            let written = aggregates.written(&ids).await?;
            for (entry, (rebuilt, written)) in page.iter().zip(rebuilt.into_iter().zip(written)) {
                match (rebuilt, written) {
                    (true, _) => records += entry.records,
                    (false, true) => return Ok(None),
                    (false, false) => {}
                }
            }
        }
    }
}
