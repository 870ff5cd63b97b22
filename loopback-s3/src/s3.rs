//! The protocol's door: what `s3s` parsed and let in is done to the objects.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumType, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    DeleteObjectInput, DeleteObjectOutput, ETag, ETagCondition, EncodingType, GetObjectInput,
    GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput,
    ListObjectsV2Input, ListObjectsV2Output, Object, PutObjectInput, PutObjectOutput, ServerSideEncryption,
    StorageClass, StreamingBlob, UploadPartInput, UploadPartOutput,
};
use s3s::{Body, S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::objects::{Completion, Kept, Objects, Refusal, Settings, crc32c_of, e_tag_of};

/// Keys in a page of a list: as many as S3 gives.
const PAGE_KEYS_MAX: usize = 1000;

/// What S3 leaves as it is in encoded keys.
const PLAIN: AsciiSet = NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'*');

#[derive(Clone, Debug, Default)]
pub(crate) struct InMemory {
    objects: Arc<Mutex<Objects>>,
}

impl InMemory {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Objects> {
        // Each change is one call: nothing that a panic could leave half done.
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl S3 for InMemory {
    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        let bytes = whole(input.body).await?;
        check(input.checksum_crc32c.as_deref(), &bytes)?;
        let object = Kept {
            e_tag: e_tag_of(&bytes),
            bytes,
            crc32c: input.checksum_crc32c.clone(),
            settings: settings(
                input.storage_class,
                input.server_side_encryption,
                input.ssekms_key_id,
            ),
        };
        let e_tag = ETag::Strong(object.e_tag.clone());
        let only_if_absent = any(input.if_none_match.as_ref());
        self.lock()
            .put(&input.bucket, &input.key, object, only_if_absent)?;
        Ok(S3Response::new(PutObjectOutput {
            e_tag: Some(e_tag),
            checksum_crc32c: input.checksum_crc32c,
            ..PutObjectOutput::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        let settings = settings(
            input.storage_class,
            input.server_side_encryption,
            input.ssekms_key_id,
        );
        let id = self.lock().begin(&input.bucket, &input.key, settings)?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let input = request.input;
        let bytes = whole(input.body).await?;
        check(input.checksum_crc32c.as_deref(), &bytes)?;
        let e_tag = self
            .lock()
            .keep_part(&input.upload_id, input.part_number, bytes)?;
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(ETag::Strong(e_tag)),
            checksum_crc32c: input.checksum_crc32c,
            ..UploadPartOutput::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let parts = input
            .multipart_upload
            .and_then(|upload| upload.parts)
            .unwrap_or_default();
        let completion = Completion {
            parts: parts
                .into_iter()
                .map(|part| {
                    (
                        part.part_number.unwrap_or_default(),
                        part.e_tag.map(ETag::into_value),
                    )
                })
                .collect(),
            only_if_absent: any(input.if_none_match.as_ref()),
            crc32c: input.checksum_crc32c.clone(),
            len: input.mpu_object_size,
        };
        let e_tag = self.lock().complete(&input.upload_id, &completion)?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(ETag::Strong(e_tag)),
            checksum_crc32c: input.checksum_crc32c,
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.lock().abort(&request.input.upload_id)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let object = self.lock().object(&input.bucket, &input.key)?.clone();
        let len = object.bytes.len() as u64;
        let range = input.range.map(|range| range.check(len)).transpose()?;
        let mut output = GetObjectOutput {
            e_tag: Some(ETag::Strong(object.e_tag)),
            ..GetObjectOutput::default()
        };
        let bytes = match range {
            // As S3 does it with every range of an empty object.
            Some(range) if range.is_empty() => return Err(S3ErrorCode::InvalidRange.into()),
            Some(range) => {
                output.content_range = Some(format!("bytes {}-{}/{len}", range.start, range.end - 1));
                object.bytes.slice(at(range.start)?..at(range.end)?)
            }
            None => {
                output.checksum_type = object
                    .crc32c
                    .as_ref()
                    .map(|_| ChecksumType::from_static(ChecksumType::FULL_OBJECT));
                output.checksum_crc32c = object.crc32c;
                object.bytes
            }
        };
        output.content_length = Some(i64::try_from(bytes.len()).map_err(|_| S3ErrorCode::InternalError)?);
        output.body = Some(StreamingBlob::from(Body::from(bytes)));
        Ok(S3Response::new(output))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let object = self.lock().object(&input.bucket, &input.key)?.clone();
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(i64::try_from(object.bytes.len()).map_err(|_| S3ErrorCode::InternalError)?),
            e_tag: Some(ETag::Strong(object.e_tag)),
            ..HeadObjectOutput::default()
        }))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.lock().bucket(&request.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.lock().delete(&request.input.bucket, &request.input.key)?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let prefix = input.prefix.clone().unwrap_or_default();
        let after = input
            .continuation_token
            .clone()
            .or_else(|| input.start_after.clone());
        let wanted = input.max_keys.map_or(PAGE_KEYS_MAX, |wanted| {
            usize::try_from(wanted).unwrap_or(0).min(PAGE_KEYS_MAX)
        });
        let objects = self.lock();
        let mut found = objects
            .bucket(&input.bucket)?
            .iter()
            .filter(|(key, _)| key.starts_with(&prefix) && after.as_ref().is_none_or(|after| *key > after));
        let page: Vec<_> = found.by_ref().take(wanted).collect();
        let truncated = found.next().is_some();
        let named = |key: &str| match input.encoding_type {
            // As S3 does it: a space becomes a plus sign.
            Some(_) => utf8_percent_encode(key, &PLAIN).to_string().replace("%20", "+"),
            None => key.to_owned(),
        };
        Ok(S3Response::new(ListObjectsV2Output {
            key_count: i32::try_from(page.len()).ok(),
            is_truncated: Some(truncated),
            next_continuation_token: page.last().filter(|_| truncated).map(|(key, _)| (*key).clone()),
            contents: Some(
                page.into_iter()
                    .map(|(key, object)| Object {
                        key: Some(named(key)),
                        size: i64::try_from(object.bytes.len()).ok(),
                        ..Object::default()
                    })
                    .collect(),
            ),
            encoding_type: input
                .encoding_type
                .as_ref()
                .map(|_| EncodingType::from_static(EncodingType::URL)),
            ..ListObjectsV2Output::default()
        }))
    }
}

async fn whole(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let mut bytes = BytesMut::new();
    let mut body = body.ok_or(S3ErrorCode::IncompleteBody)?;
    loop {
        match body.try_next().await {
            Ok(Some(piece)) => bytes.extend_from_slice(&piece),
            Ok(None) => return Ok(bytes.freeze()),
            Err(_) => return Err(S3ErrorCode::IncompleteBody.into()),
        }
    }
}

fn check(sent: Option<&str>, bytes: &[u8]) -> S3Result<()> {
    match sent {
        Some(sent) if sent != crc32c_of(bytes) => Err(S3ErrorCode::BadDigest.into()),
        _ => Ok(()),
    }
}

fn any(condition: Option<&ETagCondition>) -> bool {
    condition.is_some_and(|condition| matches!(condition, ETagCondition::Any))
}

fn at(position: u64) -> S3Result<usize> {
    usize::try_from(position).map_err(|_| S3ErrorCode::InvalidRange.into())
}

fn settings(
    storage_class: Option<StorageClass>,
    encryption: Option<ServerSideEncryption>,
    kms_key_id: Option<String>,
) -> Settings {
    Settings {
        storage_class: storage_class.map(|class| class.as_str().to_owned()),
        encryption: encryption.map(|encryption| encryption.as_str().to_owned()),
        kms_key_id,
    }
}

impl From<Refusal> for S3Error {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::NoSuchBucket => S3ErrorCode::NoSuchBucket,
            Refusal::NoSuchKey => S3ErrorCode::NoSuchKey,
            Refusal::NoSuchUpload => S3ErrorCode::NoSuchUpload,
            Refusal::InvalidPart => S3ErrorCode::InvalidPart,
            Refusal::EntityTooSmall => S3ErrorCode::EntityTooSmall,
            Refusal::BadDigest => S3ErrorCode::BadDigest,
            Refusal::InvalidRequest => S3ErrorCode::InvalidRequest,
            Refusal::PreconditionFailed => S3ErrorCode::PreconditionFailed,
        };
        code.into()
    }
}
