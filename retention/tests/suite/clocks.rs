//! Clocks that are wrong by days, about as many as are kept.

use std::collections::BTreeSet;

use index_schema::{ChunkKind, Floors};
use retention::{Consent, Kind, Rules};

use crate::bounds::objects;
use crate::keeping::{filled, ping, rules};
use crate::world::{Put, World, first_day};

/// Starts anew under a clock that is so many days after the first day, and runs twice, as each start and each hour does.
async fn started(world: World, rules: Rules, day: i64) -> (World, Vec<Kind>) {
    let world = world.restarted(rules);
    let mut held = Vec::new();
    for _ in 0..2 {
        let today = first_day().plus_days(day);
        let retained = world.retainer.run(today, Consent::Bounded).await.expect("done");
        held = retained.held.iter().map(|held| held.of).collect();
    }
    (world, held)
}

async fn floors(world: &World) -> Floors {
    index_schema::Index::floors(&*world.index).await.expect("floors")
}

#[tokio::test]
async fn a_clock_that_is_ahead_by_what_is_kept_does_not_take_all_there_is() {
    let rules = rules("7d", "7d");
    for ahead in [8, 9, 11, 14, 15] {
        let world = filled(rules, 1).await;
        let before = objects(&world).await;
        let (world, held) = started(world, rules, ahead).await;
        assert_eq!(held, [Kind::Pings, Kind::Errors, Kind::Aggregates], "{ahead}");
        // What comes under that clock does not vouch for it.
        world.put(ping(ahead, 700)).await;
        world.reconcile().await;
        world.fold().await;
        let (world, held) = started(world, rules, ahead).await;
        assert_eq!(held.len(), 3, "{ahead}");
        assert_eq!(objects(&world).await.len(), before.len() + 1);
        // The clock is right again.
        let (world, held) = started(world, rules, 1).await;
        assert_eq!((held, floors(&world).await), (vec![], Floors::default()));
    }
}

#[tokio::test]
async fn errored_pings_of_a_single_day_do_not_go_before_their_time_and_take_no_good_ones_along() {
    let rules = Rules {
        pings: "forever".parse().expect("a rule"),
        ..rules("7d", "forever")
    };
    let world = filled(rules, 1).await;
    for day in 1..4 {
        world.put(ping(day, 600)).await;
    }
    world.reconcile().await;
    let before = objects(&world).await;
    for ahead in [11, 12, 15, 18] {
        let world = started(world_of(&before, rules).await, rules, ahead).await.0;
        assert_eq!(floors(&world).await, Floors::default(), "{ahead}");
    }
    // The right clock, day by day: they go, and good ones stay.
    let mut world = world;
    for day in 4..9 {
        world.put(ping(day, 600)).await;
        world.reconcile().await;
        world = started(world, rules, day).await.0;
    }
    assert_eq!(floors(&world).await.errors, Some(first_day().plus_days(1)));
    assert_eq!(floors(&world).await.pings, None);
}

/// The world of that test once more.
async fn world_of(before: &BTreeSet<String>, rules: Rules) -> World {
    let world = filled(rules, 1).await;
    for day in 1..4 {
        world.put(ping(day, 600)).await;
    }
    world.reconcile().await;
    assert_eq!(&objects(&world).await, before);
    world
}

#[tokio::test]
async fn pings_of_a_clock_behind_by_a_little_more_than_is_kept_wait_when_it_is_right_again() {
    let rules = rules("30d", "30d");
    let world = World::new(rules);
    world.put(ping(0, 1)).await;
    for day in 13..34 {
        for number in 0..3 {
            world.put(ping(day, 10 + number)).await;
        }
    }
    world.reconcile().await;
    world.fold().await;
    let before = objects(&world).await;
    let (world, held) = started(world, rules, 33).await;
    assert_eq!(held, [Kind::Pings, Kind::Aggregates]);
    assert_eq!(objects(&world).await, before);
}

#[tokio::test]
async fn a_clock_that_is_ahead_again_and_again_takes_nothing_week_by_week() {
    let rules = rules("80d", "80d");
    let mut world = filled(rules, 81).await;
    let before = objects(&world).await;
    let mut held;
    for ahead in [8, 15, 22] {
        (world, held) = started(world, rules, 80 + ahead).await;
        assert_eq!(held, [Kind::Pings, Kind::Errors, Kind::Aggregates], "{ahead}");
        assert_eq!(objects(&world).await, before);
    }
}

#[tokio::test]
async fn an_installation_that_was_away_for_a_week_goes_on_by_itself_and_one_whose_product_ended_while_it_runs()
 {
    let rules = rules("80d", "80d");
    let world = filled(rules, 81).await;
    let (world, held) = started(world, rules, 87).await;
    assert_eq!(held, []);
    assert_eq!(floors(&world).await.pings, Some(first_day().plus_days(7)));
    // No ping comes any more; this process runs on.
    for day in 88..=161 {
        let today = first_day().plus_days(day);
        let retained = world.retainer.run(today, Consent::Bounded).await.expect("done");
        assert_eq!(retained.held, [], "{day}");
    }
    assert_eq!(objects(&world).await, BTreeSet::new());
    let errors = Put {
        kind: ChunkKind::Errors,
        ..ping(161, 1)
    };
    world.put(errors).await;
    world.reconcile().await;
    assert_eq!(objects(&world).await.len(), 1);
}
