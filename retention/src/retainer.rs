//! One run: the floors are raised, then objects below them go, then rows. What fails stops nothing that does not need it, and
//! is told at the end.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use aggregate_store::{Below, DayBytes, DeletePlace, RetainAggregates};
use async_trait::async_trait;
use index_schema::{ChunkKind, ExpiredPlace, Floors, Raised, RetainIndex, SeenDays, StoredDay};
use ping::SubmissionDate;
use service::current::Current;
use store::Store;
use tokio::sync::Mutex;

use crate::limits::{FAILURES_MAX, LOOKS_MAX, OBJECTS_AT_ONCE, RAN_DAYS_MAX};
use crate::source_look::look_at_sources;
use crate::source_steps::SourceSteps;
use crate::step::{Consent, Day, Held, Kind, Step, by_which};
use crate::today::Today;
use crate::{Gone, Retained, RetentionError, RetentionRule, Rules, RulesBySource, metrics};

/// Holds folding up for the moment in which a floor is raised: what is under way would come back below it.
#[async_trait]
pub trait Standstill: fmt::Debug + Send + Sync + 'static {
    /// Folding stands still for as long as the answer is kept, and what was folded before is written.
    ///
    /// # Errors
    /// What it could not write, in words.
    async fn stand_still<'a>(&'a self) -> Result<Box<dyn Send + 'a>, String>;
}

/// What a run works on.
#[derive(Debug)]
pub struct Parts {
    /// The objects.
    pub store: Arc<dyn Store>,
    /// The index.
    pub index: Arc<dyn RetainIndex>,
    /// The aggregates in use.
    pub aggregates: Arc<Current<dyn RetainAggregates>>,
    /// Who folds.
    pub folding: Arc<dyn Standstill>,
}

/// Deletes what is not to be kept.
#[derive(Debug)]
pub struct Retainer {
    pub(crate) parts: Parts,
    rules: Rules,
    pub(crate) by_source: Current<RulesBySource>,
    /// One run at a time.
    pub(crate) past: Mutex<Past>,
}

/// What a process remembers from run to run.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// The day below which all copies were walked.
    walked: Option<SubmissionDate>,
    /// Bytes of aggregates after a floor was raised for their size and nothing came of it.
    in_vain: Option<u64>,
    /// The days on which it ran.
    ran: BTreeSet<SubmissionDate>,
}

/// What the rules say now.
#[derive(Debug)]
struct Steps {
    /// The floors before.
    before: Floors,
    today: Today,
    floors: Floors,
    held: Vec<Held>,
    /// The days of chunks of which this was said.
    seen: SeenDays,
    /// The days of aggregates.
    aggregate_days: BTreeSet<SubmissionDate>,
    /// Why nothing is said of aggregates.
    trouble: Option<RetentionError>,
}

impl Retainer {
    /// A retainer by these rules.
    pub fn new(parts: Parts, rules: Rules) -> Self {
        Self::with_sources(parts, rules, RulesBySource::new())
    }

    /// One by these rules, and by those of sources beside them.
    pub fn with_sources(parts: Parts, rules: Rules, by_source: RulesBySource) -> Self {
        Self {
            parts,
            rules,
            by_source: Current::new(Arc::new(by_source)),
            past: Mutex::default(),
        }
    }

    /// Goes by other rules of sources from the next run on. What they would delete at once is bounded and waits as at any time.
    pub fn go_by(&self, by_source: RulesBySource) {
        self.by_source.exchange(Arc::new(by_source));
    }

    /// Raises the floors to what the rules say today, and deletes what lies below. Goes on from whatever an earlier run
    /// left undone. What would take too much at once waits, unless a person agreed.
    ///
    /// # Errors
    /// See [`RetentionError`]; call it again. What could be done besides is done.
    pub async fn run(&self, today: SubmissionDate, consent: Consent) -> Result<Retained, RetentionError> {
        let mut past = self.past.lock().await;
        let outcome = self.run_alone(today, consent, &mut past).await;
        metrics::count(&outcome);
        outcome
    }

    /// What a run would do if a person agreed, and what of it waits if nobody does.
    ///
    /// # Errors
    /// When a question could not be answered.
    pub async fn look(&self, today: SubmissionDate) -> Result<Retained, RetentionError> {
        let aggregates = self.parts.aggregates.get();
        look(
            &*self.parts.index,
            &*aggregates,
            (&self.rules, &self.by_source.get()),
            today,
        )
        .await
    }

    async fn run_alone(
        &self,
        today: SubmissionDate,
        consent: Consent,
        past: &mut Past,
    ) -> Result<Retained, RetentionError> {
        let mut troubles = Vec::new();
        let mut retained = Retained::default();
        past.ran.insert(today);
        while past.ran.len() > RAN_DAYS_MAX {
            past.ran.pop_first();
        }
        let today = self
            .raise(today, consent, past, &mut retained, &mut troubles)
            .await?;
        let sources = self.raise_sources(&today, consent, &mut retained).await;
        troubles.extend(sources.err());
        let objects = self.delete_objects(&mut retained.gone).await;
        troubles.extend(objects.err());
        let rows = self.delete_rows(&today, consent, past, &mut retained).await;
        troubles.extend(rows.err());
        let rows = self.delete_rows_of_sources(&mut retained.gone).await;
        troubles.extend(rows.err());
        match over_budget(&*self.parts.index, &*self.parts.aggregates.get(), &self.rules).await {
            Ok(over) => retained.over_budget_bytes = over,
            Err(trouble) => troubles.push(trouble),
        }
        tell(&retained);
        for trouble in troubles.iter().skip(1) {
            tracing::warn!(error = %trouble, "this also kept something from being deleted");
        }
        match troubles.into_iter().next() {
            Some(first) => Err(first),
            None => Ok(retained),
        }
    }

    /// What the rules say now. Trouble with aggregates keeps no chunk.
    async fn steps(
        &self,
        today: SubmissionDate,
        consent: Consent,
        past: &mut Past,
    ) -> Result<Steps, RetentionError> {
        let stored = Stored::read(&*self.parts.index).await?;
        let today = stored.today(&self.rules, today, &past.ran);
        let mut steps = stored.objects(&self.rules, today, consent);
        let aggregates = self.parts.aggregates.get();
        match self.aggregates_step(&*aggregates, &steps, consent, past).await {
            Ok(step) => {
                steps.floors.aggregates = step.floor;
                steps.held.extend(step.held);
                steps.aggregate_days = step.seen;
            }
            Err(trouble) => steps.trouble = Some(trouble),
        }
        Ok(steps)
    }

    /// What the rule of aggregates says; not by size again while nothing comes of it.
    async fn aggregates_step(
        &self,
        aggregates: &dyn RetainAggregates,
        steps: &Steps,
        consent: Consent,
        past: &mut Past,
    ) -> Result<Step, RetentionError> {
        let mut keep = self.rules.aggregates;
        if let (Some(_), Some(in_vain)) = (keep.bytes, past.in_vain) {
            if total(&above(aggregates.day_bytes().await?, None)) >= in_vain {
                keep.bytes = None;
            } else {
                past.in_vain = None;
            }
        }
        aggregates_step(aggregates, &keep, &steps.before, &steps.today, consent).await
    }

    /// Raises the floors as far as the rules say and nobody has to agree; notes them, and what waits. A day that comes
    /// between the look and the raise was not looked at, so it is looked again. Answers the day by which that was said.
    async fn raise(
        &self,
        today: SubmissionDate,
        consent: Consent,
        past: &mut Past,
        retained: &mut Retained,
        troubles: &mut Vec<RetentionError>,
    ) -> Result<Today, RetentionError> {
        let mut looks = 0;
        loop {
            looks += 1;
            let steps = self.steps(today, consent, past).await?;
            let raised = match steps.before.raised(&steps.floors) == steps.before {
                true => Ok(()),
                false => self.raise_to(&steps, consent).await,
            };
            if looks < LOOKS_MAX && matches!(raised, Err(RetentionError::Unseen { .. })) {
                continue;
            }
            troubles.extend(steps.trouble);
            troubles.extend(raised.err());
            (retained.floors, retained.held) = (self.parts.index.floors().await?, steps.held);
            return Ok(steps.today);
        }
    }

    /// Raises the floors, if all that goes was looked at or a person agreed.
    async fn raise_to(&self, steps: &Steps, consent: Consent) -> Result<(), RetentionError> {
        let standing = self.parts.folding.stand_still().await;
        let _standing = standing.map_err(RetentionError::Standstill)?;
        let bounded = consent == Consent::Bounded;
        if bounded && let Some(floor) = steps.floors.aggregates {
            // Nothing is folded now, so none comes after this.
            let before = self.parts.index.floors().await?.aggregates;
            let goes = |day: &SubmissionDate| *day < floor && Some(*day) >= before;
            let days = self.parts.aggregates.get().days().await?.into_iter();
            if let Some(day) = days.filter(goes).find(|day| !steps.aggregate_days.contains(day)) {
                return Err(RetentionError::Unseen {
                    of: Kind::Aggregates,
                    day,
                });
            }
        }
        let seen = bounded.then_some(&steps.seen);
        match self.parts.index.raise_floors(steps.floors, seen).await? {
            Raised::To(floors) => {
                tracing::info!(
                    pings = ?floors.pings,
                    errors = ?floors.errors,
                    aggregates = ?floors.aggregates,
                    "the floor dates were raised: nothing before them is indexed or folded any more"
                );
                Ok(())
            }
            Raised::Unseen(kind, day) => Err(RetentionError::Unseen { of: kind.into(), day }),
        }
    }

    /// Deletes objects, then their rows, slice by slice. An object that cannot be deleted keeps its row, and is gone by.
    async fn delete_objects(&self, gone: &mut Gone) -> Result<(), RetentionError> {
        let (mut failures, mut first) = (0, None);
        let mut at = Some(ExpiredPlace::default());
        while let Some(place) = at.filter(|_| failures < FAILURES_MAX) {
            let slice = self.parts.index.expired(&place, OBJECTS_AT_ONCE).await?;
            let mut keys = Vec::with_capacity(slice.objects.len());
            for expired in slice.objects {
                match self.parts.store.delete(&expired.key).await {
                    Ok(()) => {
                        gone.objects += 1;
                        gone.records += expired.records;
                        gone.stored_bytes += expired.stored_bytes;
                        keys.push(expired.key);
                    }
                    Err(source) => {
                        failures += 1;
                        first.get_or_insert((expired.key, source));
                    }
                }
            }
            if !keys.is_empty() {
                self.parts.index.remove(&keys).await?;
            }
            at = slice.next;
        }
        match first {
            None => Ok(()),
            Some((key, source)) => Err(RetentionError::Store {
                objects: failures,
                key,
                source,
            }),
        }
    }

    /// Deletes rows of aggregates; then sees whether that made room where it was to.
    async fn delete_rows(
        &self,
        today: &Today,
        consent: Consent,
        past: &mut Past,
        retained: &mut Retained,
    ) -> Result<(), RetentionError> {
        let aggregates = self.parts.aggregates.get();
        let floors = retained.floors;
        let measures = self.rules.aggregates.bytes.is_some();
        let before = match measures {
            true => below(&aggregates.day_bytes().await?, floors.aggregates),
            false => 0,
        };
        let copies = copies_step(&*aggregates, &self.rules.copies, today, consent).await?;
        retained.held.extend(copies.held);
        self.delete_aggregates(floors, copies.floor, past, &mut retained.gone)
            .await?;
        if before > 0 {
            let after = aggregates.day_bytes().await?;
            if below(&after, floors.aggregates) >= before {
                let bytes = total(&above(after, None));
                past.in_vain = Some(bytes);
                return Err(RetentionError::InVain { bytes });
            }
        }
        Ok(())
    }

    async fn delete_aggregates(
        &self,
        floors: Floors,
        copies: Option<SubmissionDate>,
        past: &mut Past,
        gone: &mut Gone,
    ) -> Result<(), RetentionError> {
        let chunks = floors.pings.map(|floor| self.rules.copies_below(floor));
        let seen = chunks.max(copies);
        let below = Below {
            aggregates: floors.aggregates,
            errored: floors.pings,
            // All copies are walked once for each new day, and once in a process.
            seen: seen.filter(|_| past.walked != seen),
            chunks,
            error_chunks: floors.errors,
        };
        let aggregates = self.parts.aggregates.get();
        let mut at = DeletePlace::default();
        loop {
            let deleted = aggregates.delete_below(&below, at).await?;
            gone.aggregates += deleted.aggregates;
            gone.rows += deleted.rows;
            match deleted.next {
                Some(next) => at = next,
                None => break,
            }
        }
        past.walked = seen;
        Ok(())
    }
}

/// What a run by these rules would do if a person agreed, and what of it waits if nobody does. Changes nothing.
///
/// # Errors
/// When a question could not be answered.
pub async fn look(
    index: &dyn RetainIndex,
    aggregates: &dyn RetainAggregates,
    (rules, by_source): (&Rules, &RulesBySource),
    today: SubmissionDate,
) -> Result<Retained, RetentionError> {
    let stored = Stored::read(index).await?;
    let today = &stored.today(rules, today, &BTreeSet::new());
    let before = stored.floors;
    let mut retained = Retained {
        held: stored.objects(rules, today.clone(), Consent::Bounded).held,
        ..Retained::default()
    };
    let mut floors = stored.objects(rules, today.clone(), Consent::Given).floors;
    let bounded = aggregates_step(aggregates, &rules.aggregates, &before, today, Consent::Bounded).await?;
    let given = aggregates_step(aggregates, &rules.aggregates, &before, today, Consent::Given).await?;
    floors.aggregates = given.floor;
    let copies = copies_step(aggregates, &rules.copies, today, Consent::Bounded).await?;
    retained.held.extend(bounded.held.into_iter().chain(copies.held));
    retained.floors = before.raised(&floors);
    for kind in [ChunkKind::Pings, ChunkKind::Errors] {
        for day in stored.days(kind) {
            if !retained.floors.admit(kind, day.date) {
                retained.gone.objects += day.chunks;
                retained.gone.records += day.records;
                retained.gone.stored_bytes += day.stored_bytes;
            }
        }
    }
    let (found, trouble) = look_at_sources(index, aggregates, by_source).await?;
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    let bounded = SourceSteps::of(by_source, &found, today, Consent::Bounded);
    let given = SourceSteps::of(by_source, &found, today, Consent::Given);
    retained.held.extend(bounded.held);
    retained.source_floors = found.floors.sources.raised(&given.floors);
    for (source, floor) in retained.source_floors.iter() {
        for day in found.chunks.get(source).into_iter().flatten() {
            // What is below a floor of all is counted above.
            if Some(day.date) < floor.chunks && Some(day.date) >= retained.floors.objects() {
                retained.gone.objects += day.chunks;
                retained.gone.records += day.records;
                retained.gone.stored_bytes += day.stored_bytes;
            }
        }
    }
    let days = aggregates.days().await?;
    let goes = days.iter().filter(|day| Some(**day) < retained.floors.aggregates);
    retained.gone.aggregate_days = goes.count() as u64;
    Ok(retained)
}

/// What the index has, by day.
struct Stored {
    floors: Floors,
    pings: Vec<StoredDay>,
    errors: Vec<StoredDay>,
}

impl Stored {
    async fn read(index: &dyn RetainIndex) -> Result<Self, RetentionError> {
        Ok(Self {
            floors: index.floors().await?,
            pings: index.days(ChunkKind::Pings).await?,
            errors: index.days(ChunkKind::Errors).await?,
        })
    }

    const fn days(&self, kind: ChunkKind) -> &Vec<StoredDay> {
        match kind {
            ChunkKind::Pings => &self.pings,
            ChunkKind::Errors => &self.errors,
        }
    }

    /// The day by the clock, with the days that are known, and the day by which a floor was raised last.
    fn today(&self, rules: &Rules, day: SubmissionDate, ran: &BTreeSet<SubmissionDate>) -> Today {
        let stored = self.pings.iter().chain(&self.errors).map(|day| day.date);
        let raised = [
            (self.floors.pings, &rules.pings),
            (self.floors.errors, &rules.errors),
            (self.floors.aggregates, &rules.aggregates),
        ];
        let raised = raised
            .into_iter()
            .filter_map(|(floor, keep)| by_which(floor?, keep));
        Today::new(day, stored.chain(ran.iter().copied()).collect(), raised.max())
    }

    /// What the rules of objects say of those above the floors.
    fn objects(&self, rules: &Rules, today: Today, consent: Consent) -> Steps {
        let mut steps = Steps {
            before: self.floors,
            today,
            floors: Floors::default(),
            held: Vec::new(),
            seen: SeenDays::default(),
            aggregate_days: BTreeSet::new(),
            trouble: None,
        };
        for (of, kind, keep) in [
            (Kind::Pings, ChunkKind::Pings, &rules.pings),
            (Kind::Errors, ChunkKind::Errors, &rules.errors),
        ] {
            let days = self.days(kind).iter();
            let days: Vec<Day> = days
                .filter(|day| self.floors.admit(kind, day.date))
                .map(|day| (day.date, day.stored_bytes))
                .collect();
            let step = Step::of((of, keep), &days, &steps.today, consent);
            match kind {
                ChunkKind::Pings => (steps.floors.pings, steps.seen.pings) = (step.floor, step.seen),
                ChunkKind::Errors => (steps.floors.errors, steps.seen.errors) = (step.floor, step.seen),
            }
            steps.held.extend(step.held);
        }
        steps
    }
}

/// What the rule of aggregates says. Days count alike where no size is asked for: all of them need not be read then.
async fn aggregates_step(
    aggregates: &dyn RetainAggregates,
    keep: &RetentionRule,
    floors: &Floors,
    today: &Today,
    consent: Consent,
) -> Result<Step, RetentionError> {
    let days = match keep {
        keep if keep.is_forever() => Vec::new(),
        RetentionRule { bytes: None, .. } => {
            let days = aggregates.days().await?.into_iter();
            days.filter(|day| floors.aggregates.is_none_or(|floor| *day >= floor))
                .map(|day| (day, 1))
                .collect()
        }
        RetentionRule { bytes: Some(_), .. } => above(aggregates.day_bytes().await?, floors.aggregates),
    };
    Ok(Step::of((Kind::Aggregates, keep), &days, today, consent))
}

/// What the rule of copies says.
async fn copies_step(
    aggregates: &dyn RetainAggregates,
    keep: &RetentionRule,
    today: &Today,
    consent: Consent,
) -> Result<Step, RetentionError> {
    if keep.is_forever() {
        return Ok(Step::default());
    }
    let days = above(aggregates.copy_bytes().await?, None);
    Ok(Step::of((Kind::Copies, keep), &days, today, consent))
}

/// Bytes above the budgets. Only what a floor frees counts.
async fn over_budget(
    index: &dyn RetainIndex,
    aggregates: &dyn RetainAggregates,
    rules: &Rules,
) -> Result<u64, RetentionError> {
    let mut over = 0;
    for (kind, keep) in [
        (ChunkKind::Pings, &rules.pings),
        (ChunkKind::Errors, &rules.errors),
    ] {
        let Some(budget) = keep.bytes else { continue };
        let stored: u64 = index.days(kind).await?.iter().map(|day| day.stored_bytes).sum();
        over += stored.saturating_sub(budget);
    }
    if let Some(budget) = rules.aggregates.bytes {
        over += total(&above(aggregates.day_bytes().await?, None)).saturating_sub(budget);
    }
    if let Some(budget) = rules.copies.bytes {
        over += total(&above(aggregates.copy_bytes().await?, None)).saturating_sub(budget);
    }
    Ok(over)
}

/// The days on or above a floor.
fn above(days: Vec<DayBytes>, floor: Option<SubmissionDate>) -> Vec<Day> {
    days.into_iter()
        .filter(|day| floor.is_none_or(|floor| day.date >= floor))
        .map(|day| (day.date, day.bytes))
        .collect()
}

/// What lies below a floor.
fn below(days: &[DayBytes], floor: Option<SubmissionDate>) -> u64 {
    let below = days.iter().filter(|day| Some(day.date) < floor);
    below.map(|day| day.bytes).sum()
}

fn total(days: &[Day]) -> u64 {
    days.iter().map(|(_, bytes)| bytes).sum()
}

fn tell(retained: &Retained) {
    let Retained {
        gone,
        over_budget_bytes,
        held,
        ..
    } = retained;
    if *gone != Gone::default() {
        tracing::info!(
            objects = gone.objects,
            records = gone.records,
            stored_bytes = gone.stored_bytes,
            aggregates = gone.aggregates,
            rows = gone.rows,
            "deleted what is below the floor dates"
        );
    }
    if *over_budget_bytes > 0 && held.is_empty() {
        tracing::warn!(
            over_budget_bytes,
            "what is of today, or of the newest day, is above the budget: that is never deleted for its size, so raise the budget"
        );
    }
    for held in held {
        tracing::warn!("not deleted, for it is much at once, until `highwater retain --yes`: {held}");
    }
}
