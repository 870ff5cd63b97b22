//! How far a rebuild is.

use std::time::Duration;

use index_schema::{IndexEntry, IndexTotals};

/// How far a rebuild is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RebuildProgress {
    /// Chunks folded so far.
    pub chunks: u64,
    /// Chunks in the index; grows while pings arrive.
    pub chunks_total: u64,
    /// Records in the chunks folded so far.
    pub records: u64,
    /// Records in the index.
    pub records_total: u64,
    /// Bytes of the chunks folded so far, as stored.
    pub bytes: u64,
    /// Bytes of all chunks in the index.
    pub bytes_total: u64,
    /// Of `bytes`, those of chunks that were folded already when they were looked at, as by an earlier rebuild.
    pub found_bytes: u64,
}

impl RebuildProgress {
    /// Nothing so far, of all that is in the index.
    pub(crate) fn of(totals: &IndexTotals) -> Self {
        Self {
            chunks_total: totals.chunks,
            records_total: totals.records,
            bytes_total: totals.stored_bytes,
            ..Self::default()
        }
    }

    /// One more chunk that is to be folded.
    pub(crate) fn add_total(&mut self, entry: &IndexEntry) {
        self.chunks_total += 1;
        self.records_total += entry.records;
        self.bytes_total += entry.stored_bytes;
    }

    pub(crate) fn note(&mut self, entry: &IndexEntry, found: bool) {
        self.chunks += 1;
        self.records += entry.records;
        self.bytes += entry.stored_bytes;
        if found {
            self.found_bytes += entry.stored_bytes;
        }
    }

    /// What is done here and there; totals are of neither.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self {
            chunks: self.chunks + other.chunks,
            records: self.records + other.records,
            bytes: self.bytes + other.bytes,
            found_bytes: self.found_bytes + other.found_bytes,
            ..Self::default()
        }
    }

    /// The same totals, and so much done.
    pub(crate) fn at(&self, done: &Self) -> Self {
        Self {
            chunks_total: self.chunks_total,
            records_total: self.records_total,
            bytes_total: self.bytes_total,
            ..*done
        }
    }

    /// How much of it is done, 0 to 100, by bytes.
    pub fn percent(&self) -> u64 {
        match self.bytes_total {
            0 => 100,
            total => (u128::from(self.bytes) * 100 / u128::from(total)).min(100) as u64,
        }
    }

    /// How long it will take on, when this took so long: by the bytes that were folded in that time. `None` as long as
    /// nothing tells.
    pub fn time_left(&self, elapsed: Duration) -> Option<Duration> {
        let folded = self.bytes.saturating_sub(self.found_bytes);
        let left = self.bytes_total.saturating_sub(self.bytes);
        let nanos = elapsed.as_nanos().checked_mul(u128::from(left))?;
        let nanos = nanos.checked_div(u128::from(folded))?;
        Some(Duration::from_nanos(u64::try_from(nanos).ok()?))
    }
}
