//! The key under which copies of one document are known: (namespace, document type, document id) of the decoded URI.

use sha2::{Digest, Sha256};

use crate::Submission;

/// The key's hash: the first 16 bytes of SHA-256 over the length-prefixed namespace, type and id.
/// Only a hyphenated UUID makes a key; it counts in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentKey([u8; 16]);

impl DocumentKey {
    /// The key of a submission, or `None` when its document id is no hyphenated UUID: such a ping is never a repeat.
    pub fn of(submission: &Submission) -> Option<Self> {
        let id = &submission.document_id;
        is_hyphenated_uuid(id).then(|| Self(hash(submission, &id.to_ascii_lowercase())))
    }

    /// The key with this hash.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// The first 16 bytes of SHA-256 over namespace, document type and document id of the decoded URI, each preceded by
/// its length in bytes as a little-endian u32. A hyphenated UUID counts in lower case, any other id as it is; a
/// missing type or id counts as empty.
pub fn document_hash(submission: &Submission) -> [u8; 16] {
    match DocumentKey::of(submission) {
        Some(key) => key.0,
        None => hash(submission, &submission.document_id),
    }
}

fn hash(submission: &Submission, id: &str) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in [
        &submission.namespace,
        submission.document_type.as_deref().unwrap_or(""),
        id,
    ] {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        hash.update(length.to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}

pub(crate) fn is_hyphenated_uuid(text: &str) -> bool {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let Ok(mut bytes) = <[u8; 36]>::try_from(text.as_bytes()) else {
        return false;
    };
    let are_hyphens = HYPHENS.iter().all(|at| bytes[*at] == b'-');
    HYPHENS.iter().for_each(|at| bytes[*at] = b'0');
    are_hyphens && bytes.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(uri: &str) -> Option<DocumentKey> {
        DocumentKey::of(&Submission::parse(uri).expect("a submission"))
    }

    #[test]
    fn only_a_hyphenated_uuid_makes_a_key() {
        let uuid = "/submit/telemetry/CE39B608-f595-4c69-b6a6-f7a436604648/main/Firefox/61.0a1/nightly/20180328030202";
        assert!(key(uuid).is_some());
        assert_eq!(key(uuid), key(&uuid.replace("CE39B608", "ce39b608")));
        assert_ne!(key(uuid), key(&uuid.replace("/main/", "/crash/")));
        assert_eq!(
            key(&uuid.replace("CE39B608-f595-4c69-b6a6-f7a436604648", "foo")),
            None
        );
        assert_eq!(
            key(&uuid.replace("CE39B608-f595-4c69-b6a6-f7a436604648", "")),
            None
        );
        assert_eq!(key(&uuid.replace('-', "")), None);
    }

    #[test]
    fn a_percent_encoded_id_is_the_same_document() {
        let plain = "/submit/telemetry/ce39b608-f595-4c69-b6a6-f7a436604648/main";
        assert_eq!(
            key(plain),
            key("/submit/telemetry/ce39b608%2Df595-4c69-b6a6-f7a436604648/main")
        );
    }
}
