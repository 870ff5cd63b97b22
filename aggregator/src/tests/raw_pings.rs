//! Raw pings behind a number: those that a walk over all records finds.

use std::sync::Arc;

use aggregate_store::{Dimension, Filter, Source};
use chunk::RecordRef;
use index_schema::{ChunkKind, Index};
use ping::{ClientId, RecordId, Submission, sample_id};
use store::Store;

use super::records::{Dice, Stored, by_chunk, throw};
use super::world::World;
use crate::fold::{FoldSettings, oracle};
use crate::{Looked, PingsWanted, RawPings, TakePing};

/// Takes record ids, at most so many.
struct Ids {
    found: Vec<RecordId>,
    limit: usize,
}

impl TakePing for Ids {
    fn take(&mut self, record: &RecordRef<'_>) -> bool {
        if self.found.len() == self.limit {
            return false;
        }
        self.found.push(record.id);
        true
    }
}

/// The value of a dimension of a stored main ping, read off its tree; of one that cannot be read its day alone.
fn value(record: &Stored, dimension: &str) -> String {
    let day = record.head.submission_date;
    if dimension == Dimension::SUBMISSION_DATE {
        return day.to_string();
    }
    let Ok(ping) = oracle::read(&record.body, day) else {
        return "UNKNOWN".to_owned();
    };
    let (set, ..) = ping.totals.cells.into_keys().next().expect("a ping has a cell");
    set.any_value(dimension)
}

fn is_main(record: &Stored) -> bool {
    let uri = String::from_utf8_lossy(&record.head.uri).into_owned();
    Submission::parse(&uri)
        .expect("a submission")
        .document_type
        .as_deref()
        == Some("main")
}

fn is_readable(record: &Stored) -> bool {
    oracle::read(&record.body, record.head.submission_date).is_ok()
}

fn sample_of(record: &Stored) -> Option<u8> {
    let client = oracle::read(&record.body, record.head.submission_date)
        .ok()?
        .client_id?;
    Some(sample_id(&ClientId::parse(&client).expect("an id")))
}

fn wanted(filters: &[(&str, &str)], sample_id: Option<u8>) -> PingsWanted {
    PingsWanted {
        source: Source::telemetry_main(),
        filters: filters
            .iter()
            .map(|(name, value)| Filter::is(name, value))
            .collect(),
        sample_id,
    }
}

async fn world(stored: &[Stored], seed: u64) -> (World, RawPings) {
    let world = World::new();
    for (plan, records) in by_chunk(&mut Dice(seed), stored).iter().enumerate() {
        let kind = ("telemetry", "main");
        world
            .add_chunk_of(plan as u64, ChunkKind::Pings, records, kind)
            .await;
    }
    let store: Arc<dyn Store> = Arc::new(world.store.clone());
    let index: Arc<dyn Index> = Arc::clone(&world.index) as _;
    let pings = RawPings::new(store, index, FoldSettings::default());
    (world, pings)
}

async fn found(pings: &RawPings, wanted: PingsWanted, limit: usize) -> (Vec<RecordId>, Looked) {
    let ids = Ids {
        found: Vec::new(),
        limit,
    };
    let (ids, looked) = pings.walk(wanted, ids).await.expect("a walk");
    (ids.found, looked)
}

#[tokio::test]
async fn the_pings_of_a_source_under_filters_are_those_that_a_walk_over_all_finds() {
    let mut some = 0;
    for seed in 0..6 {
        let stored = throw(&mut Dice(seed), 80);
        let (_world, pings) = world(&stored, seed).await;
        let day = stored[0].head.submission_date.to_string();
        let sample = stored.iter().find_map(sample_of);
        for (filters, sample) in [
            (&[][..], None),
            (&[("version", "54")], None),
            (&[("version", "UNKNOWN")], None),
            (&[("channel", "nightly"), ("submission_date", day.as_str())], None),
            (&[("version", "55")], sample),
            (&[("os", "none")], None),
        ] {
            let holds = |record: &&Stored| {
                let is_day = |(name, _): &(&str, &str)| *name == Dimension::SUBMISSION_DATE;
                is_main(record)
                    && (is_readable(record) || filters.iter().all(is_day))
                    && filters
                        .iter()
                        .all(|(name, wanted)| value(record, name) == *wanted)
                    && sample.is_none_or(|sample| sample_of(record) == Some(sample))
            };
            let mut expected: Vec<RecordId> =
                stored.iter().filter(holds).map(|record| record.head.id).collect();
            expected.sort();
            let (mut all, looked) = found(&pings, wanted(filters, sample), usize::MAX).await;
            some += all.len();
            all.sort();
            assert_eq!(all, expected, "seed {seed}: {filters:?}");
            assert_eq!(looked, Looked::default());
            let few = expected.len() / 2;
            let (first, looked) = found(&pings, wanted(filters, sample), few).await;
            assert_eq!(first.len(), few);
            assert_eq!(looked.is_cut, few < expected.len(), "seed {seed}: {filters:?}");
        }
    }
    assert!(some > 300, "{some}");
}

#[tokio::test]
async fn a_chunk_that_cannot_be_read_is_told_and_hides_no_other() {
    let stored = throw(&mut Dice(3), 60);
    let (world, pings) = world(&stored, 3).await;
    let all = found(&pings, wanted(&[], None), usize::MAX).await.0;
    let (key, lost) = {
        let mut chunks = by_chunk(&mut Dice(3), &stored);
        let lost = chunks.remove(0);
        let day = lost[0].head.submission_date;
        let entries = world
            .index
            .select(&Default::default(), None, 1_000)
            .await
            .expect("entries");
        let entry = entries
            .iter()
            .find(|entry| entry.id.plan == 0)
            .expect("the first chunk");
        assert_eq!(
            entry.partition.get(ping::Dimension::SubmissionDate),
            day.to_string()
        );
        (entry.key.clone(), lost)
    };
    world.store.delete(&key).await.expect("deleted");
    let (left, looked) = found(&pings, wanted(&[], None), usize::MAX).await;
    assert_eq!(looked.unread, 1);
    let of_lost = lost.iter().filter(|record| is_main(record)).count();
    assert_eq!(left.len(), all.len() - of_lost);
}
