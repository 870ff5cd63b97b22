//! Whether shared aggregates count users by hashes of the secret with which the edges of the store hash clients: those note it in the
//! store, and it is compared with what the aggregates know.

use std::sync::Arc;
use std::time::Duration;

use aggregate_store::{AggregateError, ClientSecrets};
use anyhow::Context;
use readers::privacy::Fingerprint;
use service::task;
use store::{Store, StoreError};

use crate::data::Data;
use crate::privacy::replaced;
use crate::secret_note::{NOTED, known_in_store};

/// How often it is looked at: an edge may be the first one to hash clients at any time.
const EVERY: Duration = Duration::from_secs(60);

/// The pause after a first look that failed; it doubles, up to [`EVERY`].
const AGAIN: Duration = Duration::from_secs(1);

/// Both places where a secret is noted.
#[derive(Debug)]
pub(super) struct BothNotes {
    store: Arc<dyn Store>,
    aggregates: Arc<dyn ClientSecrets>,
    replaces: Option<Fingerprint>,
}

impl BothNotes {
    /// Those of a store and of aggregates; the settings say which secret may be replaced.
    ///
    /// # Errors
    /// When what they say is no fingerprint.
    pub(super) fn new(
        data: &Data,
        store: Arc<dyn Store>,
        aggregates: Arc<dyn ClientSecrets>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            store,
            aggregates,
            replaces: replaced(data)?,
        })
    }

    /// Compares them once. What cannot be compared now is said, and is no reason not to fold: who may read chunks alone, or waits for
    /// the store, would fold nothing.
    ///
    /// # Errors
    /// When the aggregates know another secret, or what the store notes cannot be read as one.
    pub(super) async fn compare(&self) -> anyhow::Result<()> {
        self.look().await.map(drop)
    }

    /// Compares them now and for ever, and says when it did so first. Returns when it is refused.
    pub(super) async fn follow(&self, looked: impl FnOnce()) -> anyhow::Error {
        let (mut looked, mut pause) = (Some(looked), AGAIN);
        loop {
            pause = match self.look().await {
                Ok(true) => EVERY,
                Ok(false) => pause.saturating_mul(2).min(EVERY),
                Err(error) => return error,
            };
            if let Some(looked) = looked.take() {
                looked();
            }
            task::sleep(pause).await;
        }
    }

    /// Whether both could be compared.
    async fn look(&self) -> anyhow::Result<bool> {
        match self.try_to_compare().await {
            Ok(()) => Ok(true),
            Err(error) if passes(&error) => {
                tracing::warn!(
                    error = crate::text::words(&error),
                    "it is not known whether users are counted by the hashes that edges make"
                );
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Has the aggregates know the secret of the edges, if they have any.
    async fn try_to_compare(&self) -> anyhow::Result<()> {
        let Some(known) = known_in_store(self.store.as_ref()).await? else {
            return Ok(());
        };
        let (given, replaces) = (
            known.to_string(),
            self.replaces.map(|replaces| replaces.to_string()),
        );
        let claimed = self.aggregates.claim_client_secret(&given, replaces.as_deref());
        claimed
            .await
            .with_context(|| format!("the secret that the edges of --store noted there ({NOTED})"))
    }
}

/// Whether another look may end otherwise.
fn passes(error: &anyhow::Error) -> bool {
    let of_aggregates = error.downcast_ref::<AggregateError>();
    error.is::<StoreError>()
        || of_aggregates.is_some_and(|error| !matches!(error, AggregateError::OtherClientSecret { .. }))
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use async_trait::async_trait;
    use bytes::Bytes;
    use readers::privacy::ClientSecret;
    use store::{MemoryStore, Payload};
    use tokio::sync::mpsc;

    use super::*;

    /// What aggregates note.
    #[derive(Debug, Default)]
    struct Noted(Mutex<Option<String>>);

    #[async_trait]
    impl ClientSecrets for Noted {
        async fn client_secret(&self) -> Result<Option<String>, AggregateError> {
            Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
        }

        async fn claim_client_secret(&self, given: &str, _: Option<&str>) -> Result<(), AggregateError> {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match known.clone() {
                Some(known) if known != given => Err(AggregateError::OtherClientSecret {
                    known,
                    given: given.to_owned(),
                }),
                _ => {
                    *known = Some(given.to_owned());
                    Ok(())
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_that_comes_later_is_noted_and_another_one_after_it_ends_the_folding() {
        let (store, noted) = (Arc::new(MemoryStore::default()), Arc::new(Noted::default()));
        let notes = BothNotes {
            store: store.clone(),
            aggregates: noted.clone(),
            replaces: None,
        };
        let (say, mut said) = mpsc::unbounded_channel();
        let following = task::spawn("follow", async move {
            notes.follow(|| say.send(()).expect("heard")).await
        });
        said.recv().await.expect("looked: nobody hashes");
        let note = async |byte| {
            let text = format!(
                "highwater-client-secret 1 {}\n",
                ClientSecret::from_bytes([byte; 32]).fingerprint()
            );
            // Nobody does it so; what stands there is what counts.
            let _ = store.delete(NOTED).await;
            let put = store
                .put_if_absent(NOTED, Payload::Bytes(Bytes::from(text)))
                .await;
            put.expect("put");
        };
        note(1).await;
        task::sleep(EVERY * 2).await;
        let first = ClientSecret::from_bytes([1; 32]).fingerprint().to_string();
        assert_eq!(
            noted.client_secret().await.expect("an answer"),
            Some(first.clone())
        );
        note(2).await;
        let words = crate::text::words(&following.await.expect("it ended"));
        assert!(
            words.contains(&format!("hashed with the secret {first}")),
            "{words}"
        );
    }
}
