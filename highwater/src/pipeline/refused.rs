//! Why the files are not what is declared now, as the watch tells it.

use std::sync::{Mutex, PoisonError};

use query::health::RefusedFiles;

use crate::declarations::Refusal;

/// The refusal that holds, if one does.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    told: Mutex<Option<RefusedFiles>>,
}

impl Refused {
    /// What a start was refused.
    pub(crate) fn new(at_start: Option<Refusal>) -> Self {
        let told = at_start.map(|refusal| RefusedFiles {
            words: refusal.words,
            faults: refusal.faults,
            at_start: true,
        });
        Self {
            told: Mutex::new(told),
        }
    }

    /// What is refused now; nothing, if the files are what is in force.
    pub(super) fn note(&self, refusal: Option<Refusal>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let at_start = told.as_ref().is_some_and(|told| told.at_start);
        *told = refusal.map(|refusal| RefusedFiles {
            words: refusal.words,
            faults: refusal.faults,
            at_start,
        });
    }

    /// What is refused.
    pub(super) fn told(&self) -> Option<RefusedFiles> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
