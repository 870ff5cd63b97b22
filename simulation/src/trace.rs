//! What happened, in order: a hash of it, and lines for who wants to read it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// What happened so far. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    state: Arc<Mutex<State>>,
    printed: bool,
}

#[derive(Debug, Default)]
struct State {
    hash: u64,
    lines: u64,
    counts: BTreeMap<&'static str, u64>,
}

impl Trace {
    pub(crate) fn new(printed: bool) -> Self {
        Self {
            state: Arc::default(),
            printed,
        }
    }

    /// Notes what happened, and when, in microseconds since 1970.
    #[expect(clippy::print_stdout, reason = "for who asked to read it")]
    pub(crate) fn note(&self, micros: i64, what: std::fmt::Arguments<'_>) {
        let what = what.to_string();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hasher = DefaultHasher::new();
        (state.hash, micros, &what).hash(&mut hasher);
        state.hash = hasher.finish();
        state.lines += 1;
        if self.printed {
            println!("{:>8} {micros} {what}", state.lines);
        }
    }

    /// Counts something that befell.
    pub(crate) fn count(&self, what: &'static str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state.counts.entry(what).or_default() += 1;
    }

    /// How often what befell.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.counts.clone()
    }

    /// A hash of everything noted.
    pub(crate) fn hash(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).hash
    }
}
