//! What is kept, and what no longer is.

use super::*;
use crate::sqlite::decoded::{Kind, StretchBuilder};
use crate::sqlite::sets::SetRow;
use sketch::Cell;

const METRIC: u32 = 7;

fn stretch(cells: u32) -> Arc<Stretch> {
    let mut builder = StretchBuilder::default();
    let kind = Kind {
        process: 1,
        label: 2,
        layout: 3,
    };
    for set in 0..cells {
        let pushed = builder.push(set, kind, &Cell::new(1, 5, [(4, 1)]));
        assert_eq!(pushed, Ok(()));
    }
    Arc::new(builder.end())
}

fn change(dimension_set: u32) -> Change {
    Change {
        dimension_set,
        process: 1,
        label: 2,
        layout: 3,
        added: Cell::new(1, 5, [(4, 1)]).encode().into(),
    }
}

fn changes(metrics: &[u32], added: &[(u32, Change)]) -> Option<Changes> {
    let mut changes = Changes::default();
    changes.metrics.extend(metrics);
    changes.added.extend_from_slice(added);
    Some(changes)
}

fn now(cache: &Cache) -> Moment {
    cache.moment().expect("nothing is being written")
}

fn holding(cells: u32) -> Cache {
    let cache = Cache::default();
    cache.keep_stretch(now(&cache), METRIC, &stretch(cells));
    cache
}

/// How many changes stand beside the cells that are kept; `None` where none are.
fn added(cache: &Cache) -> Option<usize> {
    match cache.stretch(now(cache), METRIC) {
        Found::Kept(_, added) => Some(added.len()),
        Found::Wanted | Found::Nothing => None,
    }
}

fn transaction(cache: &Cache, changes: Option<Changes>) {
    cache.begin();
    cache.end(changes);
}

#[test]
fn the_cells_of_a_metric_are_wanted_when_it_is_asked_for_again() {
    let cache = Cache::default();
    let moment = now(&cache);
    assert!(matches!(cache.stretch(moment, METRIC), Found::Nothing));
    assert!(matches!(cache.stretch(moment, METRIC), Found::Wanted));
    cache.refuse(METRIC);
    assert!(matches!(cache.stretch(moment, METRIC), Found::Nothing));
    cache.keep_stretch(moment, METRIC, &stretch(1));
    assert!(matches!(cache.stretch(moment, METRIC), Found::Kept(..)));
}

#[test]
fn what_was_noted_of_a_transaction_stands_beside_the_cells() {
    let cache = holding(9);
    transaction(
        &cache,
        changes(&[METRIC], &[(METRIC, change(1)), (METRIC, change(2))]),
    );
    transaction(&cache, changes(&[8], &[]));
    assert_eq!(added(&cache), Some(2), "another metric changes nothing here");
    assert_eq!(cache.metrics(), HashSet::from([METRIC]));
}

#[test]
fn cells_go_when_a_transaction_changed_them_and_nobody_noted_how() {
    let cache = holding(9);
    transaction(&cache, changes(&[METRIC], &[]));
    assert_eq!(added(&cache), None);
    let cache = holding(9);
    transaction(&cache, None);
    assert_eq!(added(&cache), None);
}

#[test]
fn cells_go_when_what_was_added_is_as_much_to_read() {
    let cache = holding(10);
    let many: Vec<_> = (0..69).map(|set| (METRIC, change(set))).collect();
    transaction(&cache, changes(&[METRIC], &many));
    assert_eq!(added(&cache), Some(69));
    transaction(&cache, changes(&[METRIC], &many[..1]));
    assert_eq!(added(&cache), None);
}

#[test]
fn nothing_is_kept_or_found_of_a_moment_that_is_past() {
    let cache = Cache::default();
    let before = now(&cache);
    cache.begin();
    assert_eq!(cache.moment(), None, "something may become visible");
    cache.keep_stretch(before, METRIC, &stretch(1));
    cache.end(changes(&[], &[]));
    cache.keep_stretch(before, METRIC, &stretch(1));
    cache.keep_sets(before, 1, &Arc::default());
    assert_eq!(added(&cache), None);
    let after = now(&cache);
    assert!(cache.sets(after, 1).is_none());
    cache.keep_stretch(after, METRIC, &stretch(1));
    cache.keep_sets(after, 1, &Arc::default());
    assert!(cache.sets(after, 1).is_some());
    assert!(matches!(cache.stretch(before, METRIC), Found::Nothing));
    assert!(cache.sets(before, 1).is_none());
}

#[test]
fn what_changed_nothing_ends_no_moment() {
    let cache = holding(1);
    let before = now(&cache);
    cache.end(None);
    assert_eq!((now(&cache), added(&cache)), (before, Some(0)));
}

#[test]
fn sets_that_are_made_are_known() {
    let cache = Cache::default();
    cache.keep_sets(now(&cache), 1, &Arc::default());
    let set = |id, source| SetRow {
        id,
        source,
        submission_date: 20_170_101,
        pairs: vec![(1, 2)],
    };
    let mut made = Changes::default();
    made.sets = vec![set(4, 1), set(5, 2), set(6, 1)];
    transaction(&cache, Some(made));
    let known = cache.sets(now(&cache), 1).expect("they are kept");
    assert_eq!(known.len(), 2);
    assert!(known.place(4).is_some() && known.place(6).is_some());
    assert!(cache.sets(now(&cache), 2).is_none());
}

#[test]
fn the_metrics_used_longest_ago_make_room() {
    let cache = Cache::default();
    let large = stretch(100_000);
    let fit = u32::try_from(DECODED_BYTES_MAX / large.bytes()).expect("a few");
    for metric in 0..fit {
        cache.keep_stretch(now(&cache), metric, &large);
    }
    let is_kept = |metric| matches!(cache.stretch(now(&cache), metric), Found::Kept(..));
    assert!((0..fit).all(is_kept));
    assert!(is_kept(0), "it was used after the others");
    cache.keep_stretch(now(&cache), fit, &large);
    assert!(is_kept(0) && !is_kept(1), "there was no room for all");
}

#[test]
fn texts_are_known_until_a_transaction_of_which_nobody_told_what_it_changed() {
    let cache = Cache::default();
    let text = |id| HashMap::from([(id, Arc::from("a text"))]);
    let known = |id| cache.texts(now(&cache)).get(id).is_some();
    let before = now(&cache);
    cache.keep_texts(before, &text(1));
    assert!(known(1) && !known(2));
    transaction(&cache, changes(&[METRIC], &[]));
    assert!(known(1), "what is added gives no id another text");
    assert!(cache.texts(before).get(1).is_none(), "that moment is past");
    cache.keep_texts(before, &text(2));
    assert!(!known(2), "they may be gone since then");
    transaction(&cache, None);
    assert!(!known(1));
}
