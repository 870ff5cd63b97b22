//! Floors, tombstones and deletion: what who deletes asks of the index.

use std::collections::BTreeSet;

use ping::{Dimension, OTHER, SubmissionDate, Timestamp};

use super::{Database, Dice};
use crate::door::PRODUCTS_MAX;
use crate::{
    ChunkKey, ChunkKind, Expired, ExpiredPlace, Floors, Forgotten, IndexEntry, IndexTotals, ProductList,
    Raised, RetainIndex, SeenDays, Swap,
};

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

/// All that expired, walked in slices of so many.
///
/// # Panics
/// When the index does not answer.
pub async fn expired(index: &dyn RetainIndex, limit: usize) -> Vec<Expired> {
    let (mut all, mut at) = (Vec::new(), ExpiredPlace::default());
    loop {
        let slice = index.expired(&at, limit).await.expect("expired");
        assert!(slice.objects.len() <= limit);
        all.extend(slice.objects);
        let Some(next) = slice.next else { return all };
        at = next;
    }
}

/// Removes all that expired, and answers its keys.
async fn remove_expired(index: &dyn RetainIndex) -> Vec<String> {
    let expired = expired(index, 999).await;
    let keys: Vec<_> = expired.into_iter().map(|one| one.key).collect();
    index.remove(&keys).await.expect("removed");
    keys
}

pub(super) async fn below_the_floor_nothing_is_added_and_each_refusal_counts_once(place: &impl Database) {
    let index = place.open().await;
    let floors = Floors {
        pings: date("20170130"),
        errors: date("20170131"),
        aggregates: date("20170201"),
    };
    let raised = index.raise_floors(floors, None).await.expect("raised");
    assert_eq!(raised, Raised::To(floors));
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

pub(super) async fn floors_only_rise_and_outlive_the_process(place: &impl Database) {
    let index = place.open().await;
    let pings = |text| Floors {
        pings: date(text),
        ..Floors::default()
    };
    index.raise_floors(pings("20170131"), None).await.expect("raised");
    let kept = index.raise_floors(pings("20170101"), None).await.expect("raised");
    assert_eq!(kept, Raised::To(pings("20170131")));
    drop(index);
    let again = place.open().await;
    assert_eq!(again.floors().await.expect("floors"), pings("20170131"));
}

/// Whoever raises floors has looked at the days before; meanwhile a chunk of a clock that was far behind may come.
pub(super) async fn floors_are_not_raised_over_chunks_of_a_day_that_was_not_seen(place: &impl Database) {
    let index = place.open().await;
    for kind in [ChunkKind::Pings, ChunkKind::Errors] {
        let mut entries = Dice::new(9).entries(60);
        entries.retain(|entry| entry.kind == kind);
        let days: BTreeSet<_> = entries.iter().map(day).collect();
        let (oldest, newest) = (*days.first().expect("a day"), *days.last().expect("a day"));
        let (late, early): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| day(entry) == oldest);
        index.insert(&early).await.expect("inserted");
        let stored = index.days(kind).await.expect("days").into_iter();
        // A day that stays matters nothing.
        let seen: BTreeSet<_> = stored.map(|day| day.date).filter(|day| *day < newest).collect();
        index.insert(&late).await.expect("inserted");

        let before = index.floors().await.expect("floors");
        let floors = match kind {
            ChunkKind::Pings => Floors {
                pings: Some(newest),
                ..before
            },
            ChunkKind::Errors => Floors {
                errors: Some(newest),
                ..before
            },
        };
        let raise = async |seen: &BTreeSet<SubmissionDate>| {
            let seen = match kind {
                ChunkKind::Pings => SeenDays {
                    pings: seen.clone(),
                    ..SeenDays::default()
                },
                ChunkKind::Errors => SeenDays {
                    errors: seen.clone(),
                    ..SeenDays::default()
                },
            };
            index.raise_floors(floors, Some(&seen)).await.expect("an answer")
        };
        let expired_before = expired(&*index, 999).await;
        assert_eq!(raise(&seen).await, Raised::Unseen(kind, oldest));
        assert_eq!(index.floors().await.expect("floors"), before);
        assert_eq!(expired(&*index, 999).await, expired_before);
        assert_eq!(raise(&days).await, Raised::To(floors));
        // What lies below already is no reason, seen or not.
        assert_eq!(raise(&BTreeSet::new()).await, Raised::To(floors));
    }
}

pub(super) async fn what_expired_is_what_lies_below_and_sums_follow_its_removal(place: &impl Database) {
    let index = place.open().await;
    let entries = Dice::new(2).entries(90);
    index.insert(&entries).await.expect("inserted");
    let settled: Vec<_> = entries[..40].iter().map(|entry| entry.id).collect();
    index.settle(&settled).await.expect("settled");
    assert_eq!(expired(&*index, 999).await, []);
    let floors = Floors {
        pings: date("20170131"),
        ..Floors::default()
    };
    index.raise_floors(floors, None).await.expect("raised");
    let below = |entry: &&IndexEntry| entry.kind == ChunkKind::Pings && Some(day(entry)) < floors.pings;
    let expected: Vec<_> = entries.iter().filter(below).collect();
    // A walk that removes nothing comes by everything once, however small its slices are.
    let keys_of = |expired: Vec<Expired>| expired.into_iter().map(|one| one.key).collect::<Vec<_>>();
    for limit in [1, 7, expected.len(), 999] {
        let walked = keys_of(expired(&*index, limit).await);
        let once: BTreeSet<_> = walked.iter().collect();
        assert_eq!((walked.len(), once.len()), (expected.len(), expected.len()));
        assert!(expected.iter().all(|entry| once.contains(&entry.key)));
    }
    // One that removes every other object comes by all of them, too.
    let (mut at, mut came_by, mut stay) = (Some(ExpiredPlace::default()), 0, Vec::new());
    while let Some(place) = at {
        let slice = index.expired(&place, 7).await.expect("expired");
        came_by += slice.objects.len();
        let (gone, stays): (Vec<_>, Vec<_>) = slice.objects.into_iter().partition(|one| one.records % 2 == 0);
        index.remove(&keys_of(gone)).await.expect("removed");
        stay.extend(stays);
        at = slice.next;
    }
    assert_eq!(came_by, expected.len());
    index.remove(&keys_of(stay)).await.expect("removed");
    assert_eq!(expired(&*index, 7).await, []);
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

pub(super) async fn what_was_forgotten_is_not_indexed_again_until_the_floor_passes_it(place: &impl Database) {
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
    let keys: Vec<_> = expired(&*index, 9).await.into_iter().map(|one| one.key).collect();
    assert_eq!(keys.len(), 2);
    index.remove(&keys).await.expect("removed");
    assert_eq!(expired(&*index, 9).await, []);
    assert_eq!(index.insert(&entries[..2]).await.expect("inserted").refused, 2);
    assert_eq!(index.contains(&keys).await.expect("an answer"), [true, true]);
    let removed = totals_of(&*index).await.removed_records;
    let swap = Swap::to(1, removed, Floors::default());
    for outdated in [
        Swap {
            removed_records: removed - 1,
            ..swap.clone()
        },
        Swap {
            floors: Floors {
                pings: date("20000101"),
                ..Floors::default()
            }
            .into(),
            ..swap.clone()
        },
    ] {
        let before = totals_of(&*index).await;
        assert!(
            !index.set_generation(outdated.clone()).await.expect("an answer"),
            "{outdated:?}"
        );
        assert_eq!(
            (
                totals_of(&*index).await,
                index.generation().await.expect("an answer")
            ),
            (before, 0)
        );
    }
    // The new aggregates hold what went while they were made: one chunk of two.
    let holding = Swap {
        gone_records: entries[0].records,
        ..swap.clone()
    };
    assert!(index.set_generation(holding).await.expect("set"));
    let totals = totals_of(&*index).await;
    assert!(totals.rebuild_wanted, "what was forgotten may be in them");
    assert_eq!(totals.unfolded_records, removed - entries[0].records);
    assert!(index.set_generation(swap).await.expect("set"));
    let totals = totals_of(&*index).await;
    assert!(!totals.rebuild_wanted);
    assert_eq!(totals.unfolded_records, totals.removed_records);
    assert_eq!(index.tombstones().await.expect("tombstones")[0].why, "unwanted");
    let far = Floors {
        pings: date("20300101"),
        errors: date("20300101"),
        aggregates: None,
    };
    index.raise_floors(far, None).await.expect("raised");
    assert_eq!(index.tombstones().await.expect("tombstones"), []);
    assert_eq!(index.insert(&entries[..2]).await.expect("inserted").refused, 2);
}

/// As when an object that is to go cannot be deleted.
pub(super) async fn what_waits_below_its_floor_counts_as_unfolded_once_and_waits_no_more(
    place: &impl Database,
) {
    let index = place.open().await;
    let mut entries = Dice::new(9).entries(2);
    entries.retain(|entry| entry.kind == ChunkKind::Pings);
    let Some(entry) = entries.first() else { return };
    index.insert(&entries[..1]).await.expect("inserted");
    let above = entry.submission_date().plus_days(1);
    let mut floors = Floors {
        pings: Some(above),
        ..Floors::default()
    };
    for _ in 0..3 {
        index.raise_floors(floors, None).await.expect("raised");
        for chunks in [None, Some(&[entry.id][..])] {
            assert_eq!(index.make_pending(chunks).await.expect("an answer"), 0);
        }
        let totals = totals_of(&*index).await;
        assert_eq!(
            (totals.pending_chunks, totals.unfolded_records),
            (0, entry.records)
        );
        floors.pings = floors.pings.map(|floor| floor.plus_days(1));
    }
    let removed = totals_of(&*index).await.removed_records;
    let floors = index.floors().await.expect("floors");
    assert!(
        index
            .set_generation(Swap::to(1, removed, floors))
            .await
            .expect("set")
    );
    assert_eq!(totals_of(&*index).await.unfolded_records, entry.records);
}

pub(super) async fn what_is_gone_is_cleared_and_comes_back_with_its_object(place: &impl Database) {
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

pub(super) async fn floors_are_lowered_by_hand_and_what_was_refused_can_be_added(place: &impl Database) {
    let index = place.open().await;
    let entries = Dice::new(5).entries(80);
    let (before, late) = entries.split_at(20);
    index.insert(before).await.expect("inserted");
    let floors = Floors {
        pings: date("20170131"),
        errors: date("20300101"),
        aggregates: None,
    };
    index.raise_floors(floors, None).await.expect("raised");
    let refused = index.insert(late).await.expect("inserted").refused;
    assert!(refused > 0);
    // What was indexed before is deleted, as retention does, but for one object that cannot be.
    let mut keys: Vec<_> = expired(&*index, 9).await.into_iter().map(|one| one.key).collect();
    let stays = keys.pop().expect("something expired");
    index.remove(&keys).await.expect("removed");
    let to = date("20170130").expect("a day");
    let lowered = index.lower_floors(to).await.expect("lowered");
    let expected = Floors {
        pings: Some(to),
        errors: Some(to),
        aggregates: None,
    };
    assert_eq!(
        (lowered.floors, index.floors().await.expect("floors")),
        (expected, expected)
    );
    let admitted: Vec<_> = late
        .iter()
        .filter(|entry| !floors.admit(entry.kind, day(entry)) && expected.admit(entry.kind, day(entry)))
        .collect();
    assert!(!admitted.is_empty());
    assert_eq!(lowered.admitted, admitted.len() as u64);
    let stays = entries
        .iter()
        .find(|entry| entry.key == stays)
        .expect("one of them");
    assert_eq!(lowered.rebuild_wanted, expected.admit(stays.kind, day(stays)));
    assert_eq!(
        index.totals().await.expect("totals").rebuild_wanted,
        lowered.rebuild_wanted
    );
    let known: Vec<_> = late.iter().map(|entry| entry.key.clone()).collect();
    let known = index.contains(&known).await.expect("an answer");
    assert_eq!(known.iter().filter(|known| !**known).count(), admitted.len());
    assert_eq!(
        index.insert(late).await.expect("inserted").added,
        admitted.len() as u64
    );
    let totals = index.totals().await.expect("totals");
    assert_eq!(totals.refused_chunks, refused - admitted.len() as u64);
    assert_eq!(totals.records_ever(), records(&entries));
    // Lowering never raises, and twice is once.
    let again = index.lower_floors(to.plus_days(9)).await.expect("lowered");
    assert_eq!((again.floors, again.admitted), (expected, 0));
}

/// As when an object was read to be indexed, then went as old, and then its entry reaches the index; or when a put that nobody waited
/// for any more made it again.
pub(super) async fn what_was_removed_and_comes_late_is_not_counted_a_second_time(place: &impl Database) {
    let index = place.open().await;
    let entries = Dice::new(8).entries(60);
    let (indexed, never) = entries.split_at(40);
    index.insert(indexed).await.expect("inserted");
    let raise = async |day| {
        let floors = Floors {
            pings: date(day),
            errors: date(day),
            aggregates: None,
        };
        index.raise_floors(floors, None).await.expect("raised");
        floors
    };
    let floors = raise("20170131").await;
    let keys = remove_expired(&*index).await;
    let removed = totals_of(&*index).await;
    assert!(removed.removed_chunks == keys.len() as u64 && !keys.is_empty());
    assert_eq!(
        index.contains(&keys).await.expect("an answer"),
        vec![true; keys.len()]
    );
    for _ in 0..2 {
        assert_eq!(
            index.insert(indexed).await.expect("inserted").refused,
            keys.len() as u64
        );
        assert_eq!(totals_of(&*index).await, removed);
    }
    // What never was in the index still counts.
    index.insert(never).await.expect("inserted");
    let below = |entry: &&IndexEntry| !floors.admit(entry.kind, day(entry));
    let totals = totals_of(&*index).await;
    assert_eq!(totals.refused_chunks, never.iter().filter(below).count() as u64);
    assert_eq!(totals.records_ever(), records(&entries));
    // Keys are given back as floors rise, once they lie a week below them.
    for floor in ["20170203", "20170204", "20170301"] {
        raise(floor).await;
        index.insert(indexed).await.expect("inserted");
        let counted = totals_of(&*index).await.records_ever();
        assert_eq!(counted, records(&entries), "{floor}");
    }
    raise("20170302").await;
    assert_eq!(
        index.contains(&keys).await.expect("an answer"),
        vec![false; keys.len()]
    );
    // Floors that are lowered by hand admit what was refused, not what was removed.
    remove_expired(&*index).await;
    let refused = totals_of(&*index).await.refused_chunks;
    let lowered = index
        .lower_floors(date("20000101").expect("a day"))
        .await
        .expect("lowered");
    assert_eq!(
        (lowered.admitted, totals_of(&*index).await.refused_chunks),
        (refused, 0)
    );
}

pub(super) async fn products_are_bounded_and_given_back(place: &impl Database) {
    let index = place.open().await;
    let mut dice = Dice::new(6);
    let mut named = |plan: u64, name: &str| {
        let mut entry = dice.entry(plan);
        let mut key = ChunkKey::parse(&entry.key).expect("a key");
        key.partition.set(Dimension::SourceName, name);
        (entry.kind, key.kind) = (ChunkKind::Pings, ChunkKind::Pings);
        (entry.partition, entry.key) = (key.partition.clone(), key.to_string());
        entry
    };
    let entries: Vec<_> = (1..=PRODUCTS_MAX + 300)
        .map(|plan| named(plan, &format!("n{plan}")))
        .collect();
    for some in entries.chunks(100) {
        index.insert(some).await.expect("inserted");
    }
    let products = index.products(usize::MAX).await.expect("products").products;
    // A batch is one look at their number.
    assert!(products.len() as u64 <= PRODUCTS_MAX + 101, "{}", products.len());
    let sum: u64 = products.iter().map(|product| product.records).sum();
    assert_eq!(sum, records(&entries));
    let other = products.iter().find(|product| product.namespace == OTHER);
    assert!(other.is_some_and(|other| other.records > 0));
    // A product that is known stays told apart.
    let (again, first) = (named(PRODUCTS_MAX + 301, "n1"), &entries[0]);
    index
        .insert(std::slice::from_ref(&again))
        .await
        .expect("inserted");
    let count_of = |products: &[crate::ProductCount], entry: &IndexEntry| -> u64 {
        let [name, doc_type, app] = [Dimension::SourceName, Dimension::DocType, Dimension::AppName]
            .map(|dimension| entry.partition.get(dimension).to_owned());
        let same = products
            .iter()
            .filter(|one| (&one.namespace, &one.doc_type, &one.app_name) == (&name, &doc_type, &app));
        same.map(|one| one.records).sum()
    };
    let products = index.products(usize::MAX).await.expect("products").products;
    let of_first = count_of(&products, first);
    assert!(of_first == first.records || of_first == first.records + again.records);
    let far = Floors {
        pings: date("20300101"),
        ..Floors::default()
    };
    index.raise_floors(far, None).await.expect("raised");
    loop {
        let slice = index
            .expired(&ExpiredPlace::default(), 500)
            .await
            .expect("expired");
        let keys: Vec<_> = slice.objects.into_iter().map(|one| one.key).collect();
        if keys.is_empty() {
            break;
        }
        index.remove(&keys).await.expect("removed");
    }
    let none = index.products(usize::MAX).await.expect("products");
    assert_eq!(none, ProductList::default());
}

async fn totals_of(index: &dyn RetainIndex) -> IndexTotals {
    index.totals().await.expect("totals")
}
