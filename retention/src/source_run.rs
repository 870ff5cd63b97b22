//! The part of a run that is about sources: their floors are raised, then what lies below goes as all else does.

use aggregate_store::BelowOfSource;
use index_schema::RaisedSources;
use ping::SubmissionDate;

use crate::limits::LOOKS_MAX;
use crate::report::Retained;
use crate::source_look::look_at_sources;
use crate::source_steps::{Found, SourceSteps};
use crate::step::{Consent, Kind};
use crate::today::Today;
use crate::{Gone, Retainer, RetentionError, RulesBySource};

impl Retainer {
    /// Raises floors of sources as far as their rules say and nobody has to agree; notes them, and what waits. A day that comes
    /// between the look and the raise was not looked at, so it is looked again.
    pub(crate) async fn raise_sources(
        &self,
        today: &Today,
        consent: Consent,
        retained: &mut Retained,
    ) -> Result<(), RetentionError> {
        let mut looks = 0;
        // One run goes by one set of rules, whatever is declared meanwhile.
        let rules = self.by_source.get();
        loop {
            looks += 1;
            let (found, trouble) = self.found(&rules).await?;
            let steps = SourceSteps::of(&rules, &found, today, consent);
            let before = &found.floors.sources;
            let raised = match before.raised(&steps.floors) == *before {
                true => Ok(()),
                false => self.raise_sources_to(&rules, (&steps, &found), consent).await,
            };
            if looks < LOOKS_MAX && matches!(raised, Err(RetentionError::Unseen { .. })) {
                continue;
            }
            retained.held.extend(steps.held);
            retained.source_floors = self.parts.index.all_floors().await?.sources;
            return trouble.map_or(raised, Err);
        }
    }

    /// What there is of sources. Trouble with aggregates keeps no chunk.
    async fn found(&self, rules: &RulesBySource) -> Result<(Found, Option<RetentionError>), RetentionError> {
        let aggregates = self.parts.aggregates.get();
        look_at_sources(&*self.parts.index, &*aggregates, rules).await
    }

    async fn raise_sources_to(
        &self,
        rules: &RulesBySource,
        (steps, found): (&SourceSteps, &Found),
        consent: Consent,
    ) -> Result<(), RetentionError> {
        let standing = self.parts.folding.stand_still().await;
        let _standing = standing.map_err(RetentionError::Standstill)?;
        let bounded = consent == Consent::Bounded;
        if bounded && let Some(day) = self.unseen_of_aggregates(rules, steps, found).await? {
            return Err(RetentionError::Unseen {
                of: Kind::Aggregates,
                day,
            });
        }
        let seen = bounded.then_some(&steps.seen);
        match self.parts.index.raise_source_floors(&steps.floors, seen).await? {
            RaisedSources::To(floors) => {
                let before = &found.floors.sources;
                let risen = floors
                    .iter()
                    .filter(|(source, floor)| before.get(source) != **floor);
                for (source, floor) in risen {
                    tracing::info!(
                        source,
                        chunks = ?floor.chunks,
                        aggregates = ?floor.aggregates,
                        "before these days nothing of this source is indexed or folded any more"
                    );
                }
                Ok(())
            }
            RaisedSources::Unseen(_, day) => Err(RetentionError::Unseen { of: Kind::Pings, day }),
            RaisedSources::TooMany => Err(RetentionError::TooManySources),
        }
    }

    /// A day of aggregates that would go, and that was not there when this was decided. Nothing is folded now, so none comes after this.
    async fn unseen_of_aggregates(
        &self,
        rules: &RulesBySource,
        steps: &SourceSteps,
        found: &Found,
    ) -> Result<Option<SubmissionDate>, RetentionError> {
        let (now, trouble) = self.found(rules).await?;
        if let Some(trouble) = trouble {
            return Err(trouble);
        }
        for (source, floor) in steps.floors.iter() {
            let [before, now] = [found, &now].map(|found| found.aggregates.get(source));
            let goes = now
                .into_iter()
                .flatten()
                .filter(|day| Some(**day) < floor.aggregates);
            let is_new = |day: &&SubmissionDate| !before.is_some_and(|before| before.contains(*day));
            if let Some(day) = goes.copied().find(|day| is_new(&day)) {
                return Ok(Some(day));
            }
        }
        Ok(None)
    }

    /// Deletes rows of aggregates below the floors of sources, slice by slice, also of those that have no rules any more.
    pub(crate) async fn delete_rows_of_sources(&self, gone: &mut Gone) -> Result<(), RetentionError> {
        let floors = self.parts.index.all_floors().await?.sources;
        let below: Vec<BelowOfSource> = floors
            .iter()
            .map(|(source, floor)| BelowOfSource {
                source: source.to_owned(),
                aggregates: floor.aggregates,
                errored: floor.chunks,
            })
            .collect();
        if below.is_empty() {
            return Ok(());
        }
        let aggregates = self.parts.aggregates.get();
        loop {
            let deleted = aggregates.delete_of_sources(&below).await?;
            if deleted.aggregates + deleted.rows == 0 {
                return Ok(());
            }
            gone.aggregates += deleted.aggregates;
            gone.rows += deleted.rows;
        }
    }
}
