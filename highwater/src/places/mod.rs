//! Where chunks, their index and aggregates are kept, as the settings say: in the data directory, or where many processes
//! share them.

mod postgres;
mod queue;
pub(crate) mod urls;

use std::sync::Arc;

use anyhow::Context;
use disk::Disk;
use index_schema::{RetainIndex, SqliteIndex};
use service::directory::DataDirectory;
use store::{Blocking, DirectoryStore, Store};

pub(crate) use self::postgres::{Servers, SharedAggregates, SharedIndex, shared_aggregates};
pub(crate) use self::queue::queue;
pub(crate) use self::urls::{PostgresUrl, QueueUrl, StoreUrl};
use crate::data::{Data, Places};

impl Places {
    /// Where chunks are, as a text.
    pub(crate) fn store_text(&self) -> String {
        let here = "the data directory".to_owned();
        self.store.as_ref().map_or(here, |url| url.0.clone())
    }

    /// Where the index is, as a text without user and password.
    pub(crate) fn index_text(&self) -> String {
        let here = "the data directory".to_owned();
        self.index.as_ref().map_or(here, |url| format!("{url:?}"))
    }
}

/// Opens the store.
///
/// # Errors
/// When it is nowhere, or this program was built without it.
pub(crate) async fn open_store(
    data: &Data,
    directory: &DataDirectory,
    disk: Arc<dyn Disk>,
) -> anyhow::Result<Arc<dyn Store>> {
    match &data.places.store {
        Some(StoreUrl(url)) => s3(data, url).await,
        None => {
            let (root, staging) = (directory.store(), directory.staging());
            let store = DirectoryStore::new(disk, root.clone(), staging, Blocking::Pool);
            store
                .make_root()
                .with_context(|| format!("cannot make {}", root.display()))?;
            Ok(Arc::new(store))
        }
    }
}

/// Opens the index, makes or migrates it where that is needed.
///
/// # Errors
/// When it cannot be opened, or this program was built without it.
pub(crate) async fn open_index(
    data: &Data,
    directory: &DataDirectory,
) -> anyhow::Result<Arc<dyn RetainIndex>> {
    match &data.places.index {
        Some(url) => postgres::index(url).await.map(SharedIndex::into_index),
        None => Ok(SqliteIndex::open(&directory.index())?),
    }
}

/// Opens the index for questions, beside who changes it.
///
/// # Errors
/// When there is none.
pub(crate) async fn read_index(
    data: &Data,
    directory: &DataDirectory,
) -> anyhow::Result<Arc<dyn RetainIndex>> {
    if let Some(url) = &data.places.index {
        return postgres::index(url).await.map(SharedIndex::into_index);
    }
    let index = SqliteIndex::open_read_only(&directory.index()).with_context(|| {
        format!(
            "{} has no index yet: `highwater reconcile` makes it",
            directory.root().display()
        )
    })?;
    Ok(index)
}

/// The index where many processes share it, which takes no data directory; `None` where it lies in one.
///
/// # Errors
/// When it cannot be opened, or this program was built without it.
pub(crate) async fn open_shared_index(data: &Data) -> anyhow::Result<Option<Arc<dyn RetainIndex>>> {
    match &data.places.index {
        Some(url) => Ok(Some(postgres::index(url).await?.into_index())),
        None => Ok(None),
    }
}

/// Refuses aggregates elsewhere for who keeps them in its data directory.
///
/// # Errors
/// When they are elsewhere.
pub(crate) fn refuse_shared_aggregates(data: &Data) -> anyhow::Result<()> {
    anyhow::ensure!(
        data.places.aggregates.is_none(),
        "this command folds into the aggregates of its data directory: leave --aggregates out (HIGHWATER_AGGREGATES in the \
         environment), or have `highwater aggregate` fold and `highwater query` answer"
    );
    Ok(())
}

/// Store, index and aggregates of a system in which many processes share all three.
///
/// # Errors
/// When one of them is not named, or cannot be opened.
pub(crate) async fn open_all_shared(
    data: &Data,
) -> anyhow::Result<(Arc<dyn Store>, SharedIndex, SharedAggregates)> {
    let Some(StoreUrl(store)) = &data.places.store else {
        anyhow::bail!("chunks are read from a shared store: give --store s3://BUCKET");
    };
    let (index, aggregates) = open_shared_databases(data).await?;
    Ok((s3(data, store).await?, index, aggregates))
}

/// Index and aggregates of such a system.
///
/// # Errors
/// When one of them is not named, or cannot be opened.
pub(crate) async fn open_shared_databases(data: &Data) -> anyhow::Result<(SharedIndex, SharedAggregates)> {
    let (Some(index), Some(aggregates)) = (&data.places.index, &data.places.aggregates) else {
        anyhow::bail!(
            "index and aggregates are shared: give --index postgres://... and --aggregates postgres://... (they may be one \
             database); in one data directory `highwater serve` does all of it"
        );
    };
    Ok((
        postgres::index(index).await?,
        shared_aggregates(aggregates).await?,
    ))
}

/// Store and index where many processes share both, which takes no data directory; `None` where one of them lies in it.
///
/// # Errors
/// When one of them cannot be opened, or this program was built without it.
pub(crate) async fn open_shared(
    data: &Data,
) -> anyhow::Result<Option<(Arc<dyn Store>, Arc<dyn RetainIndex>)>> {
    let (Some(StoreUrl(store)), Some(index)) = (&data.places.store, &data.places.index) else {
        return Ok(None);
    };
    Ok(Some((
        s3(data, store).await?,
        postgres::index(index).await?.into_index(),
    )))
}

#[cfg(feature = "s3")]
async fn s3(data: &Data, url: &str) -> anyhow::Result<Arc<dyn Store>> {
    let mut settings = store::S3Settings::parse(url).context("--store")?;
    if let Some(endpoint) = &data.places.endpoint_url {
        settings.path_style = true;
        settings.endpoint_url = Some(endpoint.clone());
    }
    settings.region.clone_from(&data.places.region);
    settings.storage_class.clone_from(&data.places.storage_class);
    if let Some(key) = &data.places.kms_key {
        settings.server_side_encryption = store::S3Encryption::Kms {
            key_id: Some(key.clone()),
        };
    }
    let store = store::S3Store::open(settings).await.context("--store")?;
    Ok(Arc::new(store))
}

#[cfg(not(feature = "s3"))]
#[expect(clippy::unused_async, reason = "as the one that asks S3")]
async fn s3(_: &Data, url: &str) -> anyhow::Result<Arc<dyn Store>> {
    anyhow::bail!(
        "--store {url}: this program was built without S3; `cargo build --release --features aws` builds it with"
    )
}
