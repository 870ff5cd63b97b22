//! What happened, in order: a hash of it, and lines for who wants to read it.

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

    /// A hash of everything noted.
    pub(crate) fn hash(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).hash
    }
}
