//! The counters of a log, kept in the State frame of each segment.

use std::collections::BTreeMap;

use index_schema::proto::{Import, LogState};
use ping::Incarnation;

/// After damage the numbers of this start's pings begin at the start's number times this: above all that were given
/// before, though nothing may say any more what they were. A log that loses 1,000 pings every second for 30 years stays
/// below it.
const NUMBERS_PER_START: u64 = 1 << 40;

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

    /// Counts a start, which comes after all that are remembered elsewhere. When some of what was counted may be lost,
    /// the numbers of pings go on above all that may have been given.
    pub(crate) fn start(&mut self, remembered: u64, incomplete: bool) {
        self.boot = self.boot.max(remembered).saturating_add(1);
        if incomplete {
            self.next_sequence = self
                .next_sequence
                .max(self.boot.saturating_mul(NUMBERS_PER_START));
        }
    }

    /// Takes over that an imported file was taken up to and with this line.
    pub(crate) fn learn_import(&mut self, file: Incarnation, line: u64) {
        let taken = self.imports.entry(file).or_insert(0);
        *taken = (*taken).max(line);
    }
}
