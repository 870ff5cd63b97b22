//! Which epoch of each source is in use on which days. Pure.

use std::collections::BTreeMap;

use ping::SubmissionDate;

use crate::Source;

/// A day as the number YYYYMMDD; 0 lies before all days.
type Day = u32;

/// The epochs in use, of all sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Epochs {
    /// How often they changed: a batch is written only if that is the number under which it was folded.
    pub number: u64,
    /// Of every source that has none of its own.
    others: Pieces,
    by_source: BTreeMap<String, Pieces>,
}

/// The epochs of one source, each from a day on until the next one's; before the first it is epoch 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Pieces(BTreeMap<Day, u32>);

/// An epoch of a source, and on which days it is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The source in that epoch.
    pub source: Source,
    /// Which days.
    pub days: Days,
}

/// Days from one to another, both included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Days {
    /// The first one; `None` is all before the last.
    pub first: Option<SubmissionDate>,
    /// The last one; `None` is all after the first.
    pub last: Option<SubmissionDate>,
}

impl Days {
    /// All days.
    pub const ALL: Self = Self {
        first: None,
        last: None,
    };

    /// Whether a day is among them.
    #[must_use]
    pub fn hold(&self, day: SubmissionDate) -> bool {
        self.first.is_none_or(|first| day >= first) && self.last.is_none_or(|last| day <= last)
    }
}

impl Pieces {
    fn at(&self, day: Day) -> u32 {
        self.0.range(..=day).next_back().map_or(0, |(_, epoch)| *epoch)
    }

    /// Has an epoch take the place of others from one day to another, both included.
    fn put(&mut self, days: Days, epoch: u32) {
        let first = days.first.map_or(0, SubmissionDate::as_yyyymmdd);
        let next = days.last.map(|last| last.plus_days(1).as_yyyymmdd());
        let after = next.map(|next| (next, self.at(next)));
        self.0
            .retain(|day, _| *day < first || next.is_some_and(|next| *day > next));
        self.0.insert(first, epoch);
        self.0.extend(after);
        // Only where another one begins is anything said.
        let mut at = 0;
        self.0
            .retain(|_, epoch| std::mem::replace(&mut at, *epoch) != *epoch);
    }
}

impl Epochs {
    /// As a store keeps them: for each source, the empty name for all others, from which day on which epoch is in use.
    #[must_use]
    pub fn stored(number: u64, rows: impl IntoIterator<Item = (String, u32, u32)>) -> Self {
        let mut epochs = Self {
            number,
            ..Self::default()
        };
        for (source, day, epoch) in rows {
            let pieces = match source.is_empty() {
                true => &mut epochs.others,
                false => epochs.by_source.entry(source).or_default(),
            };
            pieces.0.insert(day, epoch);
        }
        epochs
    }

    /// What a store keeps.
    #[must_use]
    pub fn rows(&self) -> Vec<(String, u32, u32)> {
        let others = self
            .others
            .0
            .iter()
            .map(|(day, epoch)| (String::new(), *day, *epoch));
        let of_sources = self.by_source.iter().flat_map(|(source, pieces)| {
            let pieces = pieces.0.iter();
            // A source with none but the first epoch is said, too: it is not one of the others.
            let none = pieces.len() == 0;
            let first = none.then(|| (source.clone(), 0, 0)).into_iter();
            first.chain(pieces.map(|(day, epoch)| (source.clone(), *day, *epoch)))
        });
        others.chain(of_sources).collect()
    }

    /// The epoch of a source that is in use on a day.
    #[must_use]
    pub fn at(&self, source: &str, day: SubmissionDate) -> u32 {
        self.pieces_of(source).at(day.as_yyyymmdd())
    }

    /// The epochs of a source that are in use, each on days of its own, ascending.
    #[must_use]
    pub fn pieces(&self, source: &Source) -> Vec<Piece> {
        let pieces = &self.pieces_of(source.as_str()).0;
        let mut starts: Vec<(Day, u32)> = pieces.iter().map(|(day, epoch)| (*day, *epoch)).collect();
        if starts.first().is_none_or(|(day, _)| *day > 0) {
            starts.insert(0, (0, 0));
        }
        let ends = starts.iter().skip(1).map(|(day, _)| Some(*day)).chain([None]);
        let pieces = starts.iter().zip(ends);
        let pieces = pieces.map(|((first, epoch), end)| Piece {
            source: source.in_epoch(*epoch),
            days: Days {
                first: day_from(*first),
                last: end.and_then(day_before),
            },
        });
        pieces.collect()
    }

    /// Whether something of this epoch of a source is in use on a day.
    #[must_use]
    pub fn holds(&self, source: &Source, day: SubmissionDate) -> bool {
        self.at(source.as_str(), day) == source.epoch()
    }

    /// Whether what was counted of this epoch of a source is in use, by the stored number of its day: 0 is all days that were deleted, of
    /// what was in use then.
    pub(crate) fn is_counted(&self, source: &Source, day: Day) -> bool {
        day == 0 || self.pieces_of(source.as_str()).at(day) == source.epoch()
    }

    /// Whether an epoch is in use of any source on any day.
    #[must_use]
    pub fn names(&self, epoch: u32) -> bool {
        let mut all = [&self.others].into_iter().chain(self.by_source.values());
        all.any(|pieces| pieces.at(0) == epoch || pieces.0.values().any(|used| *used == epoch))
    }

    /// Has an epoch take the place of others on these days, of one source or of all.
    pub fn put(&mut self, source: Option<&str>, days: Days, epoch: u32) {
        self.number += 1;
        match source {
            Some(source) => {
                let others = &self.others;
                let pieces = self.by_source.entry(source.to_owned());
                pieces.or_insert_with(|| others.clone()).put(days, epoch);
            }
            None => {
                self.others.put(days, epoch);
                for pieces in self.by_source.values_mut() {
                    pieces.put(days, epoch);
                }
                let others = &self.others;
                self.by_source.retain(|_, pieces| pieces != others);
            }
        }
    }

    fn pieces_of(&self, source: &str) -> &Pieces {
        self.by_source.get(source).unwrap_or(&self.others)
    }
}

fn day_from(first: Day) -> Option<SubmissionDate> {
    SubmissionDate::from_yyyymmdd(first)
}

fn day_before(end: Day) -> Option<SubmissionDate> {
    Some(SubmissionDate::from_yyyymmdd(end)?.plus_days(-1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SOURCES: [&str; 3] = ["telemetry/main", "acme/usage", "acme/install"];

    fn day(number: i64) -> SubmissionDate {
        let first = SubmissionDate::from_yyyymmdd(20_261_220).expect("a day");
        first.plus_days(number)
    }

    fn some_days() -> impl Strategy<Value = Days> {
        let end = || prop::option::weighted(0.7, 0..25_i64);
        (end(), end()).prop_map(|(one, other)| {
            let (first, last) = match (one, other) {
                (Some(one), Some(other)) => (Some(one.min(other)), Some(one.max(other))),
                ends => ends,
            };
            Days {
                first: first.map(day),
                last: last.map(day),
            }
        })
    }

    fn changes() -> impl Strategy<Value = Vec<(Option<usize>, Days)>> {
        prop::collection::vec((prop::option::of(0..SOURCES.len()), some_days()), 0..8)
    }

    /// What was put last on a day is in use: of one source, or of all.
    fn slowly(changes: &[(Option<usize>, Days)], source: usize, day: SubmissionDate) -> u32 {
        let found = (1..)
            .zip(changes)
            .filter(|(_, (of, days))| of.is_none_or(|of| of == source) && days.hold(day));
        found.last().map_or(0, |(epoch, _)| epoch)
    }

    fn made_of(changes: &[(Option<usize>, Days)]) -> Epochs {
        let mut epochs = Epochs::default();
        for (epoch, (source, days)) in (1..).zip(changes) {
            epochs.put(source.map(|at| SOURCES[at]), *days, epoch);
        }
        epochs
    }

    proptest! {
        #[test]
        fn on_each_day_the_epoch_that_was_put_there_last_is_in_use(changes in changes()) {
            let epochs = made_of(&changes);
            prop_assert_eq!(epochs.number, changes.len() as u64);
            let mut used = std::collections::BTreeSet::new();
            for (at, source) in SOURCES.into_iter().enumerate() {
                let pieces = epochs.pieces(&Source::named(source));
                for day in (-3..30).map(day) {
                    let epoch = slowly(&changes, at, day);
                    prop_assert_eq!(epochs.at(source, day), epoch);
                    let there: Vec<_> = pieces.iter().filter(|piece| piece.days.hold(day)).collect();
                    prop_assert_eq!(there.len(), 1, "{} on {}", source, day);
                    prop_assert_eq!(&there[0].source, &Source::named(source).in_epoch(epoch));
                    used.insert(epoch);
                }
            }
            for epoch in used {
                prop_assert!(epochs.names(epoch));
            }
        }

        #[test]
        fn what_is_stored_of_epochs_makes_them_again(changes in changes()) {
            let epochs = made_of(&changes);
            let again = Epochs::stored(epochs.number, epochs.rows());
            for source in SOURCES {
                let source = Source::named(source);
                prop_assert_eq!(again.pieces(&source), epochs.pieces(&source));
            }
            prop_assert_eq!(again.rows(), epochs.rows());
        }
    }
}
