//! A source is folded anew beside what is in use: nobody sees anything of it before its end, and then all of it.

use std::sync::Arc;
use std::time::Duration;

use aggregate_store::{AggregateStore, Days, SqliteAggregates};
use bytes::Bytes;
use chunk::RecordHead;
use index_schema::ChunkKind;
use ping::{Incarnation, OTHER, RecordId, SubmissionDate};
use readers::declaration::Declaration;
use service::clock::Clock;
use store::Store;

use super::dump::{aggregator, dump, open};
use super::records::{Dice, Stored, by_chunk, throw};
use super::world::{World, small_batches};
use crate::fold::{FoldSettings, Products};
use crate::{Aggregator, AggregatorSettings, Step};

pub(super) const FIRST: &str = r#"$highwater: product/1
sources: [acme/usage]
client_id: { path: /id }
dimensions:
  version: { path: /version }
metrics:
  usage:
    runs: { type: counter, path: /runs }
"#;

/// The same with a dimension more, and a metric that reads what another type was read as before.
pub(super) const SECOND: &str = r#"$highwater: product/1
sources: [acme/usage]
client_id: { path: /id }
dimensions:
  version: { path: /version }
  plan: { path: /plan, values: [free, paid] }
metrics:
  usage:
    runs: { type: counter, path: /runs }
    editor: { type: string, path: /editor }
"#;

/// Settings under which the product is declared so.
pub(super) fn declared(text: Option<&str>) -> AggregatorSettings {
    let declarations = text.map(|text| (Declaration::read(text).expect("a declaration"), text.to_owned()));
    AggregatorSettings {
        fold: FoldSettings {
            products: Products::of(&declarations.into_iter().collect::<Vec<_>>()),
            ..FoldSettings::default()
        },
        ..small_batches()
    }
}

/// Pings of Firefox and of the product, of the same days.
pub(super) fn thrown(dice: &mut Dice) -> Vec<Stored> {
    let mut stored = throw(dice, 50);
    for sequence in 0..40 {
        let like = stored[dice.below(50)].head.clone();
        let document = dice.below(6);
        let uri = format!("/submit/acme/usage/1/{document}0000000-0000-4000-8000-000000000001");
        let body = match dice.below(6) {
            0 => "[]".to_owned(),
            _ => format!(
                r#"{{"id":"c{}","version":"{}","plan":"{}","runs":{},"editor":"{}"}}"#,
                dice.below(3),
                dice.below(2),
                ["free", "paid", "stolen"][dice.below(3)],
                dice.below(9),
                ["vi", "ed"][dice.below(2)]
            ),
        };
        stored.push(Stored {
            head: RecordHead {
                id: RecordId {
                    incarnation: Incarnation::from_bytes([9; 16]),
                    sequence,
                },
                uri: Bytes::from(uri),
                ..like
            },
            body: body.into_bytes(),
        });
    }
    stored
}

/// The partition in which all types may lie.
pub(super) const ANY: (&str, &str) = (OTHER, OTHER);

/// A fold of these chunks from the beginning, by one declaration.
async fn folded_at_once(
    chunks: &[Vec<Stored>],
    text: Option<&str>,
) -> (Vec<String>, aggregate_store::Status) {
    let world = World::new();
    let aggregates = open(world.folder.path(), "1.sqlite");
    let live = aggregator(&world, Arc::clone(&aggregates), declared(text));
    for (plan, records) in chunks.iter().enumerate() {
        world
            .add_chunk_of(plan as u64, ChunkKind::Pings, records, ANY)
            .await;
    }
    while live.step().await.expect("a step") != Step::Idle {}
    (
        dump(&*aggregates).await,
        aggregates.status().await.expect("a status"),
    )
}

/// The lines that name a source.
fn of<'a>(lines: &'a [String], source: &str) -> Vec<&'a String> {
    let named = format!("\"source\":\"{source}\"");
    lines.iter().filter(|line| line.contains(&named)).collect()
}

pub(super) async fn is_under_way(aggregates: &dyn AggregateStore) -> bool {
    !aggregates.rebuilds().await.expect("answered").is_empty()
}

/// Nothing that is not in use is left.
pub(super) async fn swept(world: &World, live: &Aggregator, aggregates: &dyn AggregateStore) {
    assert!(
        !live.rebuild_step().await.expect("a step"),
        "readers may still be there"
    );
    world.clock.advance(Duration::from_secs(121));
    while live.rebuild_step().await.expect("a step") {}
    assert!(!aggregates.remove_unused().await.expect("answered"));
}

#[tokio::test]
async fn a_declaration_that_changed_folds_its_source_anew_and_no_other() {
    for seed in 0..4 {
        let mut dice = Dice(seed);
        let stored = thrown(&mut dice);
        let chunks = by_chunk(&mut dice, &stored);
        let world = World::new();
        let path = world.folder.path().join("1.sqlite");
        let mut aggregates: Arc<dyn AggregateStore> =
            Arc::new(SqliteAggregates::open(&path).expect("aggregates"));
        let mut live = aggregator(&world, Arc::clone(&aggregates), declared(Some(FIRST)));
        let changed_at = dice.below(chunks.len());
        let mut seen = 0;
        for (plan, records) in chunks.iter().enumerate() {
            world
                .add_chunk_of(plan as u64, ChunkKind::Pings, records, ANY)
                .await;
            if plan == changed_at || dice.below(6) == 0 {
                // The process ends here, and another one begins: from some point on with the other declaration.
                drop(live);
                drop(aggregates);
                let text = if plan < changed_at { FIRST } else { SECOND };
                aggregates = Arc::new(SqliteAggregates::open(&path).expect("aggregates"));
                live = aggregator(&world, Arc::clone(&aggregates), declared(Some(text)));
            }
            for _ in 0..dice.below(3) {
                let _ = live.step().await.expect("a step");
            }
            for _ in 0..dice.below(3) {
                let _ = live.rebuild_step().await.expect("a step");
            }
            if dice.below(3) == 0 {
                while live.step().await.expect("a step") != Step::Idle {}
                let so_far = &chunks[..=plan];
                let lines = dump(&*aggregates).await;
                let [before, after] = [
                    folded_at_once(so_far, Some(FIRST)).await.0,
                    folded_at_once(so_far, Some(SECOND)).await.0,
                ];
                assert_eq!(
                    of(&lines, "telemetry/main"),
                    of(&after, "telemetry/main"),
                    "seed {seed}"
                );
                let usage = of(&lines, "acme/usage");
                let is_before = usage == of(&before, "acme/usage");
                assert!(
                    is_before || usage == of(&after, "acme/usage"),
                    "seed {seed}: before or after"
                );
                seen += usize::from(is_under_way(&*aggregates).await);
            }
        }
        while live.step().await.expect("a step") != Step::Idle {}
        while is_under_way(&*aggregates).await {
            let _ = live.rebuild_step().await.expect("a step");
        }
        println!("seed {seed}: looked {seen} times beside a rebuild");
        let (lines, status) = folded_at_once(&chunks, Some(SECOND)).await;
        assert_eq!(dump(&*aggregates).await, lines, "seed {seed}");
        assert_eq!(
            aggregates.status().await.expect("a status"),
            status,
            "seed {seed}"
        );
        swept(&world, &live, &*aggregates).await;
        assert_eq!(
            dump(&*aggregates).await,
            lines,
            "seed {seed}: what went was not in use"
        );
        assert_eq!(
            aggregates.status().await.expect("a status"),
            status,
            "seed {seed}"
        );
    }
}

/// Days before the first one stay byte for byte, copies on both sides of it are told apart once.
#[tokio::test]
async fn a_rebuild_of_some_days_leaves_the_others_as_they_are() {
    for seed in 0..4 {
        let mut dice = Dice(seed);
        let stored = throw(&mut dice, 80);
        let mut chunks = by_chunk(&mut dice, &stored);
        let late = chunks.split_off(chunks.len() - chunks.len() / 3);
        let world = World::new();
        let aggregates = open(world.folder.path(), "1.sqlite");
        let live = aggregator(&world, Arc::clone(&aggregates), small_batches());
        for (plan, records) in chunks.iter().enumerate() {
            world
                .add_chunk_of(plan as u64, ChunkKind::Pings, records, ANY)
                .await;
        }
        while live.step().await.expect("a step") != Step::Idle {}
        let (before, status) = (
            dump(&*aggregates).await,
            aggregates.status().await.expect("a status"),
        );
        let day: SubmissionDate = stored[dice.below(stored.len())].head.submission_date;
        let days = Days {
            first: Some(day),
            last: None,
        };
        let rebuild = live.wish_rebuild("telemetry/main", days).await.expect("a wish");
        assert!(live.finish_rebuild(&rebuild, &|_| {}).await.expect("folded"));
        assert_eq!(
            dump(&*aggregates).await,
            before,
            "seed {seed}: the rules are the same"
        );
        assert_eq!(
            aggregates.status().await.expect("a status"),
            status,
            "seed {seed}"
        );
        let epochs = aggregates.epochs().await.expect("epochs");
        assert_eq!(epochs.at("telemetry/main", day), rebuild.epoch);
        assert_eq!(epochs.at("telemetry/main", day.plus_days(-1)), 0);
        // What comes late counts once, on whichever side; what would take something back over the border says so.
        for (plan, records) in late.iter().enumerate() {
            let plan = (chunks.len() + plan) as u64;
            world.add_chunk_of(plan, ChunkKind::Pings, records, ANY).await;
        }
        while live.step().await.expect("a step") != Step::Idle {}
        let counters = aggregates.status().await.expect("a status").counters;
        assert_eq!(
            counters.accounted(),
            stored.len() as u64,
            "seed {seed}: each record is in one"
        );
    }
}

#[tokio::test]
async fn a_chunk_that_cannot_be_read_any_more_holds_a_rebuild_up_and_changes_nothing() {
    let mut dice = Dice(11);
    let stored = throw(&mut dice, 40);
    let chunks = by_chunk(&mut dice, &stored);
    let world = World::new();
    let aggregates = open(world.folder.path(), "1.sqlite");
    let live = aggregator(&world, Arc::clone(&aggregates), small_batches());
    let mut keys = Vec::new();
    for (plan, records) in chunks.iter().enumerate() {
        keys.push(
            world
                .add_chunk_of(plan as u64, ChunkKind::Pings, records, ANY)
                .await,
        );
    }
    while live.step().await.expect("a step") != Step::Idle {}
    let before = dump(&*aggregates).await;
    let lost = world.store.get(&keys[0]).await.expect("it is there");
    world.store.delete(&keys[0]).await.expect("deleted");
    let rebuild = live
        .wish_rebuild("telemetry/main", Days::ALL)
        .await
        .expect("a wish");
    for _ in 0..3 * chunks.len() {
        let _ = live.rebuild_step().await.expect("a step");
    }
    assert!(is_under_way(&*aggregates).await);
    let told = live.source_rebuild().expect("it goes on");
    assert_eq!(told.unreadable.chunks, 1);
    assert_eq!(told.progress.chunks, told.progress.chunks_total - 1);
    assert_eq!(dump(&*aggregates).await, before);
    let put = world
        .store
        .put_if_absent(&keys[0], store::Payload::Bytes(lost))
        .await;
    put.expect("it is back");
    world.clock.advance(Duration::from_secs(31));
    let before_end = world.clock.monotonic();
    assert!(live.finish_rebuild(&rebuild, &|_| {}).await.expect("folded"));
    assert_eq!(world.clock.monotonic(), before_end, "nothing waited");
    assert_eq!(dump(&*aggregates).await, before);
}
