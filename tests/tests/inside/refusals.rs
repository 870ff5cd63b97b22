//! What a store refuses for a time: to delete an object at the first try, or to give some objects at all.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use simulation::{Call, Gate, Shut};

/// What is refused. Nothing, at first.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    /// Of three objects one is not deleted at the first try, and of another nobody hears that it was.
    pub(crate) first_deletions: AtomicBool,
    tried: Mutex<BTreeSet<String>>,
    unreadable: Mutex<BTreeSet<String>>,
    /// Deletions that were refused, or whose answers were lost.
    pub(crate) deletions: AtomicU64,
    /// Reads that were refused.
    pub(crate) reads: AtomicU64,
}

impl Refusals {
    /// These objects, and no others, are not given from now on.
    pub(crate) fn set_unreadable(&self, keys: &[String]) {
        *locked(&self.unreadable) = keys.iter().cloned().collect();
    }

    /// Whether the deletion of this object was refused, or nobody heard that it went.
    pub(crate) fn refused(&self, key: &str) -> bool {
        locked(&self.tried).contains(key)
    }

    /// What becomes of the first try to delete an object.
    fn first(&self, call: Call<'_>) -> First {
        let Call { verb, key, .. } = call;
        if verb != "delete"
            || !self.first_deletions.load(Ordering::SeqCst)
            || locked(&self.tried).contains(key)
        {
            return First::Well;
        }
        // Chunks are numbered by the plans that they were made by.
        match key.bytes().map(u64::from).sum::<u64>() % 3 {
            0 => First::Refused,
            1 => First::Unheard,
            _ => First::Well,
        }
    }

    fn count(&self, key: &str) {
        locked(&self.tried).insert(key.to_owned());
        self.deletions.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Well,
    Refused,
    Unheard,
}

#[async_trait]
impl Gate for Refusals {
    async fn before(&self, call: Call<'_>) -> Result<(), Shut> {
        if call.verb == "get" && locked(&self.unreadable).contains(call.key) {
            self.reads.fetch_add(1, Ordering::SeqCst);
            return Err(Shut::Refused);
        }
        if self.first(call) == First::Refused {
            self.count(call.key);
            return Err(Shut::Refused);
        }
        Ok(())
    }

    async fn after(&self, call: Call<'_>, _: bool) -> Result<(), Shut> {
        if self.first(call) == First::Unheard {
            self.count(call.key);
            return Err(Shut::Unclear);
        }
        Ok(())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics that holds it")
}
