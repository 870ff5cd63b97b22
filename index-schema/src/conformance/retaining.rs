//! Floors, tombstones and deletion: what who deletes asks of the index.

use ping::{Dimension, SubmissionDate, Timestamp};

use super::{Dice, Place};
use crate::{ChunkKey, ChunkKind, Floors, Forgotten, IndexEntry};

fn date(text: &str) -> Option<SubmissionDate> {
    Some(text.parse().expect("a date"))
}

fn day(entry: &IndexEntry) -> SubmissionDate {
    entry
        .partition
        .get(Dimension::SubmissionDate)
        .parse()
        .expect("a date")
}

fn records<'a>(entries: impl IntoIterator<Item = &'a IndexEntry>) -> u64 {
    entries.into_iter().map(|entry| entry.records).sum()
}

pub(super) async fn below_the_floor_nothing_is_added_and_each_refusal_counts_once(place: &impl Place) {
    let index = place.open().await;
    let floors = Floors {
        pings: date("20170130"),
        errors: date("20170131"),
        aggregates: date("20170201"),
    };
    assert_eq!(index.raise_floors(floors).await.expect("raised"), floors);
    let entries = Dice::new(1).entries(80);
    let inserted = index.insert(&entries).await.expect("inserted");
    let again = index.insert(&entries).await.expect("inserted");
    let (admitted, refused): (Vec<_>, Vec<_>) = entries
        .iter()
        .partition(|entry| Some(day(entry)) >= floors.of(entry.kind));
    assert!(!admitted.is_empty() && !refused.is_empty());
    assert_eq!(
        (inserted.added, inserted.refused),
        (admitted.len() as u64, refused.len() as u64)
    );
    assert_eq!((again.known, again.refused), (inserted.added, inserted.refused));
    let totals = index.totals().await.expect("totals");
    assert_eq!(
        (totals.chunks, totals.refused_chunks),
        (inserted.added, inserted.refused)
    );
    assert_eq!(totals.records_ever(), records(&entries));
    let folded = admitted
        .iter()
        .filter(|entry| Some(day(entry)) >= floors.aggregates);
    assert_eq!(totals.pending_chunks, folded.clone().count() as u64);
    assert_eq!(
        totals.unfolded_records,
        records(&entries) - records(folded.copied())
    );
    let keys: Vec<_> = entries.iter().map(|entry| entry.key.clone()).collect();
    assert!(
        index
            .contains(&keys)
            .await
            .expect("an answer")
            .iter()
            .all(|known| *known)
    );
    assert_eq!(
        index.make_pending(None).await.expect("made"),
        totals.pending_chunks
    );
    assert_eq!(index.totals().await.expect("totals"), totals);
}

pub(super) async fn floors_only_rise_and_outlive_the_process(place: &impl Place) {
    let index = place.open().await;
    let pings = |text| Floors {
        pings: date(text),
        ..Floors::default()
    };
    index.raise_floors(pings("20170131")).await.expect("raised");
    let kept = index.raise_floors(pings("20170101")).await.expect("raised");
    assert_eq!(kept, pings("20170131"));
    drop(index);
    let again = place.open().await;
    assert_eq!(again.floors().await.expect("floors"), pings("20170131"));
}

pub(super) async fn what_expired_is_what_lies_below_and_sums_follow_its_removal(place: &impl Place) {
    let index = place.open().await;
    let entries = Dice::new(2).entries(90);
    index.insert(&entries).await.expect("inserted");
    let settled: Vec<_> = entries[..40].iter().map(|entry| entry.id).collect();
    index.settle(&settled).await.expect("settled");
    assert_eq!(index.expired(999).await.expect("expired"), []);
    let floors = Floors {
        pings: date("20170131"),
        ..Floors::default()
    };
    index.raise_floors(floors).await.expect("raised");
    let below = |entry: &&IndexEntry| entry.kind == ChunkKind::Pings && Some(day(entry)) < floors.pings;
    let expected: Vec<_> = entries.iter().filter(below).collect();
    let mut removed = 0;
    loop {
        let slice = index.expired(7).await.expect("expired");
        if slice.is_empty() {
            break;
        }
        removed += slice.len();
        let keys: Vec<_> = slice.into_iter().map(|expired| expired.key).collect();
        index.remove(&keys).await.expect("removed");
    }
    assert_eq!(removed, expected.len());
    // Keys that are not expired are left alone.
    let all: Vec<_> = entries.iter().map(|entry| entry.key.clone()).collect();
    index.remove(&all).await.expect("nothing to remove");
    let totals = index.totals().await.expect("totals");
    assert_eq!(totals.chunks, 90 - expected.len() as u64);
    assert_eq!(totals.removed_records, records(expected.iter().copied()));
    assert_eq!(totals.records_ever(), records(&entries));
    let unfolded = entries[40..].iter().filter(below);
    assert_eq!(totals.unfolded_records, records(unfolded.clone()));
    assert_eq!(totals.pending_chunks, 50 - unfolded.count() as u64);
    let by_day: u64 = index
        .days(ChunkKind::Pings)
        .await
        .expect("days")
        .iter()
        .map(|day| day.chunks)
        .sum();
    let kept = entries
        .iter()
        .filter(|entry| entry.kind == ChunkKind::Pings && !below(entry));
    assert_eq!(by_day, kept.count() as u64);
}

pub(super) async fn what_was_forgotten_is_not_indexed_again_until_the_floor_passes_it(place: &impl Place) {
    let index = place.open().await;
    let entries = Dice::new(3).entries(3);
    index.insert(&entries).await.expect("inserted");
    index.settle(&[entries[0].id]).await.expect("settled");
    let key = |at: usize| ChunkKey::parse(&entries[at].key).expect("a key");
    let now = Timestamp::from_micros(1);
    let forget = async |at| index.forget(&key(at), "unwanted", now).await.expect("forgotten");
    assert_eq!(forget(0).await, Forgotten::Folded);
    assert_eq!(forget(1).await, Forgotten::Indexed);
    assert_eq!(forget(1).await, Forgotten::Before);
    let totals = index.totals().await.expect("totals");
    assert!(totals.rebuild_wanted);
    assert_eq!(
        (totals.pending_chunks, totals.unfolded_records),
        (1, entries[1].records)
    );
    let expired = index.expired(9).await.expect("expired");
    let keys: Vec<_> = expired.iter().map(|expired| expired.key.clone()).collect();
    assert_eq!(keys.len(), 2);
    index.remove(&keys).await.expect("removed");
    assert_eq!(index.expired(9).await.expect("expired"), []);
    assert_eq!(index.insert(&entries[..2]).await.expect("inserted").refused, 2);
    assert_eq!(index.contains(&keys).await.expect("an answer"), [true, true]);
    index.set_generation(1).await.expect("set");
    let totals = index.totals().await.expect("totals");
    assert!(!totals.rebuild_wanted);
    assert_eq!(totals.unfolded_records, totals.removed_records);
    assert_eq!(index.tombstones().await.expect("tombstones")[0].why, "unwanted");
    let far = Floors {
        pings: date("20300101"),
        errors: date("20300101"),
        aggregates: None,
    };
    index.raise_floors(far).await.expect("raised");
    assert_eq!(index.tombstones().await.expect("tombstones"), []);
    assert_eq!(index.insert(&entries[..2]).await.expect("inserted").refused, 2);
}

pub(super) async fn what_is_gone_is_cleared_and_comes_back_with_its_object(place: &impl Place) {
    let index = place.open().await;
    let entries = Dice::new(4).entries(2);
    index.insert(&entries).await.expect("inserted");
    for _ in 0..3 {
        index.fail(entries[0].id, "gone").await.expect("noted");
    }
    assert!(
        index
            .note_unreadable("pings/v1/x.zst", "cut")
            .await
            .expect("noted")
    );
    assert!(
        !index
            .note_unreadable("pings/v1/x.zst", "cut")
            .await
            .expect("noted"),
        "no news"
    );
    assert_eq!(index.totals().await.expect("totals").set_aside, 2);
    let gone = [
        entries[0].key.clone(),
        "pings/v1/x.zst".to_owned(),
        entries[1].key.clone(),
    ];
    assert_eq!(index.clear_gone(&gone).await.expect("cleared"), 2);
    let totals = index.totals().await.expect("totals");
    assert_eq!(
        (totals.set_aside, totals.unfolded_records),
        (0, entries[0].records)
    );
    assert_eq!(index.contains(&gone[..1]).await.expect("an answer"), [false]);
    assert_eq!(index.insert(&entries[..1]).await.expect("inserted").added, 1);
    let totals = index.totals().await.expect("totals");
    assert_eq!((totals.pending_chunks, totals.unfolded_records), (2, 0));
    assert_eq!(totals.records_ever(), records(&entries));
}
