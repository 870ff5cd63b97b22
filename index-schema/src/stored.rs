//! An entry as every back end stores it: its key, its numbers, and one protobuf message of what no selection asks. The
//! columns that selections do ask repeat what the key says, and only the database reads them.

use std::borrow::Cow;

use ping::{ChunkId, Timestamp};
use prost::Message;

use crate::proto::{EntryDetail, ReasonCount};
use crate::{ChunkKey, IndexEntry};

/// What a row holds of an entry.
#[derive(Debug)]
pub(crate) struct StoredEntry<'a> {
    pub(crate) key: Cow<'a, str>,
    /// Records; raw, stored and received bytes; first and last receive time; time of the seal.
    pub(crate) numbers: [i64; NUMBERS],
    /// An [`EntryDetail`].
    pub(crate) detail: Cow<'a, [u8]>,
}

/// So many numbers has an entry.
pub(crate) const NUMBERS: usize = 7;

/// Columns of an entry where it is read: the key, the numbers, the detail. What is selected besides begins behind them.
pub(crate) const COLUMNS: usize = NUMBERS + 2;

/// Why a row makes no entry.
#[derive(Debug, thiserror::Error)]
#[error("the row of {key} is damaged: {why}")]
pub(crate) struct DamagedRow {
    key: String,
    why: String,
}

/// Why an entry makes no row: databases know signed numbers only.
#[derive(Debug, thiserror::Error)]
#[error("{0} is more than the database can count")]
pub(crate) struct Uncountable(u64);

impl<'a> StoredEntry<'a> {
    /// What a row is to hold of an entry.
    pub(crate) fn of(entry: &'a IndexEntry) -> Result<Self, Uncountable> {
        let IndexEntry {
            key,
            records,
            raw_bytes,
            stored_bytes,
            received_bytes,
            received_min,
            received_max,
            sealed,
            replaces,
            error_reasons,
            // The key says these.
            id: _,
            kind: _,
            partition: _,
        } = entry;
        let reason = |(reason, records): (&String, &u64)| ReasonCount {
            reason: reason.clone(),
            records: *records,
        };
        let detail = EntryDetail {
            replaces: replaces.iter().map(ChunkId::to_string).collect(),
            error_reasons: error_reasons.iter().map(reason).collect(),
        };
        Ok(Self {
            key: Cow::Borrowed(key),
            numbers: [
                signed(*records)?,
                signed(*raw_bytes)?,
                signed(*stored_bytes)?,
                signed(*received_bytes)?,
                received_min.as_micros(),
                received_max.as_micros(),
                sealed.as_micros(),
            ],
            detail: Cow::Owned(detail.encode_to_vec()),
        })
    }

    /// The whole entry.
    pub(crate) fn whole(self) -> Result<IndexEntry, DamagedRow> {
        self.read().map_err(|why| DamagedRow {
            key: self.key.into_owned(),
            why,
        })
    }

    fn read(&self) -> Result<IndexEntry, String> {
        let ChunkKey {
            id,
            kind,
            partition,
            prefix: _,
        } = ChunkKey::parse(&self.key).map_err(|error| error.to_string())?;
        let EntryDetail {
            replaces,
            error_reasons,
        } = EntryDetail::decode(&*self.detail).map_err(|error| error.to_string())?;
        let replaces: Result<_, ping::ParseIdError> = replaces.iter().map(|text| text.parse()).collect();
        let reasons = error_reasons.into_iter();
        let [
            records,
            raw_bytes,
            stored_bytes,
            received_bytes,
            received_min,
            received_max,
            sealed,
        ] = self.numbers;
        Ok(IndexEntry {
            key: self.key.to_string(),
            id,
            kind,
            partition,
            records: count(records)?,
            raw_bytes: count(raw_bytes)?,
            stored_bytes: count(stored_bytes)?,
            received_bytes: count(received_bytes)?,
            received_min: Timestamp::from_micros(received_min),
            received_max: Timestamp::from_micros(received_max),
            sealed: Timestamp::from_micros(sealed),
            replaces: replaces.map_err(|error| error.to_string())?,
            error_reasons: reasons.map(|count| (count.reason, count.records)).collect(),
        })
    }
}

/// A count as a database has it.
pub(crate) fn signed(count: u64) -> Result<i64, Uncountable> {
    i64::try_from(count).map_err(|_| Uncountable(count))
}

fn count(number: i64) -> Result<u64, String> {
    u64::try_from(number).map_err(|_| format!("a count of {number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_whose_key_or_detail_cannot_be_read_is_told_with_its_key() {
        let whole = |key: &str, numbers: [i64; NUMBERS], detail: &[u8]| {
            let stored = StoredEntry {
                key: key.into(),
                numbers,
                detail: detail.into(),
            };
            stored.whole().map_err(|damaged| damaged.to_string())
        };
        let key = "pings/v1/submission_date=20170131/source_name=telemetry/source_version=4/doc_type=main/app_name=Firefox/\
                   app_update_channel=nightly/app_version=54.0a1/app_build_id=2017/abababababababababababababababab-3-41.zst";
        let (fine, negative) = ([0; NUMBERS], [1, -1, 1, 1, 0, 0, 0]);
        assert_eq!(whole(key, fine, &[]).map(|entry| entry.key), Ok(key.to_owned()));
        for (key, numbers, detail) in [
            ("pings/key", fine, &[][..]),
            (key, fine, &[0xff]),
            (key, fine, &[10, 1, b'x']),
            (key, negative, &[]),
        ] {
            let told = whole(key, numbers, detail).expect_err("damaged");
            assert!(
                told.starts_with(&format!("the row of {key} is damaged: ")),
                "{told}"
            );
        }
    }
}
