//! A line of an import: a ping with its time and its URI.

use bytes::Bytes;
use ping::{ClientHash, Submission, Timestamp};

/// Largest body: what the edge would inflate at most.
pub(super) const BODY_BYTES_MAX: usize = 32 << 20;

/// Longest URI: the edge takes 1,024 bytes over HTTP by default; other pipelines took more.
pub(super) const URI_BYTES_MAX: usize = 8 << 10;

/// Longest value of a header, as the edge takes it over HTTP.
const HEADER_BYTES_MAX: usize = 1 << 10;

/// A ping to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// When it was received. Where only the day is known, its first moment.
    pub(crate) received: Timestamp,
    pub(crate) uri: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// What stands for its client, where it was stored without the id before.
    pub(crate) client_hash: Option<ClientHash>,
    /// As it was sent, or inflated: `content-encoding` says which.
    pub(crate) body: Bytes,
}

impl Line {
    /// A ping of these parts, if each is within its bounds.
    pub(super) fn new(
        received: Timestamp,
        uri: String,
        headers: Vec<(String, String)>,
        body: Bytes,
    ) -> Result<Self, String> {
        if uri.len() > URI_BYTES_MAX {
            return Err(format!(
                "the URI has {} bytes, at most {URI_BYTES_MAX} are taken",
                uri.len()
            ));
        }
        Submission::parse(&uri).map_err(|error| format!("uri: {error}"))?;
        if let Some((name, value)) = headers.iter().find(|(_, value)| value.len() > HEADER_BYTES_MAX) {
            return Err(format!(
                "the header {name} has {} bytes, at most {HEADER_BYTES_MAX} are taken",
                value.len()
            ));
        }
        if body.len() > BODY_BYTES_MAX {
            return Err(format!(
                "the body has {} bytes, at most {BODY_BYTES_MAX} are taken",
                body.len()
            ));
        }
        Ok(Self {
            received,
            uri,
            headers,
            client_hash: None,
            body,
        })
    }
}
