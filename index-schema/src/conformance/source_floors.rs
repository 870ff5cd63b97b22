//! Floors of sources beside those of all: any history of them is held against a slow model.

use std::collections::{BTreeMap, BTreeSet};

use ping::{Dimension, OTHER, SubmissionDate};

use super::retaining::expired;
use super::{Database, Dice, swap};
use crate::{
    AllFloors, ChunkKey, ChunkKind, Floors, IndexEntry, RaisedSources, RetainIndex, SOURCE_FLOORS_MAX,
    SeenSources, SourceFloor, SourceFloors, Swap,
};

const NAMESPACES: [&str; 3] = ["acme", "a cm\u{e9}%", OTHER];
const TYPES: [&str; 3] = ["usage", "install", OTHER];

/// The sources that get floors.
fn sources() -> Vec<String> {
    vec!["acme/usage".to_owned(), "a cm\u{e9}%/install".to_owned()]
}

fn entries(dice: &mut Dice, count: u64) -> Vec<IndexEntry> {
    let of_source = |mut entry: IndexEntry, dice: &mut Dice| {
        let mut key = ChunkKey::parse(&entry.key).expect("a key");
        let pick = |dice: &mut Dice, from: [&'static str; 3]| from[dice.below(3) as usize];
        key.partition.set(Dimension::SourceName, pick(dice, NAMESPACES));
        key.partition.set(Dimension::DocType, pick(dice, TYPES));
        (entry.partition, entry.key) = (key.partition.clone(), key.to_string());
        entry
    };
    let entries = dice.entries(count);
    entries.into_iter().map(|entry| of_source(entry, dice)).collect()
}

fn source_of(entry: &IndexEntry) -> String {
    let [namespace, document_type] =
        [Dimension::SourceName, Dimension::DocType].map(|dimension| entry.partition.get(dimension));
    format!("{namespace}/{document_type}")
}

fn day(number: u64) -> SubmissionDate {
    let first: SubmissionDate = "20170128".parse().expect("a day");
    first.plus_days(i64::try_from(number).expect("a small number"))
}

fn day_of(entry: &IndexEntry) -> SubmissionDate {
    let day = entry.partition.get(Dimension::SubmissionDate).parse();
    day.expect("a day")
}

/// What an index must have, without any thought of how.
#[derive(Default)]
struct Model {
    floors: AllFloors,
    /// Entries, and whether they wait.
    there: BTreeMap<String, (IndexEntry, bool)>,
    removed: BTreeMap<String, u64>,
    refused: BTreeMap<String, IndexEntry>,
    unfolded: u64,
}

impl Model {
    fn is_below(&self, entry: &IndexEntry, of_aggregates: bool) -> bool {
        let own = self.floors.sources.get(&source_of(entry));
        let of_kind = match entry.kind {
            ChunkKind::Pings => self.floors.all.pings,
            ChunkKind::Errors => self.floors.all.errors,
        };
        let mut floors = vec![of_kind, own.chunks];
        if of_aggregates {
            floors.extend([self.floors.all.aggregates, own.aggregates]);
        }
        floors.into_iter().flatten().any(|floor| day_of(entry) < floor)
    }

    fn insert(&mut self, entry: &IndexEntry) {
        let key = entry.key.clone();
        if self.is_below(entry, false) {
            let is_known = self.there.contains_key(&key)
                || self.removed.contains_key(&key)
                || self.refused.contains_key(&key);
            if !is_known {
                self.unfolded += entry.records;
                self.refused.insert(key, entry.clone());
            }
        } else if !self.there.contains_key(&key) {
            let folds = !self.is_below(entry, true);
            if !folds {
                self.unfolded += entry.records;
            }
            self.there.insert(key, (entry.clone(), folds));
        }
    }

    fn raised(&mut self) {
        let below: Vec<String> = self
            .there
            .values()
            .filter(|(entry, waits)| *waits && self.is_below(entry, true))
            .map(|(entry, _)| entry.key.clone())
            .collect();
        for key in below {
            let (entry, waits) = self.there.get_mut(&key).expect("it is there");
            *waits = false;
            self.unfolded += entry.records;
        }
    }

    fn expired(&self) -> BTreeSet<String> {
        let there = self.there.values();
        there
            .filter(|(entry, _)| self.is_below(entry, false))
            .map(|(entry, _)| entry.key.clone())
            .collect()
    }

    fn remove_expired(&mut self) {
        for key in self.expired() {
            let (entry, waits) = self.there.remove(&key).expect("it is there");
            assert!(!waits, "what is below waits for nothing");
            self.removed.insert(key, entry.records);
        }
    }

    async fn compare(&self, index: &dyn RetainIndex, said: &str) {
        assert_eq!(index.all_floors().await.expect("floors"), self.floors, "{said}");
        assert_eq!(index.floors().await.expect("floors"), self.floors.all, "{said}");
        let walked = expired(index, 3)
            .await
            .into_iter()
            .map(|one| one.key)
            .collect::<Vec<_>>();
        let once: BTreeSet<String> = walked.iter().cloned().collect();
        assert_eq!((once.len(), once), (walked.len(), self.expired()), "{said}");
        let totals = index.totals().await.expect("totals");
        let there = self.there.values();
        assert_eq!(
            (totals.chunks, totals.records, totals.pending_chunks),
            (
                self.there.len() as u64,
                there.clone().map(|(entry, _)| entry.records).sum(),
                there.filter(|(_, waits)| *waits).count() as u64
            ),
            "{said}"
        );
        assert_eq!(
            (totals.removed_chunks, totals.removed_records),
            (self.removed.len() as u64, self.removed.values().sum()),
            "{said}"
        );
        assert_eq!(
            (
                totals.refused_chunks,
                totals.refused_records,
                totals.unfolded_records
            ),
            (
                self.refused.len() as u64,
                self.refused.values().map(|entry| entry.records).sum(),
                self.unfolded
            ),
            "{said}"
        );
        let days = index.days_of_sources(&sources()).await.expect("days");
        for source in sources() {
            let mut expected: BTreeMap<SubmissionDate, [u64; 3]> = BTreeMap::new();
            for (entry, _) in self
                .there
                .values()
                .filter(|(entry, _)| source_of(entry) == source)
            {
                let sums = expected.entry(day_of(entry)).or_default();
                for (sum, more) in sums.iter_mut().zip([1, entry.records, entry.stored_bytes]) {
                    *sum += more;
                }
            }
            let found = days[&source].iter();
            let found: Vec<_> = found
                .map(|day| (day.date, [day.chunks, day.records, day.stored_bytes]))
                .collect();
            assert_eq!(
                found,
                expected.into_iter().collect::<Vec<_>>(),
                "{said}: {source}"
            );
        }
    }
}

pub(super) async fn any_history_of_floors_of_sources_is_that_of_a_slow_model(place: &impl Database) {
    let index = place.open().await;
    let mut dice = Dice::new(31);
    let entries = entries(&mut dice, 150);
    let mut model = Model::default();
    for step in 0..30 {
        let said = format!("step {step}");
        match dice.below(5) {
            0 | 1 => {
                let some: Vec<IndexEntry> = (0..12)
                    .map(|_| entries[dice.below(150) as usize].clone())
                    .collect();
                index.insert(&some).await.expect("inserted");
                some.iter().for_each(|entry| model.insert(entry));
            }
            2 => {
                let floor = |dice: &mut Dice| (dice.below(3) == 0).then(|| day(dice.below(3)));
                let to = Floors {
                    pings: floor(&mut dice),
                    errors: floor(&mut dice),
                    aggregates: floor(&mut dice),
                };
                let _ = index.raise_floors(to, None).await.expect("raised");
                model.floors.all = model.floors.all.raised(&to);
                model.raised();
            }
            3 => {
                let floor = |dice: &mut Dice| (dice.below(2) == 0).then(|| day(dice.below(6)));
                let source = sources()[dice.below(2) as usize].clone();
                let to = SourceFloors::from_iter([(
                    source,
                    SourceFloor {
                        chunks: floor(&mut dice),
                        aggregates: floor(&mut dice),
                    },
                )]);
                let raised = index.raise_source_floors(&to, None).await.expect("raised");
                model.floors.sources = model.floors.sources.raised(&to);
                assert_eq!(raised, RaisedSources::To(model.floors.sources.clone()), "{said}");
                model.raised();
            }
            _ => {
                let keys: Vec<String> = expired(&*index, 999)
                    .await
                    .into_iter()
                    .map(|one| one.key)
                    .collect();
                index.remove(&keys).await.expect("removed");
                // What is not below is left alone.
                let all: Vec<String> = entries.iter().map(|entry| entry.key.clone()).collect();
                model.remove_expired();
                index.remove(&all).await.expect("nothing to remove");
            }
        }
        model.compare(&*index, &said).await;
    }
    let index = place.open().await;
    model.compare(&*index, "after reopening").await;
    // A rebuild counts anew what no aggregates have.
    assert!(swap(&*index, 1, false).await.expect("an answer"));
    let below = model
        .there
        .values()
        .filter(|(entry, _)| model.is_below(entry, true));
    let below: u64 = below.map(|(entry, _)| entry.records).sum();
    let refused: u64 = model.refused.values().map(|entry| entry.records).sum();
    model.unfolded = model.removed.values().sum::<u64>() + refused + below;
    model.compare(&*index, "after a swap").await;
    assert!(!model.refused.is_empty() && !model.removed.is_empty() && below > 0);
    // Who makes all pending again makes nothing pending that is below.
    let pending = index.make_pending(None).await.expect("pending");
    let there = model.there.values();
    let waiting: BTreeSet<String> = there
        .filter(|(entry, _)| !model.is_below(entry, true))
        .map(|(entry, _)| entry.key.clone())
        .collect();
    for (key, (_, waits)) in &mut model.there {
        *waits = waiting.contains(key);
    }
    assert_eq!(
        pending,
        model.there.values().filter(|(_, waits)| *waits).count() as u64
    );
    model.compare(&*index, "all pending").await;
    // The way back: what was refused and is above now can be added, and nothing else of what was refused.
    let to = day(1);
    let lowered = index.lower_floors(to).await.expect("lowered");
    model.floors = AllFloors {
        all: model.floors.all.lowered(to),
        sources: model.floors.sources.lowered(to),
    };
    let refused = std::mem::take(&mut model.refused);
    let (stay, admitted): (BTreeMap<_, _>, BTreeMap<_, _>) = refused
        .into_iter()
        .partition(|(_, entry)| model.is_below(entry, false));
    assert_eq!(lowered.admitted, admitted.len() as u64);
    assert!(!admitted.is_empty());
    model.unfolded -= admitted.values().map(|entry| entry.records).sum::<u64>();
    model.refused = stay;
    let totals = index.totals().await.expect("totals");
    assert_eq!(totals.refused_chunks, model.refused.len() as u64);
    assert_eq!(totals.unfolded_records, model.unfolded);
    let admitted: Vec<IndexEntry> = admitted.into_values().collect();
    let added = index.insert(&admitted).await.expect("inserted").added;
    assert_eq!(added, admitted.len() as u64);
}

pub(super) async fn a_floor_of_a_source_is_not_raised_over_a_day_that_was_not_seen(place: &impl Database) {
    let index = place.open().await;
    let entries = entries(&mut Dice::new(32), 90);
    index.insert(&entries).await.expect("inserted");
    let [one, other] = [0, 1].map(|at| sources()[at].clone());
    let floors = |source: &str, to| {
        let floor = SourceFloor {
            chunks: Some(to),
            aggregates: None,
        };
        SourceFloors::from_iter([(source.to_owned(), floor)])
    };
    let to = day(3);
    let there: BTreeSet<SubmissionDate> = entries
        .iter()
        .filter(|entry| source_of(entry) == one && day_of(entry) < to)
        .map(day_of)
        .collect();
    assert!(there.len() > 1);
    let all = SeenSources::from([(one.clone(), there.clone())]);
    for missing in &there {
        let mut seen = all.clone();
        seen.get_mut(&one).expect("it is there").remove(missing);
        let raised = index.raise_source_floors(&floors(&one, to), Some(&seen)).await;
        assert_eq!(
            raised.expect("an answer"),
            RaisedSources::Unseen(one.clone(), *missing)
        );
    }
    // Days of another source are none of this one.
    let seen = SeenSources::from([(other, there)]);
    let raised = index.raise_source_floors(&floors(&one, to), Some(&seen)).await;
    assert!(matches!(raised.expect("an answer"), RaisedSources::Unseen(..)));
    assert_eq!(index.all_floors().await.expect("floors"), AllFloors::default());
    assert_eq!(expired(&*index, 99).await, []);
    for _ in 0..2 {
        let raised = index.raise_source_floors(&floors(&one, to), Some(&all)).await;
        assert_eq!(raised.expect("an answer"), RaisedSources::To(floors(&one, to)));
    }
    // A rebuild that knew of other floors counts otherwise what it lacks.
    for (known, fits) in [
        (AllFloors::default(), false),
        (floors(&one, to.plus_days(1)).into(), false),
        (floors(&one, to).into(), true),
    ] {
        let put = index
            .set_generation(Swap::to(1, 0, known))
            .await
            .expect("an answer");
        assert_eq!(put, fits);
    }
    let many = (0..SOURCE_FLOORS_MAX).map(|number| {
        let floor = SourceFloor {
            chunks: Some(to),
            aggregates: None,
        };
        (format!("n{number}/t"), floor)
    });
    let raised = index.raise_source_floors(&many.collect(), None).await;
    assert_eq!(raised.expect("an answer"), RaisedSources::TooMany);
    assert_eq!(
        index.all_floors().await.expect("floors").sources,
        floors(&one, to)
    );
}
