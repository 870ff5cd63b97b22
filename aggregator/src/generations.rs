//! Generations of aggregates: one file each, of which the index says which is in use. The one after it is the shadow of a
//! rebuild, which is kept when a rebuild ends early.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aggregate_store::{
    AggregateError, AggregateStore, ClientSecrets, FoldVersion, Rebuilds, Source, SqliteAggregates,
};
use index_schema::Index;
use service::task;

use crate::error::AggregatorError;

/// Folded chunks that are looked up together.
const PAGE: usize = 10_000;

/// What SQLite keeps beside a database.
const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

/// The folder of the generations.
#[derive(Clone, Debug)]
pub struct Generations {
    folder: PathBuf,
}

impl Generations {
    /// Those in a folder.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Where a generation lies.
    pub fn path(&self, generation: u64) -> PathBuf {
        self.folder.join(format!("{generation:08}.sqlite"))
    }

    /// The shadow that is to become this generation. What an earlier rebuild left is kept if it was folded by these rules (declared sources have theirs)
    /// from chunks that are all still in the index; else it is made anew. It knows the client secret that the generation before it knows.
    ///
    /// # Errors
    /// When the index or the new file failed.
    pub async fn shadow(
        &self,
        generation: u64,
        (rules, declared): (&FoldVersion, &BTreeMap<String, String>),
        index: &dyn Index,
    ) -> Result<Arc<SqliteAggregates>, AggregatorError> {
        if self.path(generation).exists() {
            match self.open(generation).await {
                Ok(shadow) if is_begin_of(&shadow, (rules, declared), index).await? => {
                    self.take_over_client_secret(generation, &shadow).await?;
                    return Ok(Arc::new(shadow));
                }
                Ok(other) => other.close().await,
                Err(error) => tracing::warn!(%error, "what an earlier rebuild left cannot be used"),
            }
            self.remove(generation);
        }
        let shadow = self.open(generation).await?;
        shadow.set_fold_version(rules).await?;
        for (source, rules) in declared {
            shadow.adopt_rules(&Source::named(source), rules).await?;
        }
        self.take_over_client_secret(generation, &shadow).await?;
        Ok(Arc::new(shadow))
    }

    /// The client secrets that are noted in the generations that are there: the one in use, perhaps a shadow. What cannot be read, or
    /// is of an older program, is left out.
    ///
    /// # Errors
    /// When the folder could not be listed.
    pub async fn client_secrets(&self) -> std::io::Result<Vec<String>> {
        let folder = self.folder.clone();
        let paths = task::blocking(move || {
            let entries = match std::fs::read_dir(&folder) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries?,
            };
            let paths = entries.map(|entry| entry.map(|entry| entry.path()));
            paths.collect::<std::io::Result<Vec<PathBuf>>>()
        });
        let mut secrets = Vec::new();
        for path in paths.await? {
            if path.extension().is_some_and(|ending| ending == "sqlite")
                && let Ok(Some(known)) = noted_in(path).await
            {
                secrets.push(known);
            }
        }
        Ok(secrets)
    }

    /// Has a generation know the secret by whose hashes the one before it counts users: the chunks are the same.
    async fn take_over_client_secret(
        &self,
        generation: u64,
        shadow: &SqliteAggregates,
    ) -> Result<(), AggregateError> {
        match noted_in(self.path(generation.saturating_sub(1))).await {
            Ok(Some(known)) => {
                let stale = shadow.client_secret().await?;
                shadow.claim_client_secret(&known, stale.as_deref()).await
            }
            Ok(None) | Err(AggregateError::Absent { .. }) => Ok(()),
            // What cannot be read is what a rebuild is for.
            Err(error) => {
                tracing::warn!(%error, "the client secret of the aggregates in use is not known");
                Ok(())
            }
        }
    }

    /// Removes all generations before the one in use. The process may have ended between a swap and the removal.
    pub fn remove_before(&self, generation: u64) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let number = name
                .to_str()
                .and_then(|name| name.split('.').next()?.parse().ok());
            if number.is_some_and(|number: u64| number < generation) {
                remove_file(&entry.path());
            }
        }
    }

    /// Removes a generation that is not in use. Who still reads it keeps the open file; what cannot be removed costs room
    /// only.
    pub fn remove(&self, generation: u64) {
        let path = self.path(generation);
        for suffix in SUFFIXES {
            let mut file = path.clone().into_os_string();
            file.push(suffix);
            remove_file(Path::new(&file));
        }
    }

    async fn open(&self, generation: u64) -> Result<SqliteAggregates, AggregateError> {
        let path = self.path(generation);
        task::blocking(move || SqliteAggregates::open(&path)).await
    }
}

/// Whether a rebuild by these rules over this index may go on with these aggregates.
async fn is_begin_of(
    shadow: &SqliteAggregates,
    (rules, declared): (&FoldVersion, &BTreeMap<String, String>),
    index: &dyn Index,
) -> Result<bool, AggregatorError> {
    match shadow.fold_version().await {
        Ok(Some(stored)) if stored == *rules => {}
        _ => return Ok(false),
    }
    if shadow.source_rules().await.ok().as_ref() != Some(declared) {
        return Ok(false);
    }
    let mut after = None;
    loop {
        let Ok(folded) = shadow.folded_ids(after, PAGE).await else {
            return Ok(false);
        };
        after = folded.last().copied();
        for chunk in &folded {
            if index.entry(*chunk).await?.is_none() {
                return Ok(false);
            }
        }
        if folded.len() < PAGE {
            return Ok(true);
        }
    }
}

/// The client secret that a file of aggregates knows.
async fn noted_in(path: PathBuf) -> Result<Option<String>, AggregateError> {
    let aggregates = task::blocking(move || SqliteAggregates::open_read_only(&path)).await?;
    let known = aggregates.client_secret().await;
    aggregates.close().await;
    known
}

fn remove_file(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, file = %path.display(), "an old generation of aggregates could not be removed");
    }
}
