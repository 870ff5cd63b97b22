//! The door: verbs of the store become requests, what was given up becomes the store's errors.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use bytes::Bytes;
use disk::Disk;
use service::clock::Clock;
use service::random::Random;

use super::call::{Caller, GivenUp};
use super::failure::Failure;
use super::names::Names;
use super::operation::Operation;
use super::reason::Reason;
use super::settings::S3Settings;
use super::upload_budget::UploadBudget;
use crate::{CLOCK_SKEW, ListPage, ObjectMeta, Payload, Put, Store, StoreError};

/// Objects in a bucket of S3, or of what speaks its protocol, below a prefix. Clones share connections, room for uploads
/// and the budget for tries.
///
/// A call that is dropped halfway may leave parts of an upload behind, as may a crash: the bucket needs a lifecycle rule
/// that aborts incomplete uploads.
#[derive(Clone)]
pub struct S3Store {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) client: Client,
    pub(super) settings: S3Settings,
    pub(super) names: Names,
    pub(super) caller: Caller,
    pub(super) room: UploadBudget,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) sign_bodies: bool,
}

impl S3Store {
    pub(super) fn new(
        client: Client,
        settings: S3Settings,
        sign_bodies: bool,
        disk: Arc<dyn Disk>,
        random: Arc<dyn Random>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                client,
                names: Names::below(&settings.prefix),
                caller: Caller::new(&settings, random, clock),
                room: UploadBudget::of(settings.upload_bytes_max),
                disk,
                sign_bodies,
                settings,
            }),
        }
    }
}

#[async_trait]
impl Store for S3Store {
    async fn put_if_absent(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        self.inner.put(key, payload).await
    }

    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        self.inner.get(key).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.inner.get_range(key, range).await
    }

    async fn get_tail(&self, key: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        self.inner.get_tail(key, len).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, StoreError> {
        let name = self.inner.name("head", key)?;
        let len = self.inner.len_of("head", key, &name).await?;
        Ok(len.map(|len| ObjectMeta {
            key: key.to_owned(),
            len,
        }))
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ListPage, StoreError> {
        self.inner.list(prefix, after, limit).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.inner.delete(key).await
    }
}

impl Inner {
    /// The object's name for a key.
    pub(super) fn name(&self, action: &'static str, key: &str) -> Result<String, StoreError> {
        self.names
            .of(key)
            .map_err(|cause| self.unchanged(action, key, &cause))
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let name = self.name("delete", key)?;
        let request = || async {
            let delete = self
                .client
                .delete_object()
                .bucket(&self.settings.bucket)
                .key(&name);
            let deleted = delete.send().await;
            deleted.map(drop).map_err(|error| Failure::of(&error))
        };
        match self.caller.call(Operation::DeleteObject, 0, request).await {
            Ok(()) => Ok(()),
            // S3 itself says 204; others say this.
            Err(given_up) if given_up.reason() == Reason::NoSuchKey => Ok(()),
            Err(given_up) => Err(self.error("delete", key, &given_up)),
        }
    }

    /// What a request that was given up is to whoever asked.
    pub(super) fn error(&self, action: &'static str, key: &str, given_up: &GivenUp) -> StoreError {
        let (key, reason) = (key.to_owned(), given_up.reason());
        if reason == Reason::NoSuchKey && action == "get" {
            return StoreError::NotFound { key };
        }
        let clocks = if reason == Reason::ClockSkew {
            CLOCK_SKEW
        } else {
            ""
        };
        let tries = match given_up.tries {
            1 => String::new(),
            tries => format!(", the last of {tries} tries"),
        };
        let cause = format!(
            "{clocks}{} in {}{tries}: {}; {}",
            given_up.operation.name(),
            self.place(),
            given_up.failure.said,
            reason.advice()
        );
        if given_up.may_have_happened {
            StoreError::Indeterminate { action, key, cause }
        } else {
            StoreError::Determinate { action, key, cause }
        }
    }

    /// An error that no request was to blame for.
    pub(super) fn unchanged(&self, action: &'static str, key: &str, cause: &dyn fmt::Display) -> StoreError {
        StoreError::Determinate {
            action,
            key: key.to_owned(),
            cause: format!("in {}: {cause}", self.place()),
        }
    }

    /// Where the objects lie, for errors.
    pub(super) fn place(&self) -> String {
        let S3Settings {
            bucket,
            prefix,
            endpoint_url,
            ..
        } = &self.settings;
        let slash = if prefix.is_empty() { "" } else { "/" };
        match endpoint_url {
            Some(endpoint) => format!("s3://{bucket}{slash}{prefix} at {endpoint}"),
            None => format!("s3://{bucket}{slash}{prefix}"),
        }
    }
}

impl fmt::Debug for S3Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "S3Store({})", self.inner.place())
    }
}
