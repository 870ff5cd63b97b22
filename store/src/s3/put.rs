//! Putting: in one request, or else in parts. An object that is there is never replaced.

use std::error::Error;
use std::io;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ServerSideEncryption, StorageClass};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;

use super::failure::Failure;
use super::metrics;
use super::operation::Operation;
use super::reason::Reason;
use super::settings::S3Encryption;
use super::source::Source;
use super::store::Inner;
use crate::{Crc32c, Payload, Put, StoreError};

/// The condition under which an object is put: none of that name is there, whatever its tag.
pub(super) const NONE_THERE: &str = "*";

impl Inner {
    pub(super) async fn put(&self, key: &str, payload: Payload) -> Result<Put, StoreError> {
        let name = self.name("put", key)?;
        let source = Source::open(payload, &self.disk).await;
        let source = source.map_err(|error| self.file_error(key, &error))?;
        if source.len() > self.settings.multipart_above {
            return self.put_in_parts(key, &name, &source).await;
        }
        self.put_at_once(key, &name, &source).await
    }

    async fn put_at_once(&self, key: &str, name: &str, source: &Source) -> Result<Put, StoreError> {
        let len = source.len();
        let _room = self.room.take(len).await;
        let bytes = source.piece(0..len).await;
        let bytes = bytes.map_err(|error| self.file_error(key, &error))?;
        let crc = self.written(key, source, Crc32c::of(&bytes))?;
        let request = || self.put_object(name, bytes.clone(), crc);
        match self.caller.call(Operation::PutObject, len, request).await {
            Ok(()) => Ok(Put::Created),
            // It may be an earlier try's, whose answer was lost: whoever asked compares.
            Err(given_up) if given_up.reason() == Reason::AlreadyThere => Ok(Put::AlreadyThere),
            Err(given_up) => Err(self.error("put", key, &given_up)),
        }
    }

    async fn put_object(&self, name: &str, bytes: Bytes, crc: Crc32c) -> Result<(), Failure> {
        let len = bytes.len() as u64;
        let put = self
            .client
            .put_object()
            .bucket(&self.settings.bucket)
            .key(name)
            .if_none_match(NONE_THERE)
            .checksum_crc32_c(header_of(crc))
            .set_storage_class(self.storage_class())
            .set_server_side_encryption(self.encryption())
            .set_ssekms_key_id(self.kms_key_id())
            .body(ByteStream::from(bytes));
        let sent = if self.sign_bodies {
            put.send().await
        } else {
            put.customize().disable_payload_signing().send().await
        };
        let put = counted(Operation::PutObject, len, sent)?;
        with_e_tag(put.e_tag).map(drop)
    }

    /// The checksum to send: the writer's, where there is one, and then what was read must have the same.
    pub(super) fn written(&self, key: &str, source: &Source, read: Crc32c) -> Result<Crc32c, StoreError> {
        match source.written() {
            Some(written) if written != read => {
                let cause = "what is read of it is not what was written to it";
                Err(self.file_error(key, &io::Error::other(cause)))
            }
            written => Ok(written.unwrap_or(read)),
        }
    }

    pub(super) fn file_error(&self, key: &str, error: &io::Error) -> StoreError {
        StoreError::File {
            key: key.to_owned(),
            cause: format!("in {}: {error}", self.place()),
        }
    }

    pub(super) fn storage_class(&self) -> Option<StorageClass> {
        self.settings.storage_class.as_deref().map(StorageClass::from)
    }

    pub(super) fn encryption(&self) -> Option<ServerSideEncryption> {
        match &self.settings.server_side_encryption {
            S3Encryption::BucketDefault => None,
            S3Encryption::S3 => Some(ServerSideEncryption::Aes256),
            S3Encryption::Kms { .. } => Some(ServerSideEncryption::AwsKms),
        }
    }

    pub(super) fn kms_key_id(&self) -> Option<String> {
        match &self.settings.server_side_encryption {
            S3Encryption::Kms { key_id } => key_id.clone(),
            S3Encryption::BucketDefault | S3Encryption::S3 => None,
        }
    }
}

/// Counts the bytes of a try, unless they surely stayed here.
pub(super) fn counted<T, E>(
    operation: Operation,
    len: u64,
    sent: Result<T, SdkError<E, HttpResponse>>,
) -> Result<T, Failure>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let sent = sent.map_err(|error| Failure::of(&error));
    let stayed = |failure: &Failure| matches!(failure.reason, Reason::NoCredentials | Reason::Unreachable);
    if !sent.as_ref().is_err_and(stayed) {
        metrics::count_sent(operation, len);
    }
    sent
}

/// The entity tag that S3 gives with everything it keeps. Without one the answer is not S3's, whatever its status.
pub(super) fn with_e_tag(e_tag: Option<String>) -> Result<String, Failure> {
    e_tag.ok_or_else(|| {
        Failure::new(
            Reason::BadAnswer,
            "the answer says success, but names no entity tag",
        )
    })
}

/// A checksum as S3 writes it: four bytes, the highest first, in base64.
pub(super) fn header_of(crc: Crc32c) -> String {
    BASE64_STANDARD.encode(crc.value().to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_written_as_s3_writes_it() {
        // The check value of CRC-32C is e3069283.
        assert_eq!(header_of(Crc32c::of(b"123456789")), "4waSgw==");
        assert_eq!(header_of(Crc32c::of(b"")), "AAAAAA==");
    }
}
