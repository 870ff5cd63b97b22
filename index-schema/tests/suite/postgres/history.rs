//! The same random history on SQLite and on PostgreSQL: every answer is the same.

use std::fmt::Debug;

use index_schema::conformance::{Dice, expired, swap};
use index_schema::{
    ChunkKey, ChunkKind, Floors, IndexEntry, IndexError, PartitionOrder, RetainIndex, SeenDays, SeenSources,
    SourceFloor, SourceFloors, SqliteIndex,
};
use ping::{ChunkId, Dimension, SubmissionDate, Timestamp};
use service::random::{Random as _, SystemRandom};

use super::test_database::TestDatabase;

/// Steps of one history.
const STEPS: u64 = 300;

/// Entries that histories are about: few enough that most things happen to most of them.
const ENTRIES: u64 = 40;

/// The seeds: some for ever, and one by chance, or the one of the variable `SEED`.
fn seeds() -> Vec<u64> {
    if let Ok(seed) = std::env::var("SEED") {
        return vec![seed.parse().expect("SEED is a number")];
    }
    let [one, two, three, four, ..] = SystemRandom.bits();
    let by_chance = u64::from(u32::from_be_bytes([one, two, three, four]));
    vec![1, 2, 3, 4, by_chance]
}

struct History {
    dice: Dice,
    entries: Vec<IndexEntry>,
}

impl History {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let entries = dice.entries(ENTRIES);
        Self { dice, entries }
    }

    fn any(&mut self) -> IndexEntry {
        let at = self.dice.below(ENTRIES) as usize;
        self.entries[at].clone()
    }

    /// Some entries, now and then one twice, or one under the id of another.
    fn some(&mut self) -> Vec<IndexEntry> {
        let count = self.dice.below(9);
        (0..count)
            .map(|_| {
                let id = self.any().id;
                let entry = self.any();
                match self.dice.below(12) {
                    0 => IndexEntry { id, ..entry },
                    _ => entry,
                }
            })
            .collect()
    }

    fn ids(&mut self) -> Vec<ChunkId> {
        self.some().into_iter().map(|entry| entry.id).collect()
    }

    fn keys(&mut self) -> Vec<String> {
        let mut keys: Vec<_> = self.some().into_iter().map(|entry| entry.key).collect();
        keys.push("pings/v1/no-key".to_owned());
        keys
    }

    fn day(&mut self) -> Option<SubmissionDate> {
        let first: SubmissionDate = "20170127".parse().expect("a date");
        let days = i64::try_from(self.dice.below(5)).expect("few");
        (self.dice.below(3) == 0).then(|| first.plus_days(days))
    }

    /// Asks both the same thing; answers what it was, and what each said.
    async fn step(&mut self, one: &dyn RetainIndex, other: &dyn RetainIndex) -> (String, String, String) {
        /// Asks both and writes down what they say.
        macro_rules! ask {
            ($what:expr, $index:ident => $answer:expr) => {{
                let what = $what;
                let $index = one;
                let first = said($answer.await);
                let $index = other;
                (what, first, said($answer.await))
            }};
        }
        match self.dice.below(24) {
            0..=5 => {
                let entries = self.some();
                let named: Vec<_> = entries.iter().map(|entry| (entry.id.plan, &entry.key)).collect();
                ask!(format!("insert {named:?}"), index => index.insert(&entries))
            }
            6 | 7 => {
                let ids = self.ids();
                ask!(format!("settle {ids:?}"), index => index.settle(&ids))
            }
            8..=10 => {
                let id = self.any().id;
                ask!(format!("fail {id}"), index => index.fail(id, "a reason"))
            }
            11 => {
                let ids = (self.dice.below(4) != 0).then(|| self.ids());
                ask!(format!("make pending {ids:?}"), index => index.make_pending(ids.as_deref()))
            }
            12 => {
                let key = self.keys().swap_remove(0);
                let reason = ["cut", "damaged"][self.dice.below(2) as usize];
                ask!(format!("unreadable {key}"), index => index.note_unreadable(&key, reason))
            }
            13 | 14 => {
                let keys = self.keys();
                ask!(format!("gone {keys:?}"), index => index.clear_gone(&keys))
            }
            15 => {
                let keys = self.keys();
                ask!(format!("contains {keys:?}"), index => index.contains(&keys))
            }
            16 | 17 => {
                let (selection, page) = (self.dice.selection(), self.dice.below(9) as usize);
                let after = (self.dice.below(2) == 0).then(|| self.any().key);
                ask!(format!("{selection:?}"), index => index.select(&selection, after.as_deref(), page))
            }
            18 if self.dice.below(2) == 0 => {
                let entry = self.any();
                let [namespace, document_type] = [Dimension::SourceName, Dimension::DocType]
                    .map(|dimension| entry.partition.get(dimension).to_owned());
                let source = format!("{namespace}/{document_type}");
                let floor = SourceFloor {
                    chunks: self.day(),
                    aggregates: self.day(),
                };
                let to: SourceFloors = [(source.clone(), floor)].into_iter().collect();
                let seen = (self.dice.below(3) == 0)
                    .then(|| SeenSources::from([(source, self.day().into_iter().collect())]));
                ask!(format!("raise {to:?} over {seen:?}"), index => index.raise_source_floors(&to, seen.as_ref()))
            }
            18 => {
                let floors = Floors {
                    pings: self.day(),
                    errors: self.day(),
                    aggregates: self.day(),
                };
                let seen = (self.dice.below(3) == 0).then(|| SeenDays {
                    pings: self.day().into_iter().collect(),
                    errors: self.day().into_iter().collect(),
                });
                ask!(format!("raise {floors:?} over {seen:?}"), index => index.raise_floors(floors, seen.as_ref()))
            }
            19 | 20 => {
                let keys = self.keys();
                ask!(format!("remove {keys:?}"), index => index.remove(&keys))
            }
            21 => {
                let key = ChunkKey::parse(&self.any().key).expect("a key");
                ask!(format!("forget {key}"), index => index.forget(&key, "unwanted", Timestamp::from_micros(1)))
            }
            22 => {
                let (generation, removed) = (self.dice.below(9), self.dice.below(2) == 0);
                ask!(format!("generation {generation}"), index => swap(index, generation, removed))
            }
            _ => {
                let limit = self.dice.below(30) as usize;
                let order =
                    [PartitionOrder::Records, PartitionOrder::StoredBytes][self.dice.below(2) as usize];
                ask!(format!("partitions {limit}"), index => index.partitions(order, limit / 3, limit))
            }
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "an answer is asked for to be said")]
fn said<T: Debug>(answer: Result<T, IndexError>) -> String {
    format!("{answer:?}")
}

/// All that can be asked, in words.
async fn everything(index: &dyn RetainIndex, history: &History) -> Vec<String> {
    let mut aside = index.set_aside().await.expect("answered");
    aside.sort_by(|one, next| (&one.key, &one.reason).cmp(&(&next.key, &next.reason)));
    let mut expired = expired(index, 999).await;
    expired.sort_by(|one, next| one.key.cmp(&next.key));
    let mut words = vec![
        said(index.totals().await),
        said(index.pending(999).await),
        format!("{aside:?}"),
        format!("{expired:?}"),
        said(index.products(999).await),
        said(index.all_floors().await),
        said(index.generation().await),
        said(index.tombstones().await),
        said(index.days(ChunkKind::Pings).await),
        said(index.days(ChunkKind::Errors).await),
    ];
    for entry in &history.entries {
        words.push(said(index.entry(entry.id).await));
    }
    words
}

#[tokio::test]
async fn the_same_history_has_the_same_answers_as_in_sqlite() {
    for seed in seeds() {
        let Some(place) = TestDatabase::new() else { return };
        let folder = tempfile::tempdir().expect("a folder");
        let sqlite = SqliteIndex::open(&folder.path().join("index.sqlite")).expect("opened");
        let postgres = place.index().await;
        let mut history = History::new(seed);
        for step in 0..STEPS {
            let (what, one, other) = history.step(&*sqlite, &*postgres).await;
            assert_eq!(one, other, "SEED={seed}, step {step}: {what}");
            if step % 10 == 9 {
                let (one, other) =
                    tokio::join!(everything(&*sqlite, &history), everything(&*postgres, &history));
                assert_eq!(one, other, "SEED={seed}, after step {step}: {what}");
            }
        }
        place.assert_whole();
    }
}
