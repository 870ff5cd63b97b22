//! What the tests share: a server on loopback, a store at its door, and words for how a call ended.

use std::time::Duration;

use bytes::Bytes;
use loopback_s3::{ACCESS_KEY_ID, Fault, LoopbackS3, SECRET_ACCESS_KEY};
use store::{Payload, S3Credentials, S3Settings, S3Store, StoreError};

pub(crate) const BUCKET: &str = "pings";
pub(crate) const PREFIX: &str = "below/here";

/// A server and a store at its door.
pub(crate) struct Rig {
    pub(crate) s3: LoopbackS3,
    pub(crate) store: S3Store,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut S3Settings)) -> Self {
        let s3 = LoopbackS3::start(&[BUCKET]).await.unwrap();
        let mut settings = settings(&s3.endpoint_url());
        change(&mut settings);
        let store = S3Store::open(settings).await.unwrap();
        Self { s3, store }
    }

    /// What is kept under a key.
    pub(crate) fn kept(&self, key: &str) -> Option<Bytes> {
        self.s3
            .object(BUCKET, &format!("{PREFIX}/{key}"))
            .map(|object| object.bytes)
    }

    /// Keeps an object as another process would.
    pub(crate) fn keep(&self, key: &str, bytes: impl Into<Bytes>) {
        self.s3.put(BUCKET, &format!("{PREFIX}/{key}"), bytes.into());
    }
}

/// Settings that wait little between tries, and for a server that does not answer only as long as a busy machine needs.
pub(crate) fn settings(endpoint_url: &str) -> S3Settings {
    S3Settings {
        prefix: PREFIX.to_owned(),
        endpoint_url: Some(endpoint_url.to_owned()),
        path_style: true,
        retry_wait: Duration::from_millis(1),
        answer_timeout: Duration::from_secs(30),
        credentials: Some(S3Credentials {
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
        }),
        region: Some("us-east-1".to_owned()),
        ..S3Settings::new(BUCKET)
    }
}

/// Does not wait long for an answer that never comes.
pub(crate) fn impatient(settings: &mut S3Settings) {
    settings.answer_timeout = Duration::from_secs(5);
}

pub(crate) const INTERNAL_ERROR: Fault = refused(500, "InternalError");
pub(crate) const SLOW_DOWN: Fault = refused(503, "SlowDown");

pub(crate) const fn refused(status: u16, code: &'static str) -> Fault {
    Fault::Refused { status, code }
}

pub(crate) fn bytes(text: &str) -> Payload {
    Payload::Bytes(Bytes::copy_from_slice(text.as_bytes()))
}

/// Bytes that compress badly and differ everywhere.
pub(crate) fn noise(len: usize) -> Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    Bytes::from(bytes)
}

/// How a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    NotFound,
    Determinate,
    Indeterminate,
    File,
}

pub(crate) fn kind(error: &StoreError) -> Kind {
    match error {
        StoreError::NotFound { .. } => Kind::NotFound,
        StoreError::File { .. } => Kind::File,
        StoreError::Determinate { .. } => Kind::Determinate,
        StoreError::Indeterminate { .. } => Kind::Indeterminate,
    }
}
