//! What declarations have done with pings before they are stored: the rules in force, and the secret to carry them out with. All who
//! know a secret are asked before anything is noted anywhere: one that is refused leaves no trace.

use std::path::PathBuf;
use std::sync::Arc;

use aggregate_store::AggregateError;
use aggregator::Generations;
use anyhow::Context;
use disk::Disk;
use edge::{Privacy, PrivacyFolder};
use readers::privacy::{ClientSecret, Declared, Fingerprint, Rules};
use service::directory::DataDirectory;
use service::random::Random;
use store::Store;

use crate::client_secret;
use crate::data::Data;
use crate::secret_note::{SecretInUse, claim_in_store, compare_with_store};

/// What is declared and was promised before, and the secret to do it with. Nothing of it is in force yet.
pub(crate) struct Promised {
    folder: PrivacyFolder,
    rules: Rules,
    secret: Option<ClientSecret>,
    /// Whether the secret was drawn just now, and is kept nowhere.
    is_drawn: bool,
    replaces: Option<Fingerprint>,
    data_dir: PathBuf,
}

impl Promised {
    /// Reads it, and compares the secret with the one of the rules of before.
    ///
    /// # Errors
    /// When the declarations, the rules of before or the secret cannot be had, or the secret is another one.
    pub(crate) fn read(
        data: &Data,
        declared: &Declared,
        directory: &DataDirectory,
        disk: Arc<dyn Disk>,
        random: &dyn Random,
    ) -> anyhow::Result<Self> {
        let folder = PrivacyFolder::open(disk, &directory.privacy())?;
        let rules = folder.after(declared);
        let replaces = replaced(data)?;
        let secret = match &data.intake.client_secret_file {
            Some(path) => Some(client_secret::given(path)?),
            None => client_secret::own(directory.root())?,
        };
        let is_drawn =
            secret.is_none() && rules.hash() && (folder.secret().is_none() || folder.secret() == replaces);
        anyhow::ensure!(
            !is_drawn || data.places.store.is_none(),
            "a declaration has clients hashed before their pings are stored, and several edges may share this store: give all of them \
             one secret of {} random bytes, by --client-secret-file (HIGHWATER_CLIENT_SECRET_FILE)",
            ClientSecret::BYTES
        );
        let secret = secret.or_else(|| is_drawn.then(|| client_secret::draw(random)));
        folder.check(&rules, secret.as_ref(), replaces)?;
        Ok(Self {
            folder,
            rules,
            secret,
            is_drawn,
            replaces,
            data_dir: directory.root().to_owned(),
        })
    }

    /// The secret, if a hash stands for any client.
    pub(crate) fn secret(&self) -> Option<SecretInUse> {
        let secret = self.secret.as_ref().filter(|_| self.rules.hash())?;
        Some(SecretInUse {
            fingerprint: secret.fingerprint(),
            replaces: self.replaces,
        })
    }

    /// Compares the secret with the one by which the aggregates of the data directory count users, if they know any.
    ///
    /// # Errors
    /// When that is another one.
    pub(crate) async fn compare_with_aggregates(&self, aggregates: &Generations) -> anyhow::Result<()> {
        let Some(secret) = self.secret() else {
            return Ok(());
        };
        let known = aggregates.client_secrets().await;
        // Of two generations one may be the rest of a rebuild by a secret that was replaced since.
        let known = known.context("the folder of the aggregates")?;
        let may_follow = |known: &String| secret.may_follow(Fingerprint::parse(known));
        match known.first() {
            Some(other) if !known.iter().any(may_follow) => Err(AggregateError::OtherClientSecret {
                known: other.clone(),
                given: match self.is_drawn {
                    true => "none".to_owned(),
                    false => secret.fingerprint.to_string(),
                },
            }
            .into()),
            _ => Ok(()),
        }
    }

    /// Compares the secret with the one that is noted in a store that others may share. Waits for a store that does not answer.
    ///
    /// # Errors
    /// When another one is noted there, or what is noted cannot be read.
    pub(crate) async fn compare_with_store(&self, store: &dyn Store) -> anyhow::Result<()> {
        let Some(secret) = self.secret() else {
            return Ok(());
        };
        compare_with_store(store, secret).await
    }

    /// Has all of it in force for what is gathered from now on: keeps the secret, notes it in a store that others may share, and keeps
    /// the rules. After a crash in between the next start goes on with it. The caller holds the directory's lock.
    ///
    /// # Errors
    /// When one of them cannot be kept, or another edge noted another secret just now.
    pub(crate) async fn begin(self, shared: Option<&dyn Store>) -> anyhow::Result<Privacy> {
        if let Some(secret) = self.secret.as_ref().filter(|_| self.is_drawn) {
            client_secret::keep(&self.data_dir, secret)?;
        }
        if let (Some(secret), Some(store)) = (self.secret(), shared) {
            claim_in_store(store, secret).await?;
        }
        Ok(self.folder.begin(self.rules, self.secret, self.replaces)?)
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

/// The secret that another one may replace, as the settings say.
///
/// # Errors
/// When what they say is no fingerprint.
pub(crate) fn replaced(data: &Data) -> anyhow::Result<Option<Fingerprint>> {
    let text = data.intake.client_secret_replaces.as_deref();
    let parsed = text.map(|text| {
        Fingerprint::parse(text).with_context(|| {
            format!("--client-secret-replaces {text}: write the 16 digits that the message about the other secret names")
        })
    });
    parsed.transpose()
}
