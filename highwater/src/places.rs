//! Where chunks and their index are kept, as the settings say: in the data directory, or where many processes share them.

use std::str::FromStr;
use std::sync::Arc;

use anyhow::Context;
use disk::Disk;
use index_schema::{RetainIndex, SqliteIndex};
use service::directory::DataDirectory;
use store::{Blocking, DirectoryStore, Store};

use crate::cli::{Data, Places};

/// Where chunks are kept: `s3://bucket/prefix`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreUrl(String);

impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("s3://") {
            return Ok(Self(text.to_owned()));
        }
        Err(
            "a store elsewhere is s3://BUCKET/PREFIX; without --store it is a folder of the data directory"
                .to_owned(),
        )
    }
}

/// Where the index is kept.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct IndexUrl(String);

impl FromStr for IndexUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = ["postgres://", "postgresql://"];
        if known.iter().any(|scheme| text.starts_with(scheme)) {
            return Ok(Self(text.to_owned()));
        }
        Err("an index elsewhere is postgres://USER@HOST/DATABASE; without --index it is a file of the data directory".to_owned())
    }
}

/// Where it is, without who may enter: the URL may hold a password.
impl std::fmt::Debug for IndexUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        let place = place.split_once('?').map_or(place, |(place, _)| place);
        write!(formatter, "{scheme}://{place}")
    }
}

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
        None => Ok(Arc::new(DirectoryStore::new(
            disk,
            directory.store(),
            directory.staging(),
            Blocking::Pool,
        ))),
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
        Some(url) => postgres(url).await,
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
        return postgres(url).await;
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
        Some(url) => Ok(Some(postgres(url).await?)),
        None => Ok(None),
    }
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
    Ok(Some((s3(data, store).await?, postgres(index).await?)))
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

#[cfg(feature = "postgres")]
async fn postgres(url: &IndexUrl) -> anyhow::Result<Arc<dyn RetainIndex>> {
    let settings = index_schema::PostgresSettings::new(url.0.clone());
    let index = index_schema::PostgresIndex::open(settings)
        .await
        .context("--index")?;
    Ok(index)
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unused_async, reason = "as the one that asks PostgreSQL")]
async fn postgres(url: &IndexUrl) -> anyhow::Result<Arc<dyn RetainIndex>> {
    anyhow::bail!(
        "--index {url:?}: this program was built without PostgreSQL; `cargo build --release --features aws` builds it with"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_elsewhere_is_a_bucket_of_s3() {
        assert!("s3://pings/a".parse::<StoreUrl>().is_ok());
        for text in ["gs://pings", "file:///srv", "/srv/chunks", ""] {
            assert!(text.parse::<StoreUrl>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_index_elsewhere_is_postgresql_and_its_password_is_not_shown() {
        for text in ["mysql://a/b", "index.sqlite", ""] {
            assert!(text.parse::<IndexUrl>().is_err(), "{text:?}");
        }
        let url: IndexUrl = "postgres://me:hush@db.example:5432/pings?sslmode=require"
            .parse()
            .expect("well formed");
        assert_eq!(format!("{url:?}"), "postgres://db.example:5432/pings");
    }
}
