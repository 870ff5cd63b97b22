//! Where a ping is kept: from its URI and its submission date to its partition.

use std::collections::HashMap;

use index_schema::ChunkKind;
use ping::{DimensionSchema, Submission, SubmissionDate, Timestamp};

use crate::log::logged_head::LoggedHead;
use crate::partition_key::PartitionKey;

/// The partition of a ping. A URI that is none of a submission, which the door refuses, has only absent values.
pub(crate) fn partition(schema: &DimensionSchema, uri: &[u8], date: SubmissionDate) -> PartitionKey {
    let submission = Submission::parse(&String::from_utf8_lossy(uri)).unwrap_or_default();
    PartitionKey::new(ChunkKind::Pings, &schema.partition(&submission, date))
}

/// Numbers for partitions, while the log is read.
#[derive(Debug)]
pub(crate) struct Interner<'s> {
    schema: &'s DimensionSchema,
    numbers: HashMap<PartitionKey, u32>,
    keys: Vec<PartitionKey>,
}

impl<'s> Interner<'s> {
    /// No partitions yet.
    pub(crate) fn new(schema: &'s DimensionSchema) -> Self {
        Self {
            schema,
            numbers: HashMap::new(),
            keys: Vec::new(),
        }
    }

    /// The number of a record's partition.
    pub(crate) fn number(&mut self, record: &LoggedHead) -> u32 {
        let received = Timestamp::from_micros(record.received_us);
        let date = SubmissionDate::from_yyyymmdd(record.submission_date)
            .unwrap_or_else(|| received.submission_date());
        let key = partition(self.schema, &record.uri, date);
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number = u32::try_from(self.keys.len()).expect("fewer partitions than pings");
        self.keys.push(key.clone());
        self.numbers.insert(key, number);
        number
    }

    /// The partitions by number.
    pub(crate) fn into_keys(self) -> Vec<PartitionKey> {
        self.keys
    }
}
