//! What a core folds anew: the rebuild into the next generation, and the replay of errored pings.

use aggregate_store::{Days, Rebuild};
use aggregator::{Aggregator, PassedOver, ReplayProgress, SourceRebuild};
use readers::declaration::nearest;
use serde_json::{Value, json};
use service::task;

use super::anew::{Teller, to_json};
use super::core::Core;

impl Core {
    /// Folds everything into the next generation of aggregates and puts it into use. Answers its number, and the chunks that
    /// could not be read.
    pub(super) async fn rebuild(
        &self,
        forget_older: bool,
        say: &(impl Fn(Value) + Send + Sync),
    ) -> anyhow::Result<(u64, PassedOver)> {
        let anew = &self.anew;
        let _alone = anew.alone.lock().await;
        self.retaining.check_rebuild(forget_older).await?;
        let changes = self.aggregator.changed_rules().await;
        if !changes.is_empty() {
            tracing::warn!(?changes, "a rebuild changes what the fold reads");
            say(json!({"changes": changes}));
        }
        // What the index lacks would be missing in the new aggregates.
        self.reconcile().await?;
        let old = self.index.generation().await?;
        let rules = self.aggregator.rules().await;
        let sqlite = anew
            .generations
            .shadow(
                old + 1,
                (&rules, &self.aggregator.declared().await),
                self.index.as_ref(),
            )
            .await?;
        // Its layer stays empty until it is in use: a rebuild commits.
        let shadow = self.layered(sqlite.clone()).await?;
        let teller = Teller::new(anew);
        let progress = |progress| say(teller.tell(progress));
        let rebuilt = self
            .aggregator
            .rebuild(shadow.clone(), old + 1, &progress)
            .await?;
        let retained = self.retaining.aggregates.exchange(shadow.clone());
        let secrets = self.secrets.exchange(sqlite);
        let replaced = (self.reads.exchange(shadow), retained, secrets);
        // The last holder ends the old store's threads and waits for them.
        task::blocking(move || drop(replaced)).await;
        anew.generations.remove(old);
        Ok((old + 1, rebuilt.passed_over))
    }

    /// Folds a source anew, of these days, beside what is in use, and puts it into use.
    pub(super) async fn rebuild_source(
        &self,
        source: &str,
        days: Days,
        say: &(impl Fn(Value) + Send + Sync),
    ) -> anyhow::Result<Value> {
        let anew = &self.anew;
        let _alone = anew.alone.lock().await;
        self.reconcile().await?;
        self.aggregator.check_rules().await?;
        refuse_stranger(&self.aggregator, source).await?;
        let rebuild = self.aggregator.wish_rebuild(source, days).await?;
        let progress = |told: SourceRebuild| say(source_rebuild_to_json(&told));
        let is_in_use = self.aggregator.finish_rebuild(&rebuild, &progress).await?;
        folded_anew(&rebuild, is_in_use)
    }

    /// Reads errored pings again. Answers how many are folded now, and how many still are not, by reason.
    pub(super) async fn replay_errors(&self, say: &(impl Fn(Value) + Send + Sync)) -> anyhow::Result<Value> {
        let _alone = self.anew.alone.lock().await;
        replay(&self.aggregator, say).await
    }

    /// Adds to a status what is being done, and what somebody must do before anything is folded.
    pub(super) async fn add_work(&self, status: &mut Value) {
        if let Some(rebuild) = self.anew.rebuild() {
            status["rebuild"] = rebuild;
        }
        if let Some(told) = self.aggregator.source_rebuild() {
            status["source_rebuild"] = source_rebuild_to_json(&told);
        }
        if let Err(error) = self.aggregator.check_rules().await {
            status["not_folding"] = json!(error.to_string());
        }
    }
}

/// Reads errored pings again. Answers how many are folded now, and how many still are not, by reason.
pub(crate) async fn replay(
    aggregator: &Aggregator,
    say: &(impl Fn(Value) + Send + Sync),
) -> anyhow::Result<Value> {
    let changes = aggregator.changed_rules().await;
    let progress = |progress: ReplayProgress| {
        say(json!({"tried": progress.tried, "replayed": progress.replayed}));
    };
    let done = aggregator.replay_errors(&progress).await?;
    let mut told = json!({"replayed": done.replayed, "still_errored": done.still_errored});
    if done.unreadable > 0 {
        told["unreadable"] = json!(done.unreadable);
    }
    if !done.passed_over.is_empty() {
        told["unreadable_chunks"] = chunks_to_json(&done.passed_over);
    }
    if !changes.is_empty() {
        told["changes"] = json!(changes);
    }
    Ok(told)
}

/// Refuses a source of which nothing was ever counted and that is not declared: most likely its name is misspelled.
pub(crate) async fn refuse_stranger(aggregator: &Aggregator, source: &str) -> anyhow::Result<()> {
    let known = aggregator.known_sources().await?;
    if known.contains(source) {
        return Ok(());
    }
    let near = nearest(source, known.iter().map(String::as_str));
    let near = near.map_or_else(String::new, |near| format!(": did you mean {near}?"));
    anyhow::bail!(
        "no ping of {source} was counted, and it is not declared: there is nothing to fold anew{near}"
    );
}

/// How the rebuild of a source ended, or of all beside what is in use.
pub(crate) fn folded_anew(rebuild: &Rebuild, is_in_use: bool) -> anyhow::Result<Value> {
    let wish = &rebuild.wish;
    let source = wish.source.as_deref().unwrap_or("everything");
    anyhow::ensure!(
        is_in_use,
        "the rebuild of {source} ended without coming into use: another wish took its place, or errored pings were replayed \
         meanwhile; what is in use is as before: call it again"
    );
    let [from, to] = [wish.days.first, wish.days.last].map(|day| day.map(|day| day.to_string()));
    Ok(json!({"source": source, "from": from, "to": to}))
}

/// How far the rebuild of a source is, and for what it waits.
pub(crate) fn source_rebuild_to_json(told: &SourceRebuild) -> Value {
    let mut json = to_json(&told.progress, told.progress.time_left(told.elapsed));
    json["source"] = json!(told.rebuild.wish.source);
    if !told.unreadable.is_empty() {
        json["unreadable_chunks"] = chunks_to_json(&told.unreadable);
    }
    json
}

/// Chunks that could not be read: how many, and the first of them with what was wrong.
pub(super) fn chunks_to_json(passed_over: &PassedOver) -> Value {
    let named = passed_over.named.iter();
    let named = named.map(|(chunk, reason)| json!({"chunk": chunk.to_string(), "reason": reason}));
    json!({"count": passed_over.chunks, "first": named.collect::<Vec<_>>()})
}
