//! What recovery reads of a logged record: the first fields of `PingRecord`. All others are passed over, its body too; whoever
//! needs them decodes the whole.

use prost::Message;

/// The first fields of a `PingRecord`, under its numbers.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct LoggedHead {
    /// The incarnation of its id.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) incarnation: Vec<u8>,
    /// The sequence number of its id.
    #[prost(uint64, tag = "2")]
    pub(crate) sequence: u64,
    /// Receive time in microseconds since the epoch.
    #[prost(int64, tag = "3")]
    pub(crate) received_us: i64,
    /// The submission date as the number YYYYMMDD.
    #[prost(uint32, tag = "4")]
    pub(crate) submission_date: u32,
    /// The request target as sent.
    #[prost(bytes = "vec", tag = "5")]
    pub(crate) uri: Vec<u8>,
}

impl LoggedHead {
    /// Becomes that of the record with these bytes, in the memory that it has.
    ///
    /// # Errors
    /// They are no record.
    pub(crate) fn read(&mut self, record: &[u8]) -> Result<(), prost::DecodeError> {
        self.clear();
        self.merge(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use index_schema::proto::{Header, PingRecord};
    use proptest::prelude::*;

    fn of(record: &PingRecord) -> LoggedHead {
        LoggedHead {
            incarnation: record.incarnation.to_vec(),
            sequence: record.sequence,
            received_us: record.received_us,
            submission_date: record.submission_date,
            uri: record.uri.to_vec(),
        }
    }

    /// Read into what another record left.
    fn read(record: &[u8]) -> Option<LoggedHead> {
        let mut head = LoggedHead {
            incarnation: vec![7; 20],
            sequence: 7,
            received_us: -7,
            submission_date: 7,
            uri: vec![7; 20],
        };
        head.read(record).ok().map(|()| head)
    }

    proptest! {
        #[test]
        fn the_head_says_what_the_record_says(
            incarnation: [u8; 16], sequence: u64, received_us: i64, submission_date: u32, uri: Vec<u8>, body: Vec<u8>,
            header: String, cut in 0..2_000_usize,
        ) {
            let record = PingRecord {
                incarnation: incarnation.to_vec().into(), sequence, received_us, submission_date, uri: uri.into(),
                headers: vec![Header { name: header.clone(), value: header }], received_bytes: body.len() as u64,
                body: body.into(), ..PingRecord::default()
            };
            let bytes = record.encode_to_vec();
            prop_assert_eq!(read(&bytes), Some(of(&record)));
            // Cut anywhere, both say the same, or nothing.
            let cut = &bytes[..cut.min(bytes.len())];
            let decoded = PingRecord::decode(cut).ok();
            prop_assert_eq!(read(cut), decoded.as_ref().map(of));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let head = read(&bytes);
            if let Ok(record) = PingRecord::decode(&bytes[..]) {
                prop_assert_eq!(head, Some(of(&record)));
            }
        }
    }
}
