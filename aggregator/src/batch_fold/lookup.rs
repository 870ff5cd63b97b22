//! Which copies of its documents a batch asks the store for, and which of the answer it takes in.

use aggregate_store::SeenRow;
use chunk::{RecordError, records};
use ping::{DocumentKey, Submission};

use super::{BatchFold, StoredKey};
use crate::scope::key_in_epoch;

impl BatchFold {
    /// The keys under which the store may know copies of the documents in a decoded data frame that are not loaded yet.
    pub(crate) fn unknown_documents(&mut self, frame: &[u8]) -> Result<Vec<DocumentKey>, RecordError> {
        let mut unknown = Vec::new();
        for record in records(frame) {
            let record = record?;
            let sent = self.sent(&record);
            let folded = sent.folded(&self.scope, record.submission_date);
            let key = folded.and_then(Submission::document_key);
            let Some(document) = key.filter(|key| !self.copies.knows(key)) else {
                continue;
            };
            for &epoch in &sent.kind.epochs {
                let key = key_in_epoch(document, epoch);
                let source = sent.kind.source.clone();
                let stored = StoredKey {
                    document,
                    source,
                    epoch,
                };
                self.keys.insert(key, stored);
                unknown.push(key);
            }
        }
        unknown.sort_unstable();
        unknown.dedup();
        Ok(unknown)
    }

    /// Takes in all stored copies under these keys.
    pub(crate) fn load(&mut self, keys: &[DocumentKey], stored: Vec<SeenRow>) {
        let documents = keys.iter().filter_map(|key| self.keys.get(key));
        let mut documents: Vec<DocumentKey> = documents.map(|stored| stored.document).collect();
        documents.sort_unstable();
        documents.dedup();
        let mut rows = Vec::with_capacity(stored.len());
        for row in stored {
            if let Some(StoredKey {
                document,
                source,
                epoch,
            }) = self.keys.get(&row.key)
            {
                let day = row.received.submission_date();
                let is_there = self.scope.epoch(source.as_str(), day) == *epoch;
                rows.push((*document, is_there.then_some(*epoch), row));
            }
        }
        for key in keys {
            self.keys.remove(key);
        }
        self.copies.load(&documents, rows);
    }
}
