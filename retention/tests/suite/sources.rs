//! One source is kept shorter than all others.

use std::collections::BTreeSet;
use std::time::Duration;

use aggregate_store::AggregateReads;
use index_schema::{ChunkKind, Index};
use ping::SubmissionDate;
use retention::{Consent, Kind, RetentionRule, Rules, RulesBySource, SourceRules};

use crate::keeping::{ping, rules, settled};
use crate::world::{FIRST_OF_PRODUCT, PRODUCT, Put, World, first_day};

const DAYS: i64 = 6;

fn by_source(chunks: u64, aggregates: Option<u64>) -> RulesBySource {
    let keep = |days: u64| RetentionRule {
        age: Some(Duration::from_secs(days * 86_400)),
        bytes: None,
    };
    let rules = SourceRules {
        chunks: keep(chunks),
        aggregates: aggregates.map_or_else(RetentionRule::default, keep),
    };
    [(PRODUCT.to_owned(), rules)].into()
}

/// Each day a ping and an errored one of both sources.
fn puts() -> Vec<Put> {
    let of_day = |day: i64| {
        let number = day.unsigned_abs();
        [0, FIRST_OF_PRODUCT].into_iter().flat_map(move |first| {
            let errored = Put {
                kind: ChunkKind::Errors,
                ..ping(day, first + 100 + number)
            };
            [ping(day, first + number), errored]
        })
    };
    (0..DAYS).flat_map(of_day).collect()
}

fn everything() -> Rules {
    rules("forever", "forever")
}

async fn filled(by_source: RulesBySource) -> World {
    let world = World::new(everything()).with_sources(everything(), by_source);
    for put in puts() {
        world.put(put).await;
    }
    world.reconcile().await;
    world.fold().await;
    world
}

async fn keys(world: &World) -> BTreeSet<String> {
    let listed = world.store.list("pings/", None, 999).await.expect("listed");
    listed.objects.into_iter().map(|object| object.key).collect()
}

/// Lines of a dump but for those of the product before a day.
fn without(lines: &[String], below: i64) -> Vec<String> {
    let floor = first_day().plus_days(below).to_string();
    let of_product = format!("\"source\":\"{PRODUCT}\"");
    let stays = |line: &&String| {
        let day = line.split("\"submission_date\":\"").nth(1).expect("a day");
        !line.contains(&of_product) || day[..8] >= *floor
    };
    lines.iter().filter(stays).cloned().collect()
}

fn kept(below: i64) -> BTreeSet<String> {
    let stays = |put: &Put| !put.is_of_product() || put.day >= below;
    puts().iter().filter(|put| stays(put)).map(Put::key).collect()
}

#[tokio::test]
async fn pings_and_numbers_of_one_source_go_by_its_own_ages_and_all_else_stays() {
    let (today, all) = (first_day().plus_days(DAYS), puts());
    for (chunks, aggregates) in [(2, None), (2, Some(4)), (4, Some(2))] {
        let world = filled(by_source(chunks, aggregates)).await;
        let before = world.dump().await;
        assert_eq!(keys(&world).await.len(), all.len());
        let look = world.retainer.look(today).await.expect("looked");
        let done = world.retainer.run(today, Consent::Given).await.expect("done");
        assert_eq!(look.source_floors, done.source_floors);
        let below = DAYS - i64::try_from(chunks).expect("small");
        let expected = kept(below);
        assert_eq!(keys(&world).await, expected, "{chunks}");
        let gone = (all.len() - expected.len()) as u64;
        assert_eq!((look.gone.objects, done.gone.objects), (gone, gone));
        let of_aggregates = aggregates.map_or(0, |days| DAYS - i64::try_from(days).expect("small"));
        let left = without(&before, of_aggregates);
        assert_eq!(world.dump().await, left, "{chunks} {aggregates:?}");
        assert!(left.len() < before.len() || aggregates.is_none());
        // Nothing comes back, by comparison nor by fold; nor does an hour later anything more go.
        world.reconcile().await;
        world.fold().await;
        let again = world.retainer.run(today, Consent::Given).await.expect("done");
        assert_eq!((again.gone.objects, again.gone.aggregates), (0, 0));
        assert_eq!(world.dump().await, left);
        assert!(settled(&world).await);
        let errored = world.aggregates.errored(None, 99).await.expect("errored");
        let is_old = |date: SubmissionDate| date < first_day().plus_days(below);
        assert!(
            errored
                .iter()
                .all(|row| row.source.as_str() != PRODUCT || !is_old(row.submission_date))
        );
    }
}

#[tokio::test]
async fn a_chunk_of_the_source_that_comes_late_is_not_indexed_and_one_of_another_source_is() {
    let today = first_day().plus_days(DAYS);
    let world = filled(by_source(2, Some(2))).await;
    world.retainer.run(today, Consent::Given).await.expect("done");
    let before = world.index.totals().await.expect("totals");
    world.put(ping(1, FIRST_OF_PRODUCT + 777)).await;
    world.put(ping(1, 777)).await;
    world.reconcile().await;
    world.fold().await;
    let totals = world.index.totals().await.expect("totals");
    assert_eq!(totals.refused_chunks, before.refused_chunks + 1);
    assert_eq!(totals.chunks, before.chunks + 1);
    assert!(settled(&world).await);
    // Who starts without the rules keeps what was deleted away all the same.
    let world = world.restarted(everything());
    world.put(ping(0, FIRST_OF_PRODUCT + 778)).await;
    world.reconcile().await;
    assert_eq!(
        world.index.totals().await.expect("totals").refused_chunks,
        before.refused_chunks + 2
    );
}

#[tokio::test]
async fn much_of_one_source_at_once_waits_for_a_person() {
    let today = first_day().plus_days(DAYS);
    let world = filled(by_source(2, Some(1))).await;
    let (objects, lines) = (keys(&world).await, world.dump().await);
    let done = world.retainer.run(today, Consent::Bounded).await.expect("done");
    let held: Vec<_> = done
        .held
        .iter()
        .map(|held| (held.of, held.source.as_deref(), held.days))
        .collect();
    assert_eq!(
        held,
        [
            (Kind::Pings, Some(PRODUCT), 4),
            (Kind::Aggregates, Some(PRODUCT), 5)
        ]
    );
    assert_eq!((keys(&world).await, world.dump().await), (objects, lines));
    let done = world.retainer.run(today, Consent::Given).await.expect("done");
    assert_eq!(done.held, []);
    assert_eq!(keys(&world).await, kept(DAYS - 2));
}

#[tokio::test]
async fn a_run_that_dies_at_any_turn_is_gone_on_from_by_the_next() {
    let today = first_day().plus_days(DAYS);
    let expected = {
        let world = filled(by_source(2, Some(3))).await;
        without(&world.dump().await, DAYS - 3)
    };
    let mut turns = 0;
    loop {
        turns += 1;
        let world = filled(by_source(2, Some(3))).await;
        let ended = world.retain_for(today, turns).await;
        // The process dies, what it left is indexed and folded, and the next one goes on.
        let world = world.restarted(everything());
        world.reconcile().await;
        world.fold().await;
        assert!(settled(&world).await, "after {turns} turns");
        let world = world.with_sources(everything(), by_source(2, Some(3)));
        assert!(world.retain_for(today, usize::MAX).await);
        assert_eq!(keys(&world).await, kept(DAYS - 2), "after {turns} turns");
        assert_eq!(world.dump().await, expected, "after {turns} turns");
        assert!(settled(&world).await, "after {turns} turns");
        let totals = world.index.totals().await.expect("totals");
        assert_eq!(totals.refused_chunks, 0, "after {turns} turns");
        if ended {
            break;
        }
    }
    assert!(turns > 10, "{turns} turns are no crash points");
}

#[tokio::test]
async fn rules_that_come_later_count_from_the_next_run_on_and_what_they_delete_at_once_waits() {
    let today = first_day().plus_days(DAYS);
    let world = filled(RulesBySource::new()).await;
    let all = keys(&world).await;
    // Rules that come, go and come again; nobody has agreed to anything.
    for (rules, waits) in [
        (RulesBySource::new(), false),
        (by_source(2, None), true),
        (RulesBySource::new(), false),
        (by_source(2, None), true),
    ] {
        world.retainer.go_by(rules);
        let done = world.retainer.run(today, Consent::Bounded).await.expect("done");
        assert_eq!(!done.held.is_empty(), waits);
        assert_eq!(keys(&world).await, all);
    }
    world.retainer.run(today, Consent::Given).await.expect("done");
    assert_eq!(keys(&world).await, kept(DAYS - 2));
}
