//! Where chunks are kept, as the settings say: in the data directory, or in S3, where many edges share a bucket.

use std::str::FromStr;
use std::sync::Arc;

use disk::Disk;
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

impl Places {
    /// Where chunks are, as a text.
    pub(crate) fn store_text(&self) -> String {
        let here = "the data directory".to_owned();
        self.store.as_ref().map_or(here, |url| url.0.clone())
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

#[cfg(feature = "s3")]
async fn s3(data: &Data, url: &str) -> anyhow::Result<Arc<dyn Store>> {
    use anyhow::Context as _;

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
        "--store {url}: this program was built without S3; `cargo build --release --features s3` builds it with"
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
}
