//! Floor dates of sources, beside those of all. What lives here: the words. What does not: how they are stored and raised.

use std::collections::{BTreeMap, BTreeSet};

use ping::{Dimension, Partition, SubmissionDate};

use crate::{Floors, IndexEntry};

/// So many sources have floors of their own at most: each insert reads them.
pub const SOURCE_FLOORS_MAX: usize = 1_000;

/// Before these days nothing of one source is indexed or folded any more. `None` lies below every day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceFloor {
    /// Of its chunks, of pings and of errored pings alike.
    pub chunks: Option<SubmissionDate>,
    /// Of its aggregates: chunks below it may be kept, and are not folded.
    pub aggregates: Option<SubmissionDate>,
}

/// The floors of sources that have some of their own, by `<namespace>/<document type>`, as partitions have both. What lies in a
/// partition that does not say its source has those of all only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFloors(BTreeMap<String, SourceFloor>);

/// The floors of all, and those of sources beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllFloors {
    /// Of all.
    pub all: Floors,
    /// Of sources.
    pub sources: SourceFloors,
}

/// The days of which a source had chunks when somebody decided how far to raise its floor; by source.
pub type SeenSources = BTreeMap<String, BTreeSet<SubmissionDate>>;

/// What raising floors of sources did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RaisedSources {
    /// The floors are these now.
    To(SourceFloors),
    /// Nothing: the source has chunks that would go, of a day that was not seen when this was decided.
    Unseen(String, SubmissionDate),
    /// Nothing: there would be more than [`SOURCE_FLOORS_MAX`].
    TooMany,
}

impl SourceFloor {
    /// Each floor where it is higher.
    #[must_use]
    pub fn raised(&self, to: &Self) -> Self {
        Self {
            chunks: self.chunks.max(to.chunks),
            aggregates: self.aggregates.max(to.aggregates),
        }
    }

    /// Each floor where it is lower than this day; where there is none, none.
    #[must_use]
    pub fn lowered(&self, to: SubmissionDate) -> Self {
        Self {
            chunks: self.chunks.map(|floor| floor.min(to)),
            aggregates: self.aggregates.map(|floor| floor.min(to)),
        }
    }
}

impl SourceFloors {
    /// The floors of a source: none, where it has none of its own.
    #[must_use]
    pub fn get(&self, source: &str) -> SourceFloor {
        self.0.get(source).copied().unwrap_or_default()
    }

    /// Each source with its floors, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SourceFloor)> {
        self.0.iter().map(|(source, floor)| (source.as_str(), floor))
    }

    /// How many sources have floors of their own.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each floor where it is higher.
    #[must_use]
    pub fn raised(&self, to: &Self) -> Self {
        let mut raised = self.clone();
        for (source, floor) in to.iter() {
            let before = raised.0.entry(source.to_owned()).or_default();
            *before = before.raised(floor);
        }
        raised.0.retain(|_, floor| *floor != SourceFloor::default());
        raised
    }

    /// Each floor where it is lower than this day.
    #[must_use]
    pub fn lowered(&self, to: SubmissionDate) -> Self {
        let floors = self.0.iter();
        Self(
            floors
                .map(|(source, floor)| (source.clone(), floor.lowered(to)))
                .collect(),
        )
    }
}

impl FromIterator<(String, SourceFloor)> for SourceFloors {
    fn from_iter<I: IntoIterator<Item = (String, SourceFloor)>>(floors: I) -> Self {
        Self(floors.into_iter().collect())
    }
}

impl From<Floors> for AllFloors {
    /// Without any of sources.
    fn from(all: Floors) -> Self {
        Self {
            all,
            sources: SourceFloors::default(),
        }
    }
}

impl From<SourceFloors> for AllFloors {
    /// Without any of all.
    fn from(sources: SourceFloors) -> Self {
        Self {
            all: Floors::default(),
            sources,
        }
    }
}

impl AllFloors {
    /// The floors of chunks of this partition.
    #[must_use]
    pub fn of(&self, partition: &Partition) -> Floors {
        if self.sources.is_empty() {
            return self.all;
        }
        let [namespace, document_type] =
            [Dimension::SourceName, Dimension::DocType].map(|dimension| partition.get(dimension));
        self.of_source(&format!("{namespace}/{document_type}"))
    }

    /// The floors of what is of this source.
    #[must_use]
    pub fn of_source(&self, source: &str) -> Floors {
        let own = self.sources.get(source);
        self.all.raised(&Floors {
            pings: own.chunks,
            errors: own.chunks,
            aggregates: own.aggregates,
        })
    }

    /// Whether a chunk may be folded.
    #[must_use]
    pub fn fold(&self, entry: &IndexEntry) -> bool {
        self.of(&entry.partition)
            .fold(entry.kind, entry.submission_date())
    }
}

/// What the keys of a source's chunks have among their dimensions: its namespace, and its document type.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn key_parts(source: &str) -> [String; 2] {
    let (namespace, document_type) = source.split_once('/').unwrap_or((source, ""));
    [
        crate::key::part(Dimension::SourceName, namespace),
        crate::key::part(Dimension::DocType, document_type),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ChunkKind;

    fn day(number: i64) -> SubmissionDate {
        let first: SubmissionDate = "20170101".parse().expect("a day");
        first.plus_days(number)
    }

    fn partition(namespace: &str, document_type: &str) -> Partition {
        let mut partition = Partition::new(Default::default());
        partition.set(Dimension::SourceName, namespace);
        partition.set(Dimension::DocType, document_type);
        partition
    }

    #[test]
    fn a_source_has_the_higher_of_its_own_floor_and_that_of_all() {
        for (all, own) in (0..4).flat_map(|all| (0..4).map(move |own| (all, own))) {
            let floor = |number: i64| (number > 0).then(|| day(number));
            let floors = AllFloors {
                all: Floors {
                    pings: floor(all),
                    errors: floor(all),
                    aggregates: floor(all),
                },
                sources: SourceFloors::from_iter([(
                    "acme/usage".to_owned(),
                    SourceFloor {
                        chunks: floor(own),
                        aggregates: floor(own),
                    },
                )]),
            };
            for at in (0..5).map(day) {
                let above = |number: i64| floor(number).is_none_or(|floor| at >= floor);
                for kind in [ChunkKind::Pings, ChunkKind::Errors] {
                    let of = |namespace, document_type| floors.of(&partition(namespace, document_type));
                    let admits = above(all) && above(own);
                    assert_eq!(of("acme", "usage").admit(kind, at), admits, "{all} {own} {at}");
                    assert_eq!(of("acme", "usage").fold(kind, at), admits, "{all} {own} {at}");
                    for (namespace, document_type) in
                        [("acme", "install"), ("acmes", "usage"), ("OTHER", "OTHER")]
                    {
                        assert_eq!(
                            of(namespace, document_type).admit(kind, at),
                            above(all),
                            "{all} {at}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn floors_of_sources_only_rise_until_somebody_lowers_them() {
        let floors = |chunks: Option<i64>, aggregates: Option<i64>| {
            SourceFloors::from_iter([(
                "acme/usage".to_owned(),
                SourceFloor {
                    chunks: chunks.map(day),
                    aggregates: aggregates.map(day),
                },
            )])
        };
        let raised = floors(Some(5), None).raised(&floors(Some(3), Some(1)));
        assert_eq!(raised, floors(Some(5), Some(1)));
        assert_eq!(raised.lowered(day(2)), floors(Some(2), Some(1)));
        assert_eq!(
            SourceFloors::default().raised(&floors(None, None)),
            SourceFloors::default()
        );
    }
}
