//! What became of each submission, as its sender saw it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// How often a document was answered 200, and how often nothing is known of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) acknowledged: u32,
    pub(super) unclear: u32,
}

/// What a sender saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// An answer of this status.
    Answer(u16),
    /// The connection broke.
    Broken,
    /// No process was there.
    Nobody,
}

/// All that was seen.
#[derive(Debug)]
pub(super) struct Ledger {
    slice: Duration,
    inner: Mutex<Entries>,
}

/// The entries.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// By document number.
    pub(super) documents: HashMap<u64, Times>,
    /// Submissions by what was seen.
    pub(super) seen: BTreeMap<String, u64>,
    /// Latencies of the 200s in milliseconds, by the time slice of the answer.
    pub(super) latencies: BTreeMap<u64, Vec<f32>>,
    /// What should never be seen, in words.
    pub(super) wrong: Vec<String>,
}

impl Ledger {
    /// An empty one, whose latencies are kept by slices of this length.
    pub(super) fn new(slice: Duration) -> Self {
        Self {
            slice,
            inner: Mutex::default(),
        }
    }

    /// The entries.
    pub(super) fn entries(&self) -> MutexGuard<'_, Entries> {
        self.inner.lock().expect("nobody panics that holds it")
    }

    /// Notes what became of a good or broken ping: it is taken, or comes again.
    pub(super) fn ping(&self, number: u64, seen: &Seen, at: Duration, took: Duration) {
        let mut entries = self.entries();
        match seen {
            Seen::Answer(200) => {
                entries.documents.entry(number).or_default().acknowledged += 1;
                let slice = u64::try_from(at.as_nanos() / self.slice.as_nanos()).expect("not so long");
                let millis = took.as_secs_f32() * 1e3;
                entries.latencies.entry(slice).or_default().push(millis);
            }
            // It was refused before anything was written.
            Seen::Answer(507) | Seen::Nobody => {}
            // A sync that fails may have written all the same.
            Seen::Answer(503) | Seen::Broken => {
                entries.documents.entry(number).or_default().unclear += 1;
            }
            Seen::Answer(status) => {
                let words = format!("document {number} was answered {status}: a client would drop it");
                entries.wrong.push(words);
            }
        }
        entries.count(seen);
    }

    /// Notes what became of a request that is to be refused.
    pub(super) fn hostile(&self, request: &str, seen: &Seen) {
        let mut entries = self.entries();
        if let Seen::Answer(status @ ..400) = seen {
            let words = format!("answered {status}: {request:.60?}");
            entries.wrong.push(words);
        }
        entries.count(seen);
    }
}

impl Entries {
    fn count(&mut self, seen: &Seen) {
        let name = match seen {
            Seen::Answer(status) => status.to_string(),
            Seen::Broken => "connection broken".to_owned(),
            Seen::Nobody => "nobody there".to_owned(),
        };
        *self.seen.entry(name).or_default() += 1;
    }

    /// How many 200s there were.
    pub(super) fn acknowledged(&self) -> u64 {
        self.documents
            .values()
            .map(|times| u64::from(times.acknowledged))
            .sum()
    }
}
