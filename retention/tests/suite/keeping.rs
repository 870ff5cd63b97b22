//! What is kept, and what goes.

use std::time::Duration;

use aggregate_store::{AggregateReads, AggregateStore, RetainAggregates};
use index_schema::{ChunkKind, Forgotten, Index, RetainIndex};
use ping::Timestamp;
use retention::{Consent, RetentionRule, Rules};

use crate::world::{Put, World, first_day};

pub(crate) fn rules(pings: &str, aggregates: &str) -> Rules {
    let keep = |text: &str| text.parse::<RetentionRule>().expect("a rule");
    Rules {
        pings: keep(pings),
        errors: keep(pings),
        aggregates: keep(aggregates),
        copies: RetentionRule::default(),
        repeat_window: Duration::from_secs(2 * 86_400),
    }
}

pub(crate) fn ping(day: i64, number: u64) -> Put {
    Put {
        day,
        number,
        kind: ChunkKind::Pings,
    }
}

pub(crate) async fn filled(rules: Rules, days: i64) -> World {
    fill(World::new(rules), days).await
}

/// Three pings and an errored one on each of so many days, indexed and folded.
pub(crate) async fn fill(world: World, days: i64) -> World {
    for day in 0..days {
        for number in 0..3 {
            world
                .put(ping(day, number + 10 * u64::try_from(day).expect("a day")))
                .await;
        }
        world
            .put(Put {
                day,
                number: 900,
                kind: ChunkKind::Errors,
            })
            .await;
    }
    world.reconcile().await;
    world.fold().await;
    world
}

pub(crate) async fn settled(world: &World) -> bool {
    let totals = world.index.totals().await.expect("totals");
    let counters = world.aggregates.status().await.expect("status").counters;
    let counted = counters.folded + counters.repeated + counters.stored_only + counters.errored_pings;
    u64::try_from(counted).expect("a count") + totals.unfolded_records == totals.records_ever()
}

#[tokio::test]
async fn who_says_nothing_loses_nothing() {
    let world = filled(rules("forever", "forever"), 4).await;
    let before = world.dump().await;
    let retained = world
        .retainer
        .run(first_day().plus_days(100_000), Consent::Bounded)
        .await
        .expect("done");
    assert_eq!(retained, retention::Retained::default());
    assert_eq!(world.dump().await, before);
    assert_eq!(world.index.totals().await.expect("totals").chunks, 16);
}

#[tokio::test]
async fn pings_go_by_age_and_their_aggregates_stay_when_they_are_kept_longer() {
    let world = filled(rules("3d", "forever"), 8).await;
    let before = world.dump().await;
    let today = first_day().plus_days(7);
    let look = world.retainer.look(today).await.expect("looked");
    assert_eq!((look.gone.objects, look.gone.records), (16, 16));
    assert_eq!(
        world.index.totals().await.expect("totals").chunks,
        32,
        "a look changes nothing"
    );
    let retained = world.retainer.run(today, Consent::Given).await.expect("done");
    assert_eq!(retained.floors.pings, Some(first_day().plus_days(4)));
    assert_eq!((retained.gone.objects, retained.gone.aggregates), (16, 0));
    assert_eq!(
        world
            .store
            .list("pings/", None, 99)
            .await
            .expect("listed")
            .objects
            .len(),
        16
    );
    assert_eq!(world.dump().await, before);
    // Copies and folded ids stay as long as they can make a later ping a repeat: two days, and one.
    assert_eq!(
        world.aggregates.folded_ids(None, 99).await.expect("ids").len(),
        3 * 7 + 4
    );
    world.reconcile().await;
    assert_eq!(
        world.index.totals().await.expect("totals").chunks,
        16,
        "nothing comes back"
    );
    assert!(settled(&world).await);
}

#[tokio::test]
async fn what_comes_late_below_the_floor_stays_an_object_and_is_not_counted() {
    let world = filled(rules("3d", "3d"), 6).await;
    let today = first_day().plus_days(6);
    world.retainer.run(today, Consent::Given).await.expect("done");
    let before = world.dump().await;
    world.put(ping(1, 500)).await;
    world.reconcile().await;
    world.fold().await;
    world.retainer.run(today, Consent::Given).await.expect("done");
    assert_eq!(world.dump().await, before);
    assert!(
        world
            .store
            .head(&ping(1, 500).key())
            .await
            .expect("an answer")
            .is_some()
    );
    assert_eq!(world.index.totals().await.expect("totals").refused_chunks, 1);
    assert!(settled(&world).await);
}

#[tokio::test]
async fn a_late_copy_of_a_ping_that_was_deleted_is_a_repeat_all_the_same() {
    let world = World::new(rules("1d", "forever"));
    world.put(ping(0, 1)).await;
    world.reconcile().await;
    world.fold().await;
    world
        .retainer
        .run(first_day().plus_days(3), Consent::Given)
        .await
        .expect("done");
    assert_eq!(
        world.store.list("pings/", None, 9).await.expect("listed").objects,
        []
    );
    // Two days later: the first one is gone, and its seen row tells.
    world.put(ping(2, 1)).await;
    world.reconcile().await;
    world.fold().await;
    let counters = world.aggregates.status().await.expect("status").counters;
    assert_eq!((counters.folded, counters.repeated), (1, 1));
}

#[tokio::test]
async fn by_size_the_oldest_days_go_and_today_stays() {
    let world = filled(rules("forever", "forever"), 6).await;
    let days = world.index.days(ChunkKind::Pings).await.expect("days");
    let last_three: u64 = days[3..].iter().map(|day| day.stored_bytes).sum();
    let world = world.restarted(rules(&format!("{last_three}B"), "forever"));
    let retained = world
        .retainer
        .run(first_day().plus_days(5), Consent::Given)
        .await
        .expect("done");
    assert_eq!(retained.floors.pings, Some(first_day().plus_days(3)));
    assert_eq!(world.index.days(ChunkKind::Pings).await.expect("days"), days[3..]);
    assert_eq!(retained.over_budget_bytes, 0);
    let world = world.restarted(rules("1B", "forever"));
    let retained = world
        .retainer
        .run(first_day().plus_days(5), Consent::Given)
        .await
        .expect("done");
    assert_eq!(
        world.index.totals().await.expect("totals").chunks,
        4,
        "those of today"
    );
    assert!(retained.over_budget_bytes > 0);
    assert!(settled(&world).await);
}

#[tokio::test]
async fn aggregates_go_by_size_oldest_first() {
    let world = filled(rules("forever", "forever"), 6).await;
    let before = world.lines_by_day().await;
    let world = world.restarted(rules("forever", "1B"));
    let today = first_day().plus_days(5);
    let retained = world.retainer.run(today, Consent::Given).await.expect("done");
    assert_eq!(
        world.aggregates.days().await.expect("days"),
        [today],
        "today stays"
    );
    assert!(retained.over_budget_bytes > 0 && retained.gone.aggregates > 0);
    let today = today.to_string();
    assert_eq!(world.dump().await, before[&today]);
    assert_eq!(
        world.index.totals().await.expect("totals").chunks,
        24,
        "chunks stay"
    );
    assert!(settled(&world).await);
}

#[tokio::test]
async fn a_forgotten_chunk_never_comes_back_and_a_rebuild_takes_its_pings_out() {
    let world = filled(rules("forever", "forever"), 2).await;
    let gone = ping(0, 1);
    let bytes = world.store.get(&gone.key()).await.expect("there");
    let now = Timestamp::from_micros(5);
    let forgotten = world
        .retainer
        .forget(&gone.key(), "unwanted", now)
        .await
        .expect("forgotten");
    assert_eq!(forgotten, Forgotten::Folded);
    assert!(world.store.head(&gone.key()).await.expect("an answer").is_none());
    // Somebody puts it back.
    let put = world
        .store
        .put_if_absent(&gone.key(), store::Payload::Bytes(bytes))
        .await;
    assert!(put.is_ok());
    world.reconcile().await;
    assert_eq!(world.index.totals().await.expect("totals").chunks, 7);
    assert!(world.index.totals().await.expect("totals").rebuild_wanted);
    let path = world.folder.path().join("shadow.sqlite");
    let shadow = std::sync::Arc::new(aggregate_store::SqliteAggregates::open(&path).expect("opened"));
    world
        .aggregator
        .rebuild(shadow.clone(), 1, &|_| ())
        .await
        .expect("rebuilt");
    let world = World {
        aggregates: shadow,
        ..world
    };
    assert!(!world.index.totals().await.expect("totals").rebuild_wanted);
    assert!(settled(&world).await);
    let never = World::new(rules("forever", "forever"));
    for put in [ping(0, 0), ping(0, 2), ping(1, 10), ping(1, 11), ping(1, 12)] {
        never.put(put).await;
    }
    never.reconcile().await;
    never.fold().await;
    assert_eq!(world.dump().await, never.dump().await);
    assert!(world.retainer.forget("no/key", "x", now).await.is_err());
}

/// A rebuild that is ended and goes on later has folded chunks that went meanwhile.
#[tokio::test]
async fn a_rebuild_beside_deletions_counts_each_ping_once_and_what_was_forgotten_leaves_another_one_wanted() {
    for forgotten in [false, true] {
        let world = filled(rules("2d", "forever"), 4).await;
        let path = world.folder.path().join("shadow.sqlite");
        let shadow = std::sync::Arc::new(aggregate_store::SqliteAggregates::open(&path).expect("opened"));
        let rebuild = |generation| world.aggregator.rebuild(shadow.clone(), generation, &|_| ());
        rebuild(1).await.expect("folds all there is");
        if forgotten {
            let (key, now) = (ping(3, 30).key(), Timestamp::from_micros(5));
            let forgotten = world.retainer.forget(&key, "unwanted", now).await;
            assert_eq!(forgotten.expect("forgotten"), Forgotten::Folded);
        }
        let retained = world.retainer.run(first_day().plus_days(3), Consent::Given).await;
        retained.expect("done");
        let removed = world.index.totals().await.expect("totals").removed_records;
        rebuild(2).await.expect("goes on");
        let totals = world.index.totals().await.expect("totals");
        assert_eq!(totals.rebuild_wanted, forgotten);
        let counted = shadow.status().await.expect("status").counters.accounted();
        assert_eq!(counted, 16, "all were folded before any went");
        assert!(removed > 0 && totals.records_ever() == 16, "{totals:?}");
        assert_eq!(totals.unfolded_records, 0, "what went is in the aggregates");
    }
}
