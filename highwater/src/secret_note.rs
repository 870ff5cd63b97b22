//! The note of which secret the edges of a store hash clients with, in a store that several may share.

use std::time::Duration;

use aggregate_store::ClientSecrets;
use anyhow::Context;
use readers::privacy::Fingerprint;
use service::task;
use store::{Payload, Put, Store, StoreError};

/// Under which key a store that several edges share notes with which secret they hash clients.
pub(crate) const NOTED: &str = "privacy/client-secret";

/// What such a note begins with: its kind and version.
const KIND: &str = "highwater-client-secret 1 ";

/// How long a store that does not answer is waited for between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// What tells the secret that is in use, and the one that it may replace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecretInUse {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) replaces: Option<Fingerprint>,
}

impl SecretInUse {
    /// Whether it is the one that is known, or takes that one's place on purpose.
    pub(crate) fn may_follow(&self, known: Option<Fingerprint>) -> bool {
        known == Some(self.fingerprint) || (known.is_some() && known == self.replaces)
    }

    /// Has aggregates know it.
    ///
    /// # Errors
    /// When they know another one, or cannot be asked.
    pub(crate) async fn claim_in(&self, aggregates: &dyn ClientSecrets) -> anyhow::Result<()> {
        let replaces = self.replaces.map(|replaces| replaces.to_string());
        let given = self.fingerprint.to_string();
        Ok(aggregates
            .claim_client_secret(&given, replaces.as_deref())
            .await?)
    }

    fn check_store(&self, known: Fingerprint) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.may_follow(Some(known)),
            "the edges of this store hash clients with the secret {known}, and {} is given: give all of them one \
             (--client-secret-file), for by two each user is counted twice; if that one is lost for good, start once with \
             --client-secret-replaces {known}",
            self.fingerprint
        );
        Ok(())
    }
}

/// Compares a secret with the one that is noted in a store that others may share, and notes nothing. Waits for a store that does not
/// answer.
///
/// # Errors
/// When another one is noted there, or what is noted cannot be read.
pub(crate) async fn compare_with_store(store: &dyn Store, secret: SecretInUse) -> anyhow::Result<()> {
    match answered(|| known_in_store(store)).await? {
        Some(known) => secret.check_store(known),
        None => Ok(()),
    }
}

/// Notes the secret in a store that others may share, once, and compares it. Waits for a store that does not answer.
///
/// # Errors
/// When another one is noted there, or what is noted cannot be read.
pub(crate) async fn claim_in_store(store: &dyn Store, secret: SecretInUse) -> anyhow::Result<()> {
    let given = format!("{KIND}{}\n", secret.fingerprint);
    let given = given.as_str();
    loop {
        let noted = answered(|| async move { Ok(noted(store, given).await?) }).await?;
        if noted == given {
            return Ok(());
        }
        secret.check_store(parsed(&noted)?)?;
        store.delete(NOTED).await?;
    }
}

/// The secret that edges of a store noted there, if any did. The store may not answer: [`StoreError`].
///
/// # Errors
/// When the store does not answer, or what is noted cannot be read.
pub(crate) async fn known_in_store(store: &dyn Store) -> anyhow::Result<Option<Fingerprint>> {
    match store.get(NOTED).await {
        Ok(noted) => parsed(&String::from_utf8_lossy(&noted)).map(Some),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn parsed(noted: &str) -> anyhow::Result<Fingerprint> {
    let text = noted.strip_prefix(KIND).map(str::trim_end);
    text.and_then(Fingerprint::parse).with_context(|| {
        format!("the object {NOTED} of the store is no note of a client secret that this program can read")
    })
}

/// What a store answers, however long it takes.
///
/// # Errors
/// Of those that it answers.
async fn answered<T, F>(ask: impl Fn() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    loop {
        match ask().await {
            Err(error) if error.is::<StoreError>() => {
                tracing::warn!(%error, "the store does not say with which secret clients are hashed; asked again");
                task::sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}

/// What is noted, after this was, unless something was before.
async fn noted(store: &dyn Store, given: &str) -> Result<String, StoreError> {
    let note = Payload::Bytes(given.to_owned().into_bytes().into());
    match store.put_if_absent(NOTED, note).await? {
        Put::Created => Ok(given.to_owned()),
        Put::AlreadyThere => {
            let noted = store.get(NOTED).await?;
            Ok(String::from_utf8_lossy(&noted).into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use readers::privacy::ClientSecret;
    use store::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn edges_that_share_a_store_hash_with_one_secret() {
        let store = MemoryStore::default();
        let secret = |byte: u8, replaces: Option<u8>| {
            let fingerprint = |byte| ClientSecret::from_bytes([byte; 32]).fingerprint();
            SecretInUse {
                fingerprint: fingerprint(byte),
                replaces: replaces.map(fingerprint),
            }
        };
        for _ in 0..2 {
            claim_in_store(&store, secret(1, None)).await.expect("noted");
        }
        for replaces in [None, Some(2), Some(3)] {
            let error = claim_in_store(&store, secret(2, replaces))
                .await
                .expect_err("another");
            let known = secret(1, None).fingerprint.to_string();
            assert!(
                error
                    .to_string()
                    .contains(&format!("--client-secret-replaces {known}")),
                "{error}"
            );
        }
        claim_in_store(&store, secret(2, Some(1)))
            .await
            .expect("replaced");
        claim_in_store(&store, secret(2, None)).await.expect("noted");
        claim_in_store(&store, secret(1, None))
            .await
            .expect_err("it was replaced");
    }
}
