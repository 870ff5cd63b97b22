//! What declarations have done with pings before they are stored: the rules in force, and the secret to carry them out with.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use disk::Disk;
use edge::{Privacy, PrivacyFolder};
use readers::privacy::{ClientSecret, Declared, Fingerprint};
use service::directory::DataDirectory;
use service::random::Random;
use service::task;
use store::{Payload, Put, Store, StoreError};

use crate::client_secret;
use crate::data::Data;
use crate::product;

/// What tells the secret that is in use, and the one that it may replace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecretInUse {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) replaces: Option<Fingerprint>,
}

/// Has what is declared in force for what is gathered from now on. The caller holds the directory's lock.
///
/// # Errors
/// When the declarations, the rules of before or the secret cannot be had, or the secret is another one.
pub(crate) fn open(
    data: &Data,
    directory: &DataDirectory,
    disk: Arc<dyn Disk>,
    random: &dyn Random,
) -> anyhow::Result<(Privacy, Option<SecretInUse>)> {
    let folder = PrivacyFolder::open(disk, &directory.privacy())?;
    let declarations = product::declared(&data.fold.products)?;
    let rules = folder.after(&Declared::of(
        declarations.iter().map(|(_, declaration, _)| declaration),
    ));
    let replaces = replaced(data)?;
    let secret = match &data.intake.client_secret_file {
        Some(path) => Some(client_secret::given(path)?),
        None => client_secret::own(directory.root())?,
    };
    let secret = match secret {
        None if rules.hash() && (folder.secret().is_none() || folder.secret() == replaces) => {
            anyhow::ensure!(
                data.places.store.is_none(),
                "a declaration has clients hashed before their pings are stored, and several edges may share this store: give all of them \
                 one secret of {} random bytes, by --client-secret-file (HIGHWATER_CLIENT_SECRET_FILE)",
                ClientSecret::BYTES
            );
            Some(client_secret::make(directory.root(), random)?)
        }
        secret => secret,
    };
    let in_use = secret
        .as_ref()
        .filter(|_| rules.hash())
        .map(|secret| SecretInUse {
            fingerprint: secret.fingerprint(),
            replaces,
        });
    Ok((folder.begin(rules, secret, replaces)?, in_use))
}

/// Under which key a store that several edges share notes with which secret they hash clients.
const NOTED: &str = "privacy/client-secret";

/// What such a note begins with: its kind and version.
const KIND: &str = "highwater-client-secret 1 ";

/// How long a store that does not answer is waited for between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// Notes the secret in a store that others may share, once, and compares it. Waits for a store that does not answer.
///
/// # Errors
/// When another one is noted there, or what is noted cannot be read.
pub(crate) async fn claim_in_store(store: &dyn Store, secret: SecretInUse) -> anyhow::Result<()> {
    let given = format!("{KIND}{}\n", secret.fingerprint);
    loop {
        match noted(store, &given).await {
            Ok(noted) if noted == given => return Ok(()),
            Ok(noted) => {
                let text = noted.strip_prefix(KIND).map(str::trim_end);
                let known = text.and_then(Fingerprint::parse).with_context(|| {
                    format!("the object {NOTED} of the store is no note of a client secret that this program can read")
                })?;
                anyhow::ensure!(
                    secret.replaces == Some(known),
                    "the edges of this store hash clients with the secret {known}, and {} is given: give all of them one \
                     (--client-secret-file), for by two each user is counted twice; if that one is lost for good, start once with \
                     --client-secret-replaces {known}",
                    secret.fingerprint
                );
                store.delete(NOTED).await?;
            }
            Err(error) => {
                tracing::warn!(%error, "the store does not say with which secret clients are hashed; asked again");
                task::sleep(PAUSE).await;
            }
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

/// Whether the settings of the secret are understood.
pub(crate) fn check(data: &Data) -> anyhow::Result<()> {
    replaced(data)?;
    let given = data
        .intake
        .client_secret_file
        .as_deref()
        .map(client_secret::given);
    given.transpose()?;
    Ok(())
}

fn replaced(data: &Data) -> anyhow::Result<Option<Fingerprint>> {
    let text = data.intake.client_secret_replaces.as_deref();
    let parsed = text.map(|text| {
        Fingerprint::parse(text).with_context(|| {
            format!("--client-secret-replaces {text}: write the 16 digits that the message about the other secret names")
        })
    });
    parsed.transpose()
}

#[cfg(test)]
mod tests {
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
