//! One ping of a run: as it is sent, as it is to be stored, and what its client knows of it.

use bytes::Bytes;
use edge::intake::Accepted;

use crate::gzip;

/// One ping, as sent and as it is to be stored.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Where it is posted.
    pub uri: String,
    body: Vec<u8>,
    is_gzip: bool,
    /// Its body as the chunk is to hold it.
    pub stored: Vec<u8>,
    /// How often it was sent.
    pub attempts: u64,
    /// Whether it was answered 200.
    pub taken: bool,
}

impl Sent {
    /// Sent as it is.
    pub fn plain(uri: String, body: Vec<u8>) -> Self {
        Self {
            uri,
            stored: body.clone(),
            body,
            is_gzip: false,
            attempts: 0,
            taken: false,
        }
    }

    /// Sent packed; stored inflated.
    pub fn packed(uri: String, body: Vec<u8>) -> Self {
        Self {
            is_gzip: true,
            body: gzip(&body),
            ..Self::plain(uri, body)
        }
    }

    /// Said to be packed; as it does not inflate, it is stored as sent.
    pub fn broken(uri: String, packed: Vec<u8>) -> Self {
        Self {
            is_gzip: true,
            ..Self::plain(uri, packed)
        }
    }

    /// What the edge is handed.
    pub fn accepted(&self) -> Accepted {
        let encoding = ("content-encoding".to_owned(), "gzip".to_owned());
        Accepted {
            uri: Bytes::from(self.uri.clone()),
            headers: self.is_gzip.then_some(encoding).into_iter().collect(),
            body: Bytes::from(self.body.clone()),
        }
    }
}
