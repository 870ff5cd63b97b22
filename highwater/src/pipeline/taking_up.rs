//! Takes up declarations and definitions that changed on disk, beside everything else that goes on: all of them, or none.
//!
//! In this order, so that a crash between any two steps loses nothing and leaves no promise behind: the texts are kept, by which a start
//! goes on whose files are refused; what is taken out of pings before they are stored; which of them are told apart; what is
//! kept of them; what answers know; last, by which rules they are folded, which has a source folded anew that was counted otherwise.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use aggregator::fold::FoldSettings;
use query::definitions::Definitions;
use service::current::Current;
use service::shutdown::Shutdown;
use service::task;
use tokio::sync::{Mutex, Notify};

use super::base::Base;
use super::core::Core;
use super::declared::Declared;
use crate::data::{Data, Fold};
use crate::declarations::{Declarations, Difference, Look, Refusal, Settling, Texts, named};
use crate::secret_note::SecretInUse;

/// How often it is looked whether files changed. One that changed is read when it was left alone for so long.
const EVERY: Duration = Duration::from_secs(2);

/// How long the store may take to say which secret clients are hashed with.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes up what changed.
pub(crate) struct TakingUp {
    data: Data,
    /// The settings that name the files.
    given: Fold,
    base: Arc<Base>,
    /// `None` where pings are only taken.
    answering: Option<Answering>,
    asked: Notify,
    state: Mutex<State>,
}

/// What lies behind the edge.
pub(super) struct Answering {
    pub(super) core: Arc<Core>,
    pub(super) definitions: Arc<Current<Definitions>>,
    /// By which it is told what is folded.
    pub(super) charted: Arc<Current<FoldSettings>>,
    /// Holds what arrives against declarations.
    pub(super) declared: Arc<Declared>,
}

struct State {
    in_force: Arc<Declarations>,
    settling: Settling<Look>,
    /// What was refused last, so that it is said once.
    refused: Option<(Look, Refusal)>,
    /// Whether a change was begun and not ended: then whatever is read next is taken up from its beginning.
    is_unfinished: bool,
}

impl TakingUp {
    /// Of files that a process reads who only takes pings.
    pub(crate) fn of_edge(data: &Data, given: Fold, base: Arc<Base>, in_force: Arc<Declarations>) -> Self {
        Self::new((data, given), base, in_force, None)
    }

    pub(super) fn new(
        (data, given): (&Data, Fold),
        base: Arc<Base>,
        in_force: Arc<Declarations>,
        answering: Option<Answering>,
    ) -> Self {
        Self {
            data: data.clone(),
            given,
            base,
            answering,
            asked: Notify::new(),
            state: Mutex::new(State {
                in_force,
                // They may have changed since they were read.
                settling: Settling::after(Look::default()),
                refused: None,
                is_unfinished: false,
            }),
        }
    }

    /// Has the files read again at once, as a person wished.
    pub(crate) fn read_again(&self) {
        self.asked.notify_one();
    }

    /// Looks again and again, until the wish to end.
    pub(crate) async fn run(&self, shutdown: Shutdown) {
        let is_given = !(self.given.products.is_empty() && self.given.definitions.is_empty());
        loop {
            let is_asked = tokio::select! {
                biased;
                () = shutdown.wished() => return,
                () = self.asked.notified() => true,
                () = task::sleep(EVERY), if is_given => false,
            };
            if !is_given {
                tracing::info!(
                    "neither --products nor --definitions was given: there is nothing to read again"
                );
                continue;
            }
            tokio::select! {
                biased;
                () = shutdown.wished() => return,
                () = self.look(is_asked) => {}
            }
        }
    }

    /// Looks whether files changed and have come to rest, and takes them up if so; if asked, at once.
    pub(super) async fn look(&self, is_asked: bool) {
        let mut state = self.state.lock().await;
        let look = self.look_at_files().await;
        if !(state.settling.is_time(&look) || is_asked) {
            return;
        }
        let (given, before, is_unfinished) =
            (self.given.clone(), state.in_force.clone(), state.is_unfinished);
        let read = task::blocking(move || {
            let texts = Texts::read(&given, &before.texts)?;
            match texts == before.texts && !is_unfinished {
                true => Ok(None),
                false => Declarations::of(texts).map(|read| Some(read.keeping(&before))),
            }
        });
        let read: anyhow::Result<Option<Declarations>> = read.await;
        if self.look_at_files().await != look && !is_asked {
            // They were written while they were read.
            return;
        }
        match read {
            Ok(None) => {
                if is_asked || state.refused.is_some() {
                    tracing::info!("what the files declare is what is in force");
                }
                self.accept(&mut state, look);
            }
            Ok(Some(declarations)) => {
                let declarations = Arc::new(declarations);
                match self.exchange(&state.in_force, &declarations).await {
                    Ok(difference) => {
                        tell(&difference);
                        state.in_force = declarations;
                        state.is_unfinished = false;
                        self.accept(&mut state, look);
                    }
                    // It may work at the next look.
                    Err(error) => {
                        state.is_unfinished = true;
                        self.refuse(&mut state, look, &error, is_asked);
                    }
                }
            }
            Err(error) => {
                self.refuse(&mut state, look.clone(), &error, is_asked);
                // What could not be read may be readable in a moment.
                if !is_trouble_of_the_disk(&error) {
                    state.settling.done(look);
                }
            }
        }
    }

    async fn look_at_files(&self) -> Look {
        let given = self.given.clone();
        task::blocking(move || Look::at(&given)).await
    }

    fn accept(&self, state: &mut State, look: Look) {
        state.settling.done(look);
        state.refused = None;
        self.base.refused.note(None);
    }

    fn refuse(&self, state: &mut State, look: Look, error: &anyhow::Error, is_asked: bool) {
        let refused = (look, Refusal::of(error));
        if is_asked || state.refused.as_ref() != Some(&refused) {
            tracing::error!(
                refused = refused.1.words,
                "changed declarations are refused: those in force stay in force"
            );
        }
        self.base.refused.note(Some(refused.1.clone()));
        state.refused = Some(refused);
    }

    /// Has other declarations in force. After an error, and after a crash, it is done again from its beginning.
    async fn exchange(&self, before: &Declarations, after: &Declarations) -> anyhow::Result<Difference> {
        let difference = Difference::between(before, after);
        let secret = tokio::select! {
            biased;
            taken = self.base.take_up(&self.data, (&self.given, after)) => taken?,
            () = task::sleep(PATIENCE) => anyhow::bail!(
                "the store does not say which secret clients are hashed with, or the log is not written; they are taken up when that is over"
            ),
        };
        let Some(answering) = &self.answering else {
            return Ok(difference);
        };
        let core = &answering.core;
        if !difference.kept.is_empty() {
            core.retaining.go_by(after.kept.clone());
            core.retain_now.notify_one();
        }
        if difference.definitions {
            answering
                .definitions
                .exchange(Arc::new(after.definitions.clone()));
        }
        answering
            .declared
            .go_by(after.products.iter().map(|(declaration, _)| declaration));
        let fold = answering.charted.get();
        if (&fold.bare_pings, &fold.strings) != (&after.bare_pings, &after.strings) {
            tracing::warn!(
                "definition files say otherwise which scalars are strings, or which pings are Glean's: that is a rule of the fold of all, \
                 counts from the next start on, and asks for `highwater rebuild` then"
            );
        }
        answering.charted.exchange(Arc::new(FoldSettings {
            products: after.folded(),
            ..(*fold).clone()
        }));
        if difference.is_of_fold() {
            core.aggregator.give(after.folded()).await;
        }
        if let Some(secret) = secret {
            claim(core.clone(), secret);
        }
        Ok(difference)
    }
}

/// Has the aggregates in use know the secret, once no rebuild goes on that would exchange them. Each start does it, too.
fn claim(core: Arc<Core>, secret: SecretInUse) {
    task::spawn("client secret", async move {
        let _no_rebuild = core.anew.alone.lock().await;
        if let Err(error) = secret.claim_in(&*core.secrets.get()).await {
            tracing::error!(%error, "the aggregates do not know yet with which secret clients are hashed; the next start tells them");
        }
    });
}

/// Whether files could not be read, whatever stands in them.
fn is_trouble_of_the_disk(error: &anyhow::Error) -> bool {
    let mut causes = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() != io::ErrorKind::InvalidData)
}

/// Says what changed: names of sources, nothing of their pings.
fn tell(difference: &Difference) {
    let Difference {
        came,
        changed,
        gone,
        privacy,
        kept,
        definitions,
    } = difference;
    tracing::info!(
        came = named(came),
        changed = named(changed),
        gone = named(gone),
        taken_out_otherwise = named(privacy),
        kept_otherwise = named(kept),
        definitions,
        "changed declarations are in force; a source that was counted otherwise is folded anew beside everything else"
    );
}

#[cfg(test)]
mod tests;
