//! The counters of a log, kept in the State frame of each segment.

use std::collections::BTreeMap;

use index_schema::proto::{Import, LogState};
use ping::Incarnation;

/// The numbers of a start's pings begin at the start's number times this: above all that were given before, though nothing
/// may say any more what they were (the log was damaged, or put back as it was some time before, within the same start). A
/// process that takes 10,000 pings every second for 3 years stays below it.
const NUMBERS_PER_START: u64 = 1 << 40;

/// Numbers are kept as signed 64-bit ones elsewhere. A log that was started more often than this, once a second for 97 days,
/// goes on with its numbers where it knows that it was.
const STARTS_MAX: u64 = (1 << 23) - 2;

/// The counters as of some place of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counters {
    /// The start of the process that writes, counted from 1; 0 in a log that has never been opened.
    pub(crate) boot: u64,
    /// The sequence number of the next ping.
    pub(crate) next_sequence: u64,
    /// The number of the next plan.
    pub(crate) next_plan: u64,
    /// Pings in chunks whose plans are done, over the life of the log.
    pub(crate) chunked: u64,
    /// The highest line taken of each imported file.
    pub(crate) imports: BTreeMap<Incarnation, u64>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            boot: 0,
            next_sequence: 1,
            next_plan: 1,
            chunked: 0,
            imports: BTreeMap::new(),
        }
    }
}

impl Counters {
    /// What a segment that opens with these counters says of itself and of the one before it.
    pub(crate) fn to_state(&self, own: Incarnation, previous: u32, previous_valid_length: u64) -> LogState {
        let import = |(incarnation, line): (&Incarnation, &u64)| Import {
            incarnation: incarnation.as_bytes().to_vec().into(),
            line: *line,
        };
        LogState {
            incarnation: own.as_bytes().to_vec().into(),
            boot: self.boot,
            next_sequence: self.next_sequence,
            next_plan: self.next_plan,
            chunked: self.chunked,
            previous_segment: u64::from(previous),
            previous_valid_length,
            imports: self.imports.iter().map(import).collect(),
        }
    }

    /// Takes over what a segment says. Nothing ever steps back.
    pub(crate) fn learn(&mut self, state: &LogState) {
        self.boot = self.boot.max(state.boot);
        self.next_sequence = self.next_sequence.max(state.next_sequence);
        self.next_plan = self.next_plan.max(state.next_plan);
        self.chunked = self.chunked.max(state.chunked);
        for import in &state.imports {
            if let Some(incarnation) = Incarnation::from_slice(&import.incarnation) {
                self.learn_import(incarnation, import.line);
            }
        }
    }

    /// Counts a start, which comes after all that are remembered elsewhere. The numbers of pings go on above all that may
    /// have been given.
    pub(crate) fn start(&mut self, remembered: u64) {
        self.boot = self.boot.max(remembered).saturating_add(1);
        if self.boot > 1 {
            let first = self.boot.min(STARTS_MAX) * NUMBERS_PER_START;
            self.next_sequence = self.next_sequence.max(first);
        }
    }

    /// Takes over that an imported file was taken up to and with this line.
    pub(crate) fn learn_import(&mut self, file: Incarnation, line: u64) {
        let taken = self.imports.entry(file).or_insert(0);
        *taken = (*taken).max(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_start_gives_a_number_that_one_before_may_have_given_whatever_is_known_of_it() {
        let mut whole = Counters::default();
        whole.start(0);
        assert_eq!((whole.boot, whole.next_sequence), (1, 1));
        for _ in 0..5 {
            let put_back = whole.clone();
            let given = whole.next_sequence..whole.next_sequence + 1_000_000_000;
            let mut next = put_back;
            next.start(0);
            assert!(next.next_sequence >= given.end, "{next:?} after {given:?}");
            whole = next;
        }
    }

    #[test]
    fn numbers_only_ascend_and_fit_63_bits_however_often_a_log_is_started() {
        for boot in [STARTS_MAX - 2, STARTS_MAX - 1, STARTS_MAX, u64::MAX - 1, u64::MAX] {
            let mut counters = Counters {
                boot,
                next_sequence: STARTS_MAX * NUMBERS_PER_START + 7,
                ..Counters::default()
            };
            counters.start(0);
            assert_eq!(counters.next_sequence, STARTS_MAX * NUMBERS_PER_START + 7);
            assert!(i64::try_from(counters.next_sequence + NUMBERS_PER_START).is_ok());
        }
    }
}
