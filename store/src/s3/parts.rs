//! Putting in parts: begin, send parts side by side, complete on the condition that no such object is there. Whatever is
//! not completed is aborted, so that its parts are not paid for.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::call::GivenUp;
use super::failure::Failure;
use super::limits::{COMPLETED_BYTES_PER_SECOND_MIN, COMPLETION_TIME_MAX, PARTS_MAX, UPLOADS_MAX};
use super::operation::Operation;
use super::put::{NONE_THERE, counted, header_of, with_e_tag};
use super::reason::Reason;
use super::source::Source;
use super::store::Inner;
use crate::{Crc32c, Put, StoreError};

/// An upload that was begun.
struct Upload<'a> {
    key: &'a str,
    name: &'a str,
    id: String,
}

/// A part that S3 has.
struct Sent {
    number: i32,
    e_tag: String,
    /// Named at the completion only if the server knows it.
    confirmed_crc: Option<String>,
    crc: Crc32c,
}

/// How a completion ended, when it did.
enum Completion {
    Put(Put),
    /// Surely not, and S3 wants all parts anew.
    Conflict(GivenUp),
}

impl Inner {
    pub(super) async fn put_in_parts(
        &self,
        key: &str,
        name: &str,
        source: &Source,
    ) -> Result<Put, StoreError> {
        // After a completion whose end nobody heard of, this saves sending all of it again.
        let there = self.head_object(name).await;
        if there
            .map_err(|given_up| self.error("put", key, &given_up))?
            .is_some()
        {
            return Ok(Put::AlreadyThere);
        }
        let mut uploads = 0;
        loop {
            uploads += 1;
            let id = self.begin(name).await;
            let id = id.map_err(|given_up| self.error("put", key, &given_up))?;
            let upload = Upload { key, name, id };
            let conflict = match self.fill_and_complete(&upload, source).await {
                Ok(Completion::Put(Put::Created)) => return Ok(Put::Created),
                Ok(Completion::Put(Put::AlreadyThere)) => {
                    self.abort(&upload).await;
                    return Ok(Put::AlreadyThere);
                }
                Ok(Completion::Conflict(given_up)) => given_up,
                Err(error) => {
                    self.abort(&upload).await;
                    return Err(error);
                }
            };
            self.abort(&upload).await;
            if uploads == UPLOADS_MAX {
                return Err(self.error("put", key, &conflict));
            }
            self.caller.pause(self.settings.retry_wait * uploads).await;
        }
    }

    async fn begin(&self, name: &str) -> Result<String, GivenUp> {
        let request = || async {
            let create = self
                .client
                .create_multipart_upload()
                .bucket(&self.settings.bucket)
                .key(name)
                .checksum_algorithm(ChecksumAlgorithm::Crc32C)
                .checksum_type(ChecksumType::FullObject)
                .set_storage_class(self.storage_class())
                .set_server_side_encryption(self.encryption())
                .set_ssekms_key_id(self.kms_key_id());
            let created = create.send().await.map_err(|error| Failure::of(&error))?;
            created
                .upload_id
                .ok_or_else(|| Failure::new(Reason::BadAnswer, "the answer names no upload"))
        };
        self.caller
            .call(Operation::CreateMultipartUpload, 0, request)
            .await
    }

    async fn fill_and_complete(
        &self,
        upload: &Upload<'_>,
        source: &Source,
    ) -> Result<Completion, StoreError> {
        let (len, step) = (source.len(), self.step(upload.key, source.len())?);
        let starts = (0..len).step_by(step);
        let parts = (1..).zip(starts).map(|(number, start)| {
            let end = len.min(start + step as u64);
            self.send_part(upload, number, source, start..end)
        });
        let mut sent: Vec<Sent> = stream::iter(parts)
            .buffer_unordered(self.settings.parts_at_once)
            .try_collect()
            .await?;
        sent.sort_unstable_by_key(|part| part.number);
        let read = sent
            .iter()
            .map(|part| part.crc)
            .fold(Crc32c::default(), Crc32c::and);
        let whole = self.written(upload.key, source, read)?;
        self.complete(upload, sent, whole, len).await
    }

    /// Bytes of each part but the last.
    fn step(&self, key: &str, len: u64) -> Result<usize, StoreError> {
        let step = self.settings.part_bytes.max(len.div_ceil(PARTS_MAX));
        if step > self.settings.upload_bytes_max {
            let cause = format!(
                "{len} bytes do not fit into {PARTS_MAX} parts: put less, or raise `upload_bytes_max`"
            );
            return Err(self.unchanged("put", key, &cause));
        }
        usize::try_from(step).map_err(|error| self.unchanged("put", key, &error))
    }

    async fn send_part(
        &self,
        upload: &Upload<'_>,
        number: i32,
        source: &Source,
        range: std::ops::Range<u64>,
    ) -> Result<Sent, StoreError> {
        let len = range.end - range.start;
        // Room before bytes: what is read from a file waits for nothing but its own sending.
        let _room = self.room.take(len).await;
        let bytes = source.piece(range).await;
        let bytes = bytes.map_err(|error| self.file_error(upload.key, &error))?;
        let crc = Crc32c::of(&bytes);
        let request = || self.upload_part(upload, number, bytes.clone(), crc);
        let sent = self.caller.call(Operation::UploadPart, len, request).await;
        let (e_tag, confirmed_crc) = sent.map_err(|given_up| self.error("put", upload.key, &given_up))?;
        Ok(Sent {
            number,
            e_tag,
            confirmed_crc,
            crc,
        })
    }

    async fn upload_part(
        &self,
        upload: &Upload<'_>,
        number: i32,
        bytes: Bytes,
        crc: Crc32c,
    ) -> Result<(String, Option<String>), Failure> {
        let len = bytes.len() as u64;
        let part = self
            .client
            .upload_part()
            .bucket(&self.settings.bucket)
            .key(upload.name)
            .upload_id(&upload.id)
            .part_number(number)
            .checksum_crc32_c(header_of(crc))
            .body(ByteStream::from(bytes));
        let sent = if self.sign_bodies {
            part.send().await
        } else {
            part.customize().disable_payload_signing().send().await
        };
        let part = counted(Operation::UploadPart, len, sent)?;
        Ok((with_e_tag(part.e_tag)?, part.checksum_crc32_c))
    }

    async fn complete(
        &self,
        upload: &Upload<'_>,
        sent: Vec<Sent>,
        whole: Crc32c,
        len: u64,
    ) -> Result<Completion, StoreError> {
        let parts: Vec<CompletedPart> = sent
            .into_iter()
            .map(|part| {
                CompletedPart::builder()
                    .part_number(part.number)
                    .e_tag(part.e_tag)
                    .set_checksum_crc32_c(part.confirmed_crc)
                    .build()
            })
            .collect();
        let request = || self.complete_upload(upload, &parts, whole, len);
        // S3 answers when the object is made of its parts, which takes time by its length, but sends none of it again.
        let joining = Duration::from_secs(len / COMPLETED_BYTES_PER_SECOND_MIN).min(COMPLETION_TIME_MAX);
        let completed = self
            .caller
            .call_for(Operation::CompleteMultipartUpload, joining, request)
            .await;
        match completed {
            Ok(()) => Ok(Completion::Put(Put::Created)),
            Err(given_up) if given_up.reason() == Reason::AlreadyThere => {
                Ok(Completion::Put(Put::AlreadyThere))
            }
            Err(given_up) if given_up.reason() == Reason::Conflict && !given_up.may_have_happened => {
                Ok(Completion::Conflict(given_up))
            }
            Err(given_up) => self.settle(upload, &given_up).await,
        }
    }

    async fn complete_upload(
        &self,
        upload: &Upload<'_>,
        parts: &[CompletedPart],
        whole: Crc32c,
        len: u64,
    ) -> Result<(), Failure> {
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(parts.to_vec()))
            .build();
        let complete = self
            .client
            .complete_multipart_upload()
            .bucket(&self.settings.bucket)
            .key(upload.name)
            .upload_id(&upload.id)
            .if_none_match(NONE_THERE)
            .checksum_crc32_c(header_of(whole))
            .checksum_type(ChecksumType::FullObject)
            .set_mpu_object_size(i64::try_from(len).ok())
            .multipart_upload(parts);
        let completed = complete.send().await.map_err(|error| Failure::of(&error))?;
        with_e_tag(completed.e_tag).map(drop)
    }

    /// After a completion that did not say how it ended, or found no such upload (an earlier try may have completed it):
    /// only the object itself can tell.
    async fn settle(&self, upload: &Upload<'_>, given_up: &GivenUp) -> Result<Completion, StoreError> {
        let unclear = given_up.may_have_happened || given_up.reason() == Reason::NoSuchUpload;
        if unclear && let Ok(Some(_)) = self.head_object(upload.name).await {
            return Ok(Completion::Put(Put::AlreadyThere));
        }
        Err(self.error("put", upload.key, given_up))
    }

    /// Has S3 throw the parts away. If that fails, a lifecycle rule of the bucket does it later.
    async fn abort(&self, upload: &Upload<'_>) {
        let request = || async {
            let abort = self
                .client
                .abort_multipart_upload()
                .bucket(&self.settings.bucket)
                .key(upload.name)
                .upload_id(&upload.id);
            abort.send().await.map(drop).map_err(|error| Failure::of(&error))
        };
        match self
            .caller
            .call(Operation::AbortMultipartUpload, 0, request)
            .await
        {
            Ok(()) => {}
            Err(given_up) if given_up.reason() == Reason::NoSuchUpload => {}
            Err(given_up) => {
                let error = self.error("put", upload.key, &given_up);
                tracing::warn!(%error, "parts of a failed upload stay until the bucket's lifecycle rule aborts it");
            }
        }
    }
}
