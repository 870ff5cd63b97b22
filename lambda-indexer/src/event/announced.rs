//! What one notification announces.

use std::fmt;

/// The objects that a notification says were created, and what else stood in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// Objects to look at, in the order of the notification; one may be named twice.
    pub created: Vec<CreatedObject>,
    /// What is none of the indexer's business. Not an error.
    pub ignored: Vec<Ignored>,
    /// Parts that could not be read. Somebody must look at them: the notification is not done with.
    pub unreadable: Vec<EventError>,
}

impl Announced {
    /// Whether there is nothing to look at and nothing that could not be read.
    pub const fn asks_for_nothing(&self) -> bool {
        self.created.is_empty() && self.unreadable.is_empty()
    }
}

/// An object that was created.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreatedObject {
    /// The S3 bucket it is in.
    pub s3_bucket: String,
    /// Its key, decoded.
    pub key: String,
    /// Its version, where the S3 bucket keeps versions. Only said in the log: a chunk's key is never written twice.
    pub version: Option<String>,
}

/// A notification, or a part of it, that announces no object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// What S3 sends when a notification is set up.
    Test,
    /// Something else happened than the creation of an object.
    Other {
        /// What, in the sender's words.
        name: String,
    },
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Test => write!(f, "S3's test of a notification"),
            Self::Other { name } => write!(f, "a notification of `{name}`, which creates no object"),
        }
    }
}

/// Why a notification, or a part of it, could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// It is no JSON, or a known field holds what it never holds.
    #[error("a notification could not be read: {0}")]
    Malformed(String),
    /// It has no shape known here.
    #[error(
        "a notification of unknown shape, with the fields {fields:?}: S3 creations arrive from S3, SQS, SNS or EventBridge, \
         and `{{\"highwater\":\"reconcile\"}}` starts a comparison"
    )]
    Unknown {
        /// The names of its first fields.
        fields: Vec<String>,
    },
    /// An object's key is no text once decoded.
    #[error("the key `{0}` of a notification is no UTF-8 once decoded")]
    Key(String),
    /// Notifications are packed in notifications without end.
    #[error("a notification is packed in more than {0} others")]
    TooDeep(u8),
}
