//! What lies in the store: every record of every chunk, read from the files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use aggregate_store::Counters;
use aggregator::fold::FoldSettings;
use aggregator::fold::oracle;
use bytes::Bytes;
use chunk::{ChunkReader, RecordRef};
use ping::{RecordId, Submission, Timestamp};

use super::document::number_in;

/// A copy of a document: when it was received, and its record.
type Copy = (Timestamp, RecordId);

/// What all chunks hold.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// Objects in the store.
    pub(super) chunks: u64,
    /// Records in them.
    pub(super) records: u64,
    /// Records by document number.
    pub(super) times: HashMap<u64, u32>,
    /// Records that are there twice.
    pub(super) doubled_records: u64,
    /// Records that nobody sent.
    pub(super) foreign: u64,
    /// What becomes of the pings, if that was asked for.
    pub(super) counters: Counters,
    /// The records that count.
    pub(super) counted: HashSet<RecordId>,
}

/// Reads all chunks. `fold`: also says what counts.
pub(super) fn stored(data: &Path, fold: bool) -> Result<Stored, String> {
    let mut stored = Stored::default();
    let mut ids = HashSet::new();
    let mut copies: BTreeMap<[u8; 16], Vec<Copy>> = BTreeMap::new();
    let chunks = each_record(data, |record| {
        stored.records += 1;
        stored.doubled_records += u64::from(!ids.insert(record.id));
        let uri = String::from_utf8_lossy(record.uri);
        match number_in(&uri) {
            Some(number) => *stored.times.entry(number).or_default() += 1,
            None => stored.foreign += 1,
        }
        if fold {
            stored.settle(record, &uri, &mut copies);
        }
    })?;
    stored.chunks = chunks;
    for copies in copies.values_mut() {
        copies.sort_unstable();
        stored.count(copies);
    }
    Ok(stored)
}

impl Stored {
    /// Says what becomes of a record, or leaves it among the copies of its document.
    fn settle(&mut self, record: &RecordRef<'_>, uri: &str, copies: &mut BTreeMap<[u8; 16], Vec<Copy>>) {
        let submission = Submission::parse(uri).expect("it was taken");
        if record.error.is_some() {
            self.counters.errored_pings += 1;
        } else if submission.document_type.as_deref() != Some("main") {
            match serde_json::from_slice::<serde_json::Value>(record.body) {
                Ok(body) if body.is_object() => self.counters.stored_only += 1,
                _ => self.counters.errored_pings += 1,
            }
        } else if oracle::read(record.body, record.submission_date).is_err() {
            self.counters.errored_pings += 1;
        } else if let Some(key) = submission.document_key() {
            let of_key = copies.entry(*key.as_bytes()).or_default();
            of_key.push((record.received, record.id));
        } else {
            self.counters.folded += 1;
            self.counted.insert(record.id);
        }
    }

    /// Of copies in order, one does not count if the one before it came within the window.
    fn count(&mut self, copies: &[Copy]) {
        let window = FoldSettings::default().repeat_window.as_micros();
        let mut before: Option<Timestamp> = None;
        for (received, id) in copies {
            let apart = before.map(|before| u128::from(received.micros_since(before).unsigned_abs()));
            before = Some(*received);
            if apart.is_some_and(|apart| apart <= window) {
                self.counters.repeated += 1;
            } else {
                self.counters.folded += 1;
                self.counted.insert(*id);
            }
        }
    }
}

/// Shows each record of each chunk, and answers how many chunks there are.
pub(super) fn each_record(data: &Path, mut each: impl FnMut(&RecordRef<'_>)) -> Result<u64, String> {
    let mut files = Vec::new();
    walk(&data.join("store"), &mut files)?;
    for file in &files {
        let name = file.display();
        let bytes = Bytes::from(fs::read(file).map_err(|error| format!("{name}: {error}"))?);
        chunk::verify(&bytes).map_err(|damage| format!("{name}: {damage}"))?;
        let mut reader = ChunkReader::new(bytes).map_err(|error| format!("{name}: {error}"))?;
        for number in 0..reader.frames().len() {
            let raw = reader
                .frame(number)
                .map_err(|damage| format!("{name}: {damage}"))?;
            for record in chunk::records(&raw) {
                each(&record.map_err(|error| format!("{name}: {error}"))?);
            }
        }
    }
    Ok(files.len() as u64)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}
