//! Any order of putting, comparing, folding, deleting and dying: nothing above the floor is lost, nothing below it
//! comes back.

use std::collections::BTreeSet;

use aggregate_store::AggregateReads;
use index_schema::{ChunkKind, Index};
use proptest::prelude::*;

use crate::keeping::rules;
use crate::world::{Put, World, first_day};

#[derive(Clone, Debug)]
enum Step {
    Put(Put),
    Reconcile,
    Fold,
    /// A day passes.
    Day,
    Retain,
    /// Retention begins, and the process dies after so many turns.
    Die(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![4 => Just(ChunkKind::Pings), 1 => Just(ChunkKind::Errors)];
    let put = (0i64..8, 0u64..40, kind).prop_map(|(day, number, kind)| {
        // One ping of each number: copies whose first is deleted unfolded would count by their order.
        let number = number * 10 + u64::try_from(day).expect("a day");
        Step::Put(Put { day, number, kind })
    });
    prop_oneof![
        8 => put,
        2 => Just(Step::Reconcile),
        2 => Just(Step::Fold),
        2 => Just(Step::Day),
        1 => Just(Step::Retain),
        3 => (1usize..60).prop_map(Step::Die),
    ]
}

async fn nothing_above_is_lost_and_nothing_below_comes_back(steps: Vec<Step>) {
    let rules = rules("2d", "2d");
    let mut world = World::new(rules);
    let (mut put, mut today) = (BTreeSet::new(), 2);
    for step in steps {
        match step {
            Step::Put(one) => {
                if put.insert(one) {
                    world.put(one).await;
                }
            }
            Step::Reconcile => world.reconcile().await,
            Step::Fold => world.fold().await,
            Step::Day => today += 1,
            Step::Retain => assert!(world.retain_for(first_day().plus_days(today), usize::MAX).await),
            Step::Die(turns) => {
                world.retain_for(first_day().plus_days(today), turns).await;
                world = world.restarted(rules);
            }
        }
    }
    for _ in 0..2 {
        world.reconcile().await;
        world.fold().await;
        assert!(world.retain_for(first_day().plus_days(today), usize::MAX).await);
    }
    let floor = first_day().plus_days(today - 2);
    let never = World::new(rules);
    for one in put.iter().filter(|one| one.date() >= floor) {
        never.put(*one).await;
        assert!(
            world.store.head(&one.key()).await.expect("an answer").is_some(),
            "{one:?} is lost"
        );
    }
    never.reconcile().await;
    never.fold().await;
    assert_eq!(world.dump().await, never.dump().await);
    let (totals, expected) = (
        world.index.totals().await.expect("totals"),
        never.index.totals().await.expect("totals"),
    );
    assert_eq!(
        (totals.chunks, totals.records),
        (expected.chunks, expected.records)
    );
    assert_eq!((totals.pending_chunks, totals.set_aside), (0, 0));
    assert_eq!(totals.records_ever(), put.len() as u64);
    let counters = world.aggregates.status().await.expect("status").counters;
    let counted =
        u64::try_from(counters.folded + counters.errored_pings + counters.repeated).expect("a count");
    assert_eq!(counted + totals.unfolded_records, totals.records_ever());
}

fn cases() -> u32 {
    if std::env::var_os("HIGHWATER_SOAK").is_some() {
        2_000
    } else {
        20
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]
    #[test]
    fn any_order_of_retention_folding_indexing_and_crashes_keeps_what_is_above_and_nothing_else(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(nothing_above_is_lost_and_nothing_below_comes_back(steps));
    }
}

#[tokio::test]
async fn a_run_that_dies_at_any_turn_is_gone_on_from_by_the_next() {
    let rules = rules("1d", "1d");
    let today = first_day().plus_days(3);
    let mut turns = 0;
    loop {
        turns += 1;
        let world = World::new(rules);
        let puts = (0..4).flat_map(|day| {
            (0..2).map(move |number| Put {
                day,
                number: number * 10 + day.unsigned_abs(),
                kind: ChunkKind::Pings,
            })
        });
        for put in puts.clone() {
            world.put(put).await;
        }
        world.reconcile().await;
        world.fold().await;
        let ended = world.retain_for(today, turns).await;
        let world = world.restarted(rules);
        world.reconcile().await;
        world.fold().await;
        assert!(world.retain_for(today, usize::MAX).await);
        let left: Vec<_> = world
            .store
            .list("pings/", None, 99)
            .await
            .expect("listed")
            .objects;
        let mut expected: Vec<_> = puts.filter(|put| put.day >= 2).map(|put| put.key()).collect();
        expected.sort();
        assert!(
            left.iter().map(|object| &object.key).eq(&expected),
            "after {turns} turns"
        );
        let totals = world.index.totals().await.expect("totals");
        assert_eq!(
            (totals.chunks, totals.removed_chunks, totals.refused_chunks),
            (4, 4, 0),
            "after {turns} turns"
        );
        assert_eq!(world.lines_by_day().await.len(), 2);
        if ended {
            break;
        }
    }
    assert!(turns > 10, "{turns} turns are no crash points");
}
