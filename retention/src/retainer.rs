//! One run: the floors are raised, then objects below them go, then rows.

use std::fmt;
use std::sync::Arc;

use aggregate_store::{Below, DeletePlace, RetainAggregates};
use async_trait::async_trait;
use index_schema::{ChunkKind, Floors, RetainIndex};
use ping::SubmissionDate;
use service::current::Current;
use store::Store;
use tokio::sync::Mutex;

use crate::limits::OBJECTS_AT_ONCE;
use crate::plan::floor_of;
use crate::{Gone, Retained, RetentionError, Rules, metrics};

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
    /// One run at a time; the day below which all copies were walked by this process.
    pub(crate) walked: Mutex<Option<SubmissionDate>>,
}

impl Retainer {
    /// A retainer by these rules.
    pub fn new(parts: Parts, rules: Rules) -> Self {
        Self {
            parts,
            rules,
            walked: Mutex::default(),
        }
    }

    /// Raises the floors to what the rules say today, and deletes what lies below. Goes on from whatever an earlier run
    /// left undone.
    ///
    /// # Errors
    /// See [`RetentionError`]; call it again.
    pub async fn run(&self, today: SubmissionDate) -> Result<Retained, RetentionError> {
        let mut walked = self.walked.lock().await;
        let outcome = self.run_alone(today, &mut walked).await;
        metrics::count(&outcome);
        outcome
    }

    /// What a run would do, as far as that can be told before: aggregates that go by size are not counted.
    ///
    /// # Errors
    /// When a question could not be answered.
    pub async fn look(&self, today: SubmissionDate) -> Result<Retained, RetentionError> {
        let index = &self.parts.index;
        let floors = index.floors().await?.raised(&self.wanted(today).await?);
        let mut gone = Gone::default();
        for kind in [ChunkKind::Pings, ChunkKind::Errors] {
            for day in index.days(kind).await? {
                if !floors.admit(kind, day.date) {
                    gone.objects += day.chunks;
                    gone.records += day.records;
                    gone.stored_bytes += day.stored_bytes;
                }
            }
        }
        let over_budget_bytes = self.over_budget(floors, today).await?;
        Ok(Retained {
            floors,
            gone,
            over_budget_bytes,
        })
    }

    async fn run_alone(
        &self,
        today: SubmissionDate,
        walked: &mut Option<SubmissionDate>,
    ) -> Result<Retained, RetentionError> {
        let wanted = self.wanted(today).await?;
        let mut floors = self.raise(wanted).await?;
        let mut gone = Gone::default();
        self.delete_objects(&mut gone).await?;
        self.delete_aggregates(floors, walked, &mut gone).await?;
        while let Some(next) = self.next_by_size(today).await? {
            let raised = Floors {
                aggregates: Some(next),
                ..Floors::default()
            };
            floors = self.raise(raised).await?;
            self.delete_aggregates(floors, walked, &mut gone).await?;
        }
        let over_budget_bytes = self.over_budget(floors, today).await?;
        if gone != Gone::default() {
            tracing::info!(
                objects = gone.objects,
                records = gone.records,
                stored_bytes = gone.stored_bytes,
                aggregates = gone.aggregates,
                rows = gone.rows,
                "deleted what is below the floor dates"
            );
        }
        if over_budget_bytes > 0 {
            tracing::warn!(
                over_budget_bytes,
                "today's pings alone are above the budget: today is never deleted, so raise the budget"
            );
        }
        Ok(Retained {
            floors,
            gone,
            over_budget_bytes,
        })
    }

    /// The floors that the rules say, without aggregates by size.
    async fn wanted(&self, today: SubmissionDate) -> Result<Floors, RetentionError> {
        let by_age = crate::Keep {
            bytes: None,
            ..self.rules.aggregates
        };
        Ok(Floors {
            pings: floor_of(&self.rules.pings, &self.sizes(ChunkKind::Pings).await?, today),
            errors: floor_of(&self.rules.errors, &self.sizes(ChunkKind::Errors).await?, today),
            aggregates: floor_of(&by_age, &[], today),
        })
    }

    async fn sizes(&self, kind: ChunkKind) -> Result<Vec<(SubmissionDate, u64)>, RetentionError> {
        let days = self.parts.index.days(kind).await?;
        Ok(days.into_iter().map(|day| (day.date, day.stored_bytes)).collect())
    }

    async fn raise(&self, to: Floors) -> Result<Floors, RetentionError> {
        let floors = self.parts.index.floors().await?;
        if floors.raised(&to) == floors {
            return Ok(floors);
        }
        let standing = self.parts.folding.stand_still().await;
        let _standing = standing.map_err(RetentionError::Standstill)?;
        let raised = self.parts.index.raise_floors(to).await?;
        tracing::info!(
            pings = ?raised.pings,
            errors = ?raised.errors,
            aggregates = ?raised.aggregates,
            "the floor dates were raised: nothing before them is indexed or folded any more"
        );
        Ok(raised)
    }

    /// Deletes objects, then their rows, slice by slice. An object that cannot be deleted keeps its row.
    pub(crate) async fn delete_objects(&self, gone: &mut Gone) -> Result<(), RetentionError> {
        loop {
            let slice = self.parts.index.expired(OBJECTS_AT_ONCE).await?;
            let (mut keys, mut failed) = (Vec::with_capacity(slice.len()), Vec::new());
            for expired in slice {
                match self.parts.store.delete(&expired.key).await {
                    Ok(()) => {
                        gone.objects += 1;
                        gone.records += expired.records;
                        gone.stored_bytes += expired.stored_bytes;
                        keys.push(expired.key);
                    }
                    Err(error) => failed.push(error),
                }
            }
            if !keys.is_empty() {
                self.parts.index.remove(&keys).await?;
            }
            let objects = failed.len();
            match failed.into_iter().next() {
                // Others may wait behind those that failed: they are tried as long as some go.
                Some(source) if keys.is_empty() => return Err(RetentionError::Store { objects, source }),
                None if keys.is_empty() => return Ok(()),
                _ => {}
            }
        }
    }

    async fn delete_aggregates(
        &self,
        floors: Floors,
        walked: &mut Option<SubmissionDate>,
        gone: &mut Gone,
    ) -> Result<(), RetentionError> {
        let copies = floors.pings.map(|floor| self.rules.copies_below(floor));
        let below = Below {
            aggregates: floors.aggregates,
            errored: floors.pings,
            // All copies are walked once for each new day, and once in a process.
            seen: copies.filter(|_| *walked != copies),
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
        *walked = copies;
        Ok(())
    }

    /// The floor of aggregates that gives up their oldest day, when they are above their budget.
    async fn next_by_size(&self, today: SubmissionDate) -> Result<Option<SubmissionDate>, RetentionError> {
        let Some(budget) = self.rules.aggregates.bytes else {
            return Ok(None);
        };
        let aggregates = self.parts.aggregates.get();
        if aggregates.used_bytes().await? <= budget {
            return Ok(None);
        }
        let oldest = aggregates.days().await?.into_iter().next();
        Ok(oldest
            .filter(|oldest| *oldest < today)
            .map(|oldest| oldest.plus_days(1)))
    }

    async fn over_budget(&self, floors: Floors, today: SubmissionDate) -> Result<u64, RetentionError> {
        let mut over = 0;
        for (kind, keep) in [
            (ChunkKind::Pings, &self.rules.pings),
            (ChunkKind::Errors, &self.rules.errors),
        ] {
            let days = self.sizes(kind).await?;
            let stays = days
                .iter()
                .filter(|(day, _)| floors.admit(kind, *day) || *day >= today);
            let bytes: u64 = stays.map(|(_, bytes)| bytes).sum();
            over += keep.bytes.map_or(0, |budget| bytes.saturating_sub(budget));
        }
        if let Some(budget) = self.rules.aggregates.bytes {
            over += self
                .parts
                .aggregates
                .get()
                .used_bytes()
                .await?
                .saturating_sub(budget);
        }
        Ok(over)
    }
}
