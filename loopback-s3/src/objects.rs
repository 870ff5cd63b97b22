//! What is kept: buckets, objects, uploads in parts. Pure; who asks has been let in already.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use crc_fast::CrcAlgorithm;
use md5::{Digest, Md5};

/// What a put may say of an object beside its bytes, as sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `x-amz-storage-class`.
    pub storage_class: Option<String>,
    /// `x-amz-server-side-encryption`.
    pub encryption: Option<String>,
    /// `x-amz-server-side-encryption-aws-kms-key-id`.
    pub kms_key_id: Option<String>,
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its bytes.
    pub bytes: Bytes,
    /// Its entity tag, without quotes.
    pub e_tag: String,
    /// Its CRC32C in base64, where the put sent one.
    pub crc32c: Option<String>,
    /// What else the put said.
    pub settings: Settings,
}

/// Why something is refused, by S3's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NoSuchBucket,
    NoSuchKey,
    NoSuchUpload,
    InvalidPart,
    EntityTooSmall,
    BadDigest,
    InvalidRequest,
    PreconditionFailed,
}

/// The smallest part that is not the last: that of S3.
const PART_BYTES_MIN: usize = 5 << 20;

#[derive(Debug, Default)]
pub(crate) struct Objects {
    buckets: BTreeMap<String, BTreeMap<String, Kept>>,
    uploads: BTreeMap<String, Upload>,
    uploads_begun: u64,
}

#[derive(Debug)]
struct Upload {
    bucket: String,
    key: String,
    settings: Settings,
    parts: BTreeMap<i32, Bytes>,
}

/// What a completion says beside the parts.
#[derive(Debug, Default)]
pub(crate) struct Completion {
    pub(crate) parts: Vec<(i32, Option<String>)>,
    pub(crate) only_if_absent: bool,
    pub(crate) crc32c: Option<String>,
    pub(crate) len: Option<i64>,
}

impl Objects {
    pub(crate) fn make_bucket(&mut self, bucket: &str) {
        self.buckets.entry(bucket.to_owned()).or_default();
    }

    pub(crate) fn remove_bucket(&mut self, bucket: &str) {
        self.buckets.remove(bucket);
    }

    pub(crate) fn bucket(&self, bucket: &str) -> Result<&BTreeMap<String, Kept>, Refusal> {
        self.buckets.get(bucket).ok_or(Refusal::NoSuchBucket)
    }

    pub(crate) fn object(&self, bucket: &str, key: &str) -> Result<&Kept, Refusal> {
        self.bucket(bucket)?.get(key).ok_or(Refusal::NoSuchKey)
    }

    pub(crate) fn put(
        &mut self,
        bucket: &str,
        key: &str,
        object: Kept,
        only_if_absent: bool,
    ) -> Result<(), Refusal> {
        let objects = self.buckets.get_mut(bucket).ok_or(Refusal::NoSuchBucket)?;
        if only_if_absent && objects.contains_key(key) {
            return Err(Refusal::PreconditionFailed);
        }
        objects.insert(key.to_owned(), object);
        Ok(())
    }

    pub(crate) fn delete(&mut self, bucket: &str, key: &str) -> Result<(), Refusal> {
        let objects = self.buckets.get_mut(bucket).ok_or(Refusal::NoSuchBucket)?;
        objects.remove(key);
        Ok(())
    }

    /// Begins an upload in parts and names it.
    pub(crate) fn begin(&mut self, bucket: &str, key: &str, settings: Settings) -> Result<String, Refusal> {
        self.bucket(bucket)?;
        self.uploads_begun += 1;
        let id = format!("upload-{}", self.uploads_begun);
        let upload = Upload {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            settings,
            parts: BTreeMap::new(),
        };
        self.uploads.insert(id.clone(), upload);
        Ok(id)
    }

    pub(crate) fn keep_part(&mut self, id: &str, number: i32, bytes: Bytes) -> Result<String, Refusal> {
        let upload = self.uploads.get_mut(id).ok_or(Refusal::NoSuchUpload)?;
        let e_tag = e_tag_of(&bytes);
        upload.parts.insert(number, bytes);
        Ok(e_tag)
    }

    pub(crate) fn complete(&mut self, id: &str, completion: &Completion) -> Result<String, Refusal> {
        let upload = self.uploads.get(id).ok_or(Refusal::NoSuchUpload)?;
        let (bytes, e_tag) = upload.joined(completion)?;
        let crc32c = crc32c_of(&bytes);
        if completion.crc32c.as_ref().is_some_and(|sent| *sent != crc32c) {
            return Err(Refusal::BadDigest);
        }
        let (bucket, key) = (upload.bucket.clone(), upload.key.clone());
        let object = Kept {
            bytes,
            e_tag: e_tag.clone(),
            crc32c: completion.crc32c.clone(),
            settings: upload.settings.clone(),
        };
        self.put(&bucket, &key, object, completion.only_if_absent)?;
        self.uploads.remove(id);
        Ok(e_tag)
    }

    pub(crate) fn abort(&mut self, id: &str) -> Result<(), Refusal> {
        self.uploads.remove(id).map(drop).ok_or(Refusal::NoSuchUpload)
    }

    /// Uploads that were begun and neither completed nor aborted.
    pub(crate) fn open_uploads(&self) -> usize {
        self.uploads.len()
    }
}

impl Upload {
    /// The parts one behind the other, and the entity tag of the whole.
    fn joined(&self, completion: &Completion) -> Result<(Bytes, String), Refusal> {
        let mut bytes = BytesMut::new();
        let mut digests = Vec::new();
        let ascending = completion.parts.windows(2).all(|pair| pair[0].0 < pair[1].0);
        if completion.parts.is_empty() || !ascending {
            return Err(Refusal::InvalidPart);
        }
        for (at, (number, e_tag)) in completion.parts.iter().enumerate() {
            let part = self.parts.get(number).ok_or(Refusal::InvalidPart)?;
            if e_tag.as_deref() != Some(e_tag_of(part).as_str()) {
                return Err(Refusal::InvalidPart);
            }
            if at + 1 < completion.parts.len() && part.len() < PART_BYTES_MIN {
                return Err(Refusal::EntityTooSmall);
            }
            digests.extend_from_slice(&Md5::digest(part));
            bytes.extend_from_slice(part);
        }
        let announced = completion.len.map_or(Ok(bytes.len()), usize::try_from);
        if announced != Ok(bytes.len()) {
            return Err(Refusal::InvalidRequest);
        }
        let e_tag = format!("{}-{}", e_tag_of(&digests), completion.parts.len());
        Ok((bytes.freeze(), e_tag))
    }
}

/// The entity tag of an object put in one piece: the MD5 of its bytes.
pub(crate) fn e_tag_of(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in Md5::digest(bytes) {
        write!(text, "{byte:02x}").expect("a string takes all");
    }
    text
}

/// The CRC32C as S3 writes it: four bytes, the highest first, in base64.
pub(crate) fn crc32c_of(bytes: &[u8]) -> String {
    let crc = u32::try_from(crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, bytes)).expect("it has 32 bits");
    BASE64_STANDARD.encode(crc.to_be_bytes())
}
