//! An entry as every back end stores it: its key, its figures, and one protobuf message of what no selection asks. The
//! columns that selections do ask repeat what the key says, and only the database reads them.

use ping::{ChunkId, Timestamp};
use prost::Message;

use crate::proto::{EntryDetail, ReasonCount};
use crate::{ChunkKey, IndexEntry};

/// What a row holds of an entry.
#[derive(Debug)]
pub(crate) struct StoredEntry<'a> {
    pub(crate) key: String,
    /// Records; raw, stored and received bytes.
    pub(crate) counts: [u64; 4],
    /// First and last receive time; time of the seal.
    pub(crate) times: [Timestamp; 3],
    /// An [`EntryDetail`].
    pub(crate) detail: &'a [u8],
}

/// Why a row makes no entry.
#[derive(Debug, thiserror::Error)]
#[error("the row of {key} is damaged: {why}")]
pub(crate) struct DamagedRow {
    pub(crate) key: String,
    pub(crate) why: String,
}

impl StoredEntry<'_> {
    /// The whole entry.
    pub(crate) fn whole(self) -> Result<IndexEntry, DamagedRow> {
        match self.read() {
            Ok((said, replaces, detail)) => {
                let [records, raw_bytes, stored_bytes, received_bytes] = self.counts;
                let [received_min, received_max, sealed] = self.times;
                let reasons = detail.error_reasons.into_iter();
                Ok(IndexEntry {
                    id: said.id,
                    kind: said.kind,
                    partition: said.partition,
                    records,
                    raw_bytes,
                    stored_bytes,
                    received_bytes,
                    received_min,
                    received_max,
                    sealed,
                    replaces,
                    error_reasons: reasons.map(|count| (count.reason, count.records)).collect(),
                    key: self.key,
                })
            }
            Err(why) => Err(DamagedRow { key: self.key, why }),
        }
    }

    fn read(&self) -> Result<(ChunkKey, Vec<ChunkId>, EntryDetail), String> {
        let said = ChunkKey::parse(&self.key).map_err(|error| error.to_string())?;
        let detail = EntryDetail::decode(self.detail).map_err(|error| error.to_string())?;
        let replaces: Result<_, ping::ParseIdError> =
            detail.replaces.iter().map(|text| text.parse()).collect();
        Ok((said, replaces.map_err(|error| error.to_string())?, detail))
    }
}

impl From<&IndexEntry> for EntryDetail {
    fn from(entry: &IndexEntry) -> Self {
        let reason = |(reason, records): (&String, &u64)| ReasonCount {
            reason: reason.clone(),
            records: *records,
        };
        Self {
            replaces: entry.replaces.iter().map(ChunkId::to_string).collect(),
            error_reasons: entry.error_reasons.iter().map(reason).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_whose_key_or_detail_cannot_be_read_is_told_with_its_key() {
        let whole = |key: &str, detail: &[u8]| {
            let stored = StoredEntry {
                key: key.to_owned(),
                counts: [0; 4],
                times: [Timestamp::from_micros(0); 3],
                detail,
            };
            stored.whole().map_err(|damaged| damaged.to_string())
        };
        let key = "pings/v1/submission_date=20170131/source_name=telemetry/source_version=4/doc_type=main/app_name=Firefox/\
                   app_update_channel=nightly/app_version=54.0a1/app_build_id=2017/abababababababababababababababab-3-41.zst";
        assert_eq!(whole(key, &[]).map(|entry| entry.key), Ok(key.to_owned()));
        for (key, detail) in [("pings/key", &[][..]), (key, &[0xff]), (key, &[10, 1, b'x'])] {
            let told = whole(key, detail).expect_err("damaged");
            assert!(
                told.starts_with(&format!("the row of {key} is damaged: ")),
                "{told}"
            );
        }
    }
}
