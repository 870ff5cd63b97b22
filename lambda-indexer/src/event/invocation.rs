//! One invocation, read: objects that were created, messages of a queue that are answered one by one, or the wish for a
//! comparison of store and index.

use serde_json::Value;

use super::object_key::{decode, plain_or_encoded};
use super::wire::{Notification, Record, S3Entity};
use super::{Announced, CreatedObject, EventError, Ignored};

/// Notifications that may be packed in one another: S3 in SNS in SQS are three, EventBridge by way of SNS no more.
const PACKED_MAX: u8 = 4;

/// Fields that an error names, at most: enough to tell what it was.
const FIELDS_NAMED_MAX: usize = 8;

/// What an invocation of the Lambda asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// Messages of a queue, each answered by itself: those not done with come again.
    Messages(Vec<QueueMessage>),
    /// Objects that were created, answered as a whole.
    Objects(Announced),
    /// Compare the store with the index.
    Reconcile,
}

/// A message of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueMessage {
    /// By what it is answered for.
    pub id: String,
    /// What it says.
    pub announced: Announced,
}

impl Invocation {
    /// Reads the payload of an invocation: JSON from S3, SQS, SNS, EventBridge, or the schedule.
    ///
    /// # Errors
    /// When it is no JSON or has no shape known here. What is wrong inside a message, or with one record of several, is
    /// said there: [`Announced::unreadable`].
    pub fn read(payload: &[u8]) -> Result<Self, EventError> {
        let notification: Notification = parse(payload)?;
        if let Some(wish) = &notification.highwater {
            return match wish.as_str() {
                "reconcile" => Ok(Self::Reconcile),
                _ => Err(unknown(payload)),
            };
        }
        let from_queue = |record: &Record| record.message_id.is_some() || record.body.is_some();
        match notification.records {
            Some(records) if records.iter().any(from_queue) => {
                let messages = records.into_iter().map(QueueMessage::read);
                messages.collect::<Result<_, _>>().map(Self::Messages)
            }
            records => {
                let notification = Notification {
                    records,
                    ..notification
                };
                let mut announced = Announced::default();
                announced.take(notification, payload, PACKED_MAX)?;
                Ok(Self::Objects(announced))
            }
        }
    }
}

impl QueueMessage {
    /// Reads a message of a queue. What is wrong inside is said there: [`Announced::unreadable`].
    pub fn new(id: String, body: &str) -> Self {
        let mut announced = Announced::default();
        announced.unpack(body, PACKED_MAX);
        Self { id, announced }
    }

    fn read(record: Record) -> Result<Self, EventError> {
        let (Some(id), Some(body)) = (record.message_id, record.body) else {
            return Err(EventError::Malformed(
                "a message of a queue lacks its id or its body".to_owned(),
            ));
        };
        Ok(Self::new(id, &body))
    }
}

impl Announced {
    /// Takes over what a text says, a notification itself; what cannot be read is noted.
    fn unpack(&mut self, text: &str, left: u8) {
        let Some(left) = left.checked_sub(1) else {
            return self.unreadable.push(EventError::TooDeep(PACKED_MAX));
        };
        let taken =
            parse(text.as_bytes()).and_then(|notification| self.take(notification, text.as_bytes(), left));
        if let Err(error) = taken {
            self.unreadable.push(error);
        }
    }

    /// Takes over what a notification says. An error says that it has no shape known here.
    fn take(&mut self, notification: Notification, text: &[u8], left: u8) -> Result<(), EventError> {
        let Notification {
            records,
            event,
            detail_type,
            detail,
            message,
            highwater: _,
        } = notification;
        if let Some(records) = records {
            for record in records {
                self.take_record(record, left);
            }
        } else if let Some(name) = detail_type {
            self.take_from_event_bridge(name, detail);
        } else if let Some(message) = message {
            self.unpack(&message, left);
        } else if let Some(name) = event {
            self.ignored.push(match name.as_str() {
                "s3:TestEvent" => Ignored::Test,
                _ => Ignored::Other { name },
            });
        } else {
            return Err(unknown(text));
        }
        Ok(())
    }

    fn take_record(&mut self, record: Record, left: u8) {
        if let Some(topic) = record.sns {
            return self.unpack(&topic.message, left);
        }
        let Some(name) = record.event_name else {
            let missing = "a record has neither `eventName` nor `Sns`".to_owned();
            return self.unreadable.push(EventError::Malformed(missing));
        };
        // AWS writes `ObjectCreated:Put`, other stores `s3:ObjectCreated:Put`.
        let bare = name.strip_prefix("s3:").unwrap_or(&name);
        if bare == "TestEvent" {
            return self.ignored.push(Ignored::Test);
        }
        if !bare.starts_with("ObjectCreated:") {
            return self.ignored.push(Ignored::Other { name });
        }
        self.created_at(record.s3, |written| decode(&written));
    }

    fn take_from_event_bridge(&mut self, name: String, detail: Option<S3Entity>) {
        if name == "Object Created" {
            self.created_at(detail, |written| Ok(plain_or_encoded(written)));
        } else {
            self.ignored.push(Ignored::Other { name });
        }
    }

    fn created_at(&mut self, place: Option<S3Entity>, key_of: impl Fn(String) -> Result<String, EventError>) {
        let place = place.and_then(|place| Some((place.bucket?, place.object?)));
        let Some((s3_bucket, object)) = place else {
            let missing = "a creation lacks its bucket or its object".to_owned();
            return self.unreadable.push(EventError::Malformed(missing));
        };
        match key_of(object.key) {
            Ok(key) => self.created.push(CreatedObject {
                s3_bucket: s3_bucket.name,
                key,
                version: object.version,
            }),
            Err(error) => self.unreadable.push(error),
        }
    }
}

fn parse(text: &[u8]) -> Result<Notification, EventError> {
    serde_json::from_slice(text).map_err(|error| EventError::Malformed(error.to_string()))
}

/// Names the fields, never what they hold.
fn unknown(text: &[u8]) -> EventError {
    let fields = match serde_json::from_slice(text) {
        Ok(Value::Object(fields)) => fields
            .into_iter()
            .map(|(name, _)| name)
            .take(FIELDS_NAMED_MAX)
            .collect(),
        _ => Vec::new(),
    };
    EventError::Unknown { fields }
}
