//! The fields of notifications that are read here, as their senders write them; all others are passed over.

use serde::Deserialize;

/// Whatever an invocation or a message can hold: which of these fields are there says what it is.
#[derive(Debug, Deserialize)]
pub(super) struct Notification {
    /// From S3, SQS and SNS: a list.
    #[serde(rename = "Records")]
    pub(super) records: Option<Vec<Record>>,
    /// From S3 while a notification is set up: `s3:TestEvent`.
    #[serde(rename = "Event")]
    pub(super) event: Option<String>,
    /// From EventBridge: what happened.
    #[serde(rename = "detail-type")]
    pub(super) detail_type: Option<String>,
    /// From EventBridge: to what.
    pub(super) detail: Option<S3Entity>,
    /// From SNS, as a message of a queue: the notification inside, as text.
    #[serde(rename = "Message")]
    pub(super) message: Option<String>,
    /// From the schedule of this program's own template.
    pub(super) highwater: Option<String>,
}

/// One of a list: of S3, SQS or SNS.
#[derive(Debug, Deserialize)]
pub(super) struct Record {
    /// Of S3: what happened.
    #[serde(rename = "eventName")]
    pub(super) event_name: Option<String>,
    /// Of S3: to what.
    pub(super) s3: Option<S3Entity>,
    /// Of SQS: by what the message is answered for.
    #[serde(rename = "messageId")]
    pub(super) message_id: Option<String>,
    /// Of SQS: the notification inside, as text.
    pub(super) body: Option<String>,
    /// Of SNS.
    #[serde(rename = "Sns")]
    pub(super) sns: Option<Topic>,
}

/// Where an object is.
#[derive(Debug, Deserialize)]
pub(super) struct S3Entity {
    pub(super) bucket: Option<Bucket>,
    pub(super) object: Option<Object>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Bucket {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Object {
    pub(super) key: String,
    #[serde(rename = "versionId", alias = "version-id")]
    pub(super) version: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Topic {
    /// The notification inside, as text.
    #[serde(rename = "Message")]
    pub(super) message: String,
}
