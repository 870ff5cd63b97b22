//! A look at a logged record: what recovery needs of it, borrowed, its body passed over. The fields are those of
//! `PingRecord`; whoever needs all of them decodes it.

/// What recovery needs of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Glance<'a> {
    /// The incarnation of its id.
    pub(crate) incarnation: &'a [u8],
    /// The sequence number of its id.
    pub(crate) sequence: u64,
    /// Receive time in microseconds since the epoch.
    pub(crate) received_us: i64,
    /// The submission date as the number YYYYMMDD.
    pub(crate) submission_date: u32,
    /// The request target as sent.
    pub(crate) uri: &'a [u8],
}

/// What recovery needs of the record with these bytes; `None` when they are none. Unknown fields are passed over.
pub(crate) fn glance(mut bytes: &[u8]) -> Option<Glance<'_>> {
    let mut glance = Glance::default();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        match (tag >> 3, tag & 7) {
            (0, _) => return None,
            (1, 2) => glance.incarnation = delimited(&mut bytes)?,
            (2, 0) => glance.sequence = varint(&mut bytes)?,
            (3, 0) => glance.received_us = varint(&mut bytes)?.cast_signed(),
            (4, 0) => glance.submission_date = (varint(&mut bytes)? & u64::from(u32::MAX)) as u32,
            (5, 2) => glance.uri = delimited(&mut bytes)?,
            (1..=5, _) => return None,
            (_, 0) => drop(varint(&mut bytes)?),
            (_, 1) => bytes = bytes.get(8..)?,
            (_, 2) => drop(delimited(&mut bytes)?),
            (_, 5) => bytes = bytes.get(4..)?,
            _ => return None,
        }
    }
    Some(glance)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn delimited<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(varint(bytes)?).ok()?;
    let (value, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use index_schema::proto::{Header, PingRecord};
    use proptest::prelude::*;
    use prost::Message as _;

    fn of(record: &PingRecord) -> Glance<'_> {
        Glance {
            incarnation: &record.incarnation,
            sequence: record.sequence,
            received_us: record.received_us,
            submission_date: record.submission_date,
            uri: &record.uri,
        }
    }

    proptest! {
        #[test]
        fn a_glance_sees_what_decoding_sees(
            incarnation: [u8; 16], sequence: u64, received_us: i64, submission_date: u32, uri: Vec<u8>, body: Vec<u8>,
            header: String, cut in 0..2_000_usize,
        ) {
            let record = PingRecord {
                incarnation: incarnation.to_vec().into(), sequence, received_us, submission_date, uri: uri.into(),
                headers: vec![Header { name: header.clone(), value: header }], received_bytes: body.len() as u64,
                body: body.into(), ..PingRecord::default()
            };
            let bytes = record.encode_to_vec();
            prop_assert_eq!(glance(&bytes), Some(of(&record)));
            // Cut anywhere, both see the same, or nothing.
            let cut = &bytes[..cut.min(bytes.len())];
            let decoded = PingRecord::decode(cut).ok();
            prop_assert_eq!(glance(cut), decoded.as_ref().map(of));
        }

        #[test]
        fn any_bytes_are_glanced_at_without_a_panic(bytes: Vec<u8>) {
            let glanced = glance(&bytes);
            if let Ok(record) = PingRecord::decode(&bytes[..]) {
                prop_assert!(glanced.is_none() || glanced == Some(of(&record)));
            }
        }
    }
}
