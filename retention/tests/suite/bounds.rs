//! What retention does not do: trust a clock, stop at one failure, or delete what makes no room.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use aggregate_store::{AggregateStore, RetainAggregates};
use async_trait::async_trait;
use index_schema::{Floors, Index, RetainIndex};
use retention::{Consent, Kind, Parts, Retainer, RetentionError, RetentionRule, Rules, Standstill};

use crate::keeping::{fill, filled, ping, rules, settled};
use crate::refusing::{RefusingStore, StubbornAggregates};
use crate::world::{World, first_day};

pub(crate) async fn objects(world: &World) -> BTreeSet<String> {
    let listed = world.store.list("pings/", None, 999).await.expect("listed");
    listed.objects.into_iter().map(|object| object.key).collect()
}

#[tokio::test]
async fn a_clock_that_is_ahead_at_a_start_deletes_nothing_and_keeps_no_later_ping_away() {
    let rules = rules("90d", "60d");
    for days in [1, 5] {
        let mut world = filled(rules, days).await;
        let (before, dump) = (objects(&world).await, world.dump().await);
        for ahead in [95, 180, 365, 10_000] {
            // Each start runs at once, and then every hour.
            world = world.restarted(rules);
            for _ in 0..3 {
                let today = first_day().plus_days(days + ahead);
                let retained = world.retainer.run(today, Consent::Bounded).await.expect("done");
                let held: Vec<_> = retained.held.iter().map(|held| held.of).collect();
                assert_eq!(held, [Kind::Pings, Kind::Errors, Kind::Aggregates], "{ahead}");
                assert_eq!(retained.floors, Floors::default());
            }
        }
        assert_eq!((objects(&world).await, world.dump().await), (before, dump));
        // The clock is right again.
        world.put(ping(days, 700)).await;
        world.reconcile().await;
        world.fold().await;
        let totals = world.index.totals().await.expect("totals");
        assert_eq!((totals.refused_chunks, totals.unfolded_records), (0, 0));
        let today = first_day().plus_days(days);
        let retained = world.retainer.run(today, Consent::Bounded).await.expect("done");
        assert_eq!(retained.held, []);
        assert!(settled(&world).await);
    }
}

#[tokio::test]
async fn what_waits_goes_when_a_person_says_so_and_a_look_tells_it_before() {
    let world = filled(rules("90d", "90d"), 5).await;
    let today = first_day().plus_days(300);
    let look = world.retainer.look(today).await.expect("looked");
    assert_eq!((look.gone.objects, look.gone.aggregate_days), (20, 5));
    assert_eq!(look.held.len(), 3);
    let retained = world.retainer.run(today, Consent::Given).await.expect("done");
    assert_eq!((retained.gone.objects, retained.held.len()), (20, 0));
    assert_eq!(objects(&world).await, BTreeSet::new());
    // A floor passes what was there and no more: pings of the next day are still indexed.
    let after = Some(first_day().plus_days(5));
    assert_eq!(
        (retained.floors.pings, retained.floors.aggregates),
        (after, after)
    );
}

#[tokio::test]
async fn an_installation_in_use_loses_a_day_each_day_and_nothing_waits() {
    let rules = rules("3d", "3d");
    let world = World::new(rules);
    for day in 0..12 {
        world.put(ping(day, u64::try_from(day).expect("a day"))).await;
        world.reconcile().await;
        world.fold().await;
        let today = first_day().plus_days(day);
        for _ in 0..2 {
            let retained = world.retainer.run(today, Consent::Bounded).await.expect("done");
            assert_eq!(retained.held, []);
        }
        assert_eq!(
            objects(&world).await.len(),
            usize::try_from(day.min(3) + 1).expect("a count")
        );
    }
    // The last pings go, too, when no more come.
    for day in 12..16 {
        let today = first_day().plus_days(day);
        let retained = world.retainer.run(today, Consent::Bounded).await.expect("done");
        assert_eq!(retained.held, []);
    }
    assert_eq!(objects(&world).await, BTreeSet::new());
    assert_eq!(world.dump().await, Vec::<String>::new());
}

#[tokio::test]
async fn pings_of_a_clock_far_behind_are_not_deleted_when_it_is_right_again() {
    let world = World::new(rules("90d", "90d"));
    world.put(ping(0, 1)).await;
    for number in 0..30 {
        world.put(ping(1_500, 10 + number)).await;
    }
    world.reconcile().await;
    world.fold().await;
    let today = first_day().plus_days(1_500);
    let retained = world.retainer.run(today, Consent::Bounded).await.expect("done");
    assert_eq!((retained.gone.objects, objects(&world).await.len()), (0, 31));
    assert_eq!(retained.held[0].of, Kind::Pings);
}

/// A world in which chunks of old days come, are indexed and folded between the look and the raise, one each time.
#[derive(Debug)]
struct Late {
    world: Arc<World>,
    days: Mutex<VecDeque<i64>>,
    folding: Arc<dyn Standstill>,
}

impl Late {
    /// A retainer in it.
    fn retainer(world: &Arc<World>, rules: Rules, days: impl IntoIterator<Item = i64>) -> Retainer {
        let parts = world.parts_with(world.aggregates.clone());
        let folding = Arc::new(Self {
            world: world.clone(),
            days: Mutex::new(days.into_iter().collect()),
            folding: parts.folding.clone(),
        });
        Retainer::new(Parts { folding, ..parts }, rules)
    }
}

#[async_trait]
impl Standstill for Late {
    async fn stand_still<'a>(&'a self) -> Result<Box<dyn Send + 'a>, String> {
        let day = self.days.lock().expect("never poisoned").pop_front();
        if let Some(day) = day {
            self.world.put(ping(day, 800)).await;
            self.world.reconcile().await;
            self.world.fold().await;
        }
        self.folding.stand_still().await
    }
}

/// Pings of each sixth day of some months, and many of the last, of which the first day may go by itself a day after.
async fn of_some_months(rules: Rules) -> Arc<World> {
    let world = World::new(rules);
    for (number, day) in (0..).zip((10..=100).step_by(6)) {
        world.put(ping(day, number)).await;
    }
    for number in 0..30 {
        world.put(ping(100, 100 + number)).await;
    }
    world.reconcile().await;
    world.fold().await;
    Arc::new(world)
}

#[tokio::test]
async fn what_comes_between_the_look_and_the_raise_waits_for_a_person_like_all_else() {
    for (pings, aggregates) in [("90d", "forever"), ("forever", "90d"), ("90d", "90d")] {
        let rules = rules(pings, aggregates);
        let today = first_day().plus_days(101);
        let without = of_some_months(rules).await;
        let retained = without.retainer.run(today, Consent::Bounded).await.expect("done");
        assert_eq!(retained.held, [], "a day may go");

        let world = of_some_months(rules).await;
        let retainer = Late::retainer(&world, rules, [0]);
        let retained = retainer.run(today, Consent::Bounded).await.expect("done");
        let held: Vec<_> = retained.held.iter().map(|held| (held.of, held.oldest)).collect();
        let expected = [(Kind::Pings, pings), (Kind::Aggregates, aggregates)].into_iter();
        let expected: Vec<_> = expected
            .filter(|(_, rule)| *rule == "90d")
            .map(|(kind, _)| (kind, first_day()))
            .collect();
        assert_eq!(held, expected);
        assert_eq!(
            (retained.floors, objects(&world).await.len()),
            (Floors::default(), 47)
        );
        let days = world.aggregates.days().await.expect("days");
        assert_eq!((days[0], days.len()), (first_day(), 17));
        // A person who agrees means whatever the rule says.
        let retainer = Late::retainer(&world, rules, [5]);
        let retained = retainer.run(today, Consent::Given).await.expect("done");
        assert_eq!(retained.held, []);
        let left = if pings == "90d" { 45 } else { 48 };
        assert_eq!(objects(&world).await.len(), left);
    }
}

#[tokio::test]
async fn a_run_whose_every_look_is_overtaken_says_so_and_the_next_one_goes_on() {
    let rules = rules("90d", "90d");
    let today = first_day().plus_days(101);
    let world = of_some_months(rules).await;
    let retainer = Late::retainer(&world, rules, [9, 8, 7]);
    let error = retainer
        .run(today, Consent::Bounded)
        .await
        .expect_err("overtaken");
    assert!(matches!(error, RetentionError::Unseen { day, .. } if day == first_day().plus_days(7)));
    assert_eq!(objects(&world).await.len(), 49);
    let retained = retainer.run(today, Consent::Given).await.expect("done");
    assert_eq!((retained.gone.objects, objects(&world).await.len()), (4, 45));
}

#[tokio::test]
async fn floors_that_a_wrong_clock_raised_are_lowered_and_what_came_below_them_is_counted() {
    let world = filled(rules("90d", "90d"), 3).await;
    // As a program of before did, or a person who agreed under a wrong clock.
    let far = Some(first_day().plus_days(200));
    let floors = Floors {
        pings: far,
        errors: far,
        aggregates: far,
    };
    world.index.raise_floors(floors, None).await.expect("raised");
    let today = first_day().plus_days(3);
    world.retainer.run(today, Consent::Bounded).await.expect("done");
    for number in 0..4 {
        world.put(ping(3, 600 + number)).await;
    }
    world.reconcile().await;
    world.fold().await;
    assert_eq!(world.index.totals().await.expect("totals").refused_chunks, 4);
    assert_eq!(world.dump().await, Vec::<String>::new());
    let lowered = world.index.lower_floors(today).await.expect("lowered");
    assert_eq!((lowered.admitted, lowered.rebuild_wanted), (4, false));
    world.reconcile().await;
    world.fold().await;
    let retained = world.retainer.run(today, Consent::Bounded).await.expect("done");
    assert_eq!((retained.gone.objects, retained.held.len()), (0, 0));
    let never = World::new(rules("forever", "forever"));
    for number in 0..4 {
        never.put(ping(3, 600 + number)).await;
    }
    never.reconcile().await;
    never.fold().await;
    assert_eq!(world.dump().await, never.dump().await);
    assert_eq!(objects(&world).await, objects(&never).await);
    assert!(settled(&world).await);
}

#[tokio::test]
async fn objects_that_cannot_be_deleted_hide_no_others_and_are_told_last() {
    let refuses = Arc::new(Mutex::new(BTreeSet::new()));
    let rules = rules("3d", "3d");
    let seen = refuses.clone();
    let world = World::over(|inner| Arc::new(RefusingStore { inner, refuses: seen }), rules);
    // More than two slices, before and between what can be deleted.
    for number in 1_000..1_430 {
        world.put(ping(0, number)).await;
        refuses
            .lock()
            .expect("never poisoned")
            .insert(ping(0, number).key());
    }
    let world = fill(world, 8).await;
    let odd = ping(2, 21).key();
    refuses.lock().expect("never poisoned").insert(odd.clone());
    let today = first_day().plus_days(7);
    for _ in 0..2 {
        let failed = world.retainer.run(today, Consent::Given).await;
        let Err(RetentionError::Store {
            objects: 431, key, ..
        }) = failed
        else {
            panic!("{failed:?}");
        };
        assert!(refuses.lock().expect("never poisoned").contains(&key));
        let mut expected = refuses.lock().expect("never poisoned").clone();
        let kept = objects(&world).await;
        expected.extend(
            kept.iter()
                .filter(|key| (4..8).any(|day| is_of(key, day)))
                .cloned(),
        );
        assert_eq!(kept, expected);
        let below = first_day().plus_days(4);
        let days = world.aggregates.days().await.expect("days");
        assert!(days.iter().all(|day| *day >= below), "aggregates go all the same");
    }
    // Somebody grants the right.
    refuses.lock().expect("never poisoned").clear();
    world.retainer.run(today, Consent::Bounded).await.expect("done");
    assert!(
        objects(&world)
            .await
            .iter()
            .all(|key| (4..8).any(|day| is_of(key, day)))
    );
    assert!(settled(&world).await);
}

fn is_of(key: &str, day: i64) -> bool {
    key.contains(&format!("submission_date={}/", first_day().plus_days(day)))
}

#[tokio::test]
async fn forgetting_one_chunk_does_not_fail_for_others_that_cannot_be_deleted() {
    let refuses = Arc::new(Mutex::new(BTreeSet::from([ping(0, 1).key()])));
    let seen = refuses.clone();
    let rules = rules("1d", "forever");
    let world = World::over(|inner| Arc::new(RefusingStore { inner, refuses: seen }), rules);
    let world = fill(world, 4).await;
    let failed = world.retainer.run(first_day().plus_days(3), Consent::Given).await;
    assert!(failed.is_err());
    let now = ping::Timestamp::from_micros(5);
    let unwanted = ping(3, 31).key();
    world
        .retainer
        .forget(&unwanted, "unwanted", now)
        .await
        .expect("forgotten");
    assert!(!objects(&world).await.contains(&unwanted));
}

#[tokio::test]
async fn copies_do_not_count_against_the_size_of_aggregates() {
    let world = filled(rules("forever", "forever"), 5).await;
    // Many documents of few aggregates.
    for day in 0..5 {
        for number in 0..40 {
            let hundreds = 100 * u64::try_from(day + 1).expect("a day");
            world.put(ping(day, hundreds + number)).await;
        }
    }
    world.reconcile().await;
    world.fold().await;
    let before = world.dump().await;
    let days = world.aggregates.day_bytes().await.expect("measured");
    let takes: u64 = days.iter().map(|day| day.bytes).sum();
    let today = first_day().plus_days(4);
    let world = world.restarted(rules("forever", &format!("{takes}B")));
    let retained = world.retainer.run(today, Consent::Given).await.expect("done");
    assert_eq!(world.dump().await, before);
    assert_eq!((retained.over_budget_bytes, retained.held.len()), (0, 0));
    // A byte less is the oldest day less, and no other.
    let world = world.restarted(rules("forever", &format!("{}B", takes - 1)));
    for _ in 0..3 {
        let retained = world.retainer.run(today, Consent::Bounded).await.expect("done");
        assert_eq!(retained.floors.aggregates, Some(first_day().plus_days(1)));
    }
    assert_eq!(world.aggregates.days().await.expect("days").len(), 4);
}

#[tokio::test]
async fn a_floor_that_makes_no_room_is_not_raised_again() {
    let world = filled(rules("forever", "forever"), 6).await;
    let stubborn = Arc::new(StubbornAggregates(world.aggregates.clone()));
    let days = world.aggregates.day_bytes().await.expect("measured");
    let takes: u64 = days.iter().map(|day| day.bytes).sum();
    let retainer = Retainer::new(
        world.parts_with(stubborn),
        rules("forever", &format!("{}B", takes - 1)),
    );
    let today = first_day().plus_days(5);
    let failed = retainer.run(today, Consent::Bounded).await;
    assert!(matches!(failed, Err(RetentionError::InVain { .. })), "{failed:?}");
    for _ in 0..5 {
        let _ = retainer.run(today, Consent::Bounded).await;
    }
    let floor = world.index.floors().await.expect("floors").aggregates;
    assert_eq!(floor, Some(first_day().plus_days(1)));
}

#[tokio::test]
async fn copies_have_a_bound_of_their_own_which_takes_nothing_else() {
    let world = filled(rules("forever", "forever"), 6).await;
    let (before, folded) = (
        world.dump().await,
        world.aggregates.folded_ids(None, 99).await.expect("ids"),
    );
    let of_copies = world.aggregates.copy_bytes().await.expect("measured");
    assert_eq!(of_copies.len(), 6);
    let bounded = Rules {
        copies: "3d".parse::<RetentionRule>().expect("a rule"),
        ..rules("forever", "forever")
    };
    let world = world.restarted(bounded);
    let retained = world
        .retainer
        .run(first_day().plus_days(5), Consent::Given)
        .await
        .expect("done");
    assert_eq!(retained.floors, Floors::default());
    assert_eq!(
        world.aggregates.copy_bytes().await.expect("measured"),
        of_copies[2..]
    );
    assert_eq!(world.dump().await, before);
    assert_eq!(world.aggregates.folded_ids(None, 99).await.expect("ids"), folded);
    let by_size = Rules {
        copies: format!("{}B", of_copies[4].bytes + of_copies[5].bytes)
            .parse::<RetentionRule>()
            .expect("a rule"),
        ..rules("forever", "forever")
    };
    let world = world.restarted(by_size);
    let today = first_day().plus_days(5);
    world.retainer.run(today, Consent::Given).await.expect("done");
    assert_eq!(
        world.aggregates.copy_bytes().await.expect("measured"),
        of_copies[4..]
    );
}
