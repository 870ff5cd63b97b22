//! The script of faults, and the count of what was asked.

use std::collections::{BTreeMap, VecDeque};

use crate::{Fault, Operation};

#[derive(Debug, Default)]
pub(crate) struct Script {
    next: BTreeMap<Operation, VecDeque<Fault>>,
    from_now_on: BTreeMap<Operation, Fault>,
    calls: BTreeMap<Operation, u64>,
    at_once: BTreeMap<Operation, u64>,
    most_at_once: BTreeMap<Operation, u64>,
}

impl Script {
    /// The next requests of this kind, one fault each; then as before.
    pub(crate) fn next(&mut self, operation: Operation, faults: impl IntoIterator<Item = Fault>) {
        self.next.entry(operation).or_default().extend(faults);
    }

    /// Every request of this kind for which no other fault stands in the script.
    pub(crate) fn from_now_on(&mut self, operation: Operation, fault: Fault) {
        self.from_now_on.insert(operation, fault);
    }

    /// Counts a request and says what becomes of it.
    pub(crate) fn take(&mut self, operation: Operation) -> Fault {
        *self.calls.entry(operation).or_default() += 1;
        let next = self.next.get_mut(&operation).and_then(VecDeque::pop_front);
        next.or_else(|| self.from_now_on.get(&operation).cloned())
            .unwrap_or(Fault::None)
    }

    /// How often it was asked for.
    pub(crate) fn calls(&self, operation: Operation) -> u64 {
        self.calls.get(&operation).copied().unwrap_or_default()
    }

    /// A request is under way from now on.
    pub(crate) fn begin(&mut self, operation: Operation) {
        let now = self.at_once.entry(operation).or_default();
        *now += 1;
        let most = self.most_at_once.entry(operation).or_default();
        *most = (*most).max(*now);
    }

    /// A request is no longer under way.
    pub(crate) fn end(&mut self, operation: Operation) {
        *self.at_once.entry(operation).or_default() -= 1;
    }

    /// How many were under way at once, at most.
    pub(crate) fn most_at_once(&self, operation: Operation) -> u64 {
        self.most_at_once.get(&operation).copied().unwrap_or_default()
    }
}
