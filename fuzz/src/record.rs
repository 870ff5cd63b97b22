//! Target: records in a data frame, and a frame of ids. What is read borrows from the bytes, and agrees with a plain
//! protobuf decoder.

use chunk::frame::IDS_MAGIC;
use chunk::{Ids, records};
use index_schema::proto::PingRecord;
use prost::Message;

use crate::chunk_reader::digested;

/// The raw bytes of a data frame, or the payload of an ids frame without its digest.
pub fn target(data: &[u8]) {
    let mut read = 0;
    for record in records(data) {
        let Ok(record) = record else { break };
        read += record.encoded.len();
        let head = record.to_head();
        if let Ok(plain) = PingRecord::decode(record.encoded) {
            assert_eq!(plain.incarnation, head.id.incarnation.as_bytes().as_slice());
            assert_eq!(plain.sequence, head.id.sequence);
            assert_eq!(plain.received_us, head.received.as_micros());
            assert_eq!(plain.submission_date, head.submission_date.as_yyyymmdd());
            assert_eq!(
                (&plain.uri, plain.received_bytes),
                (&head.uri, head.received_bytes)
            );
            assert_eq!(plain.error, head.error.clone().unwrap_or_default());
            assert_eq!(
                (&plain.headers, plain.body.as_ref()),
                (&head.headers, record.body)
            );
        }
        let mut written = Vec::new();
        head.append_to(record.body, &mut written);
        let again = records(&written)
            .next()
            .expect("one")
            .expect("what is written can be read");
        assert_eq!((again.to_head(), again.body), (head, record.body));
    }
    assert!(read <= data.len());
    let frame = digested(IDS_MAGIC, data);
    if let Ok(ids) = Ids::parse(&frame) {
        let left = ids.left();
        let read = ids.take_while(Result::is_ok).count();
        assert!(read as u64 <= left);
    }
}

/// Records of pings and of an error, and an ids frame.
pub fn seeds() -> Vec<Vec<u8>> {
    let (raw, ids) = crate::chunk_reader::sample_parts();
    vec![raw, ids]
}
