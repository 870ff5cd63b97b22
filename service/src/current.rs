//! What is valid now and may be exchanged while it is in use, such as the generation of aggregates after a rebuild.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// A shared value that can be exchanged. Who took it before keeps the old one until done.
pub struct Current<T: ?Sized> {
    value: RwLock<Arc<T>>,
}

impl<T: ?Sized> Current<T> {
    /// This value, until it is exchanged.
    pub fn new(value: Arc<T>) -> Self {
        Self {
            value: RwLock::new(value),
        }
    }

    /// The value that is valid now. Take it once for each question, so that an answer is of one generation.
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.value.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another value in its place, and hands back the old one.
    pub fn exchange(&self, value: Arc<T>) -> Arc<T> {
        let mut place = self.value.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Current<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Current").field(&self.get()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_took_the_old_value_keeps_it() {
        let current: Current<str> = Current::new(Arc::from("old"));
        let taken = current.get();
        assert_eq!(&*current.exchange(Arc::from("new")), "old");
        assert_eq!((&*taken, &*current.get()), ("old", "new"));
    }
}
