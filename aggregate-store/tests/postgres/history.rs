//! The same random batches give the same answers as in SQLite, odd names included.

use std::collections::BTreeMap;

use aggregate_store::conformance::{
    any_additions, any_cell_query, cell_batch, chunk_id, dump_of, folded_chunk, knowing, record_id,
};
use aggregate_store::{
    AggregateStore, Batch, Bounds, CellQuery, Counters, DateClock, ErroredRow, RetriedChunk, SeenRow,
    SqliteAggregates, UserDimension, UserFilters, UserKey, UserQuery,
};
use ping::{SubmissionDate, Timestamp};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRunner};
use sketch::{UserSketch, coupon_of};

use crate::dice::{Dice, seeds};
use crate::pings::document;
use crate::test_database::Rotation;

const STEPS: u64 = 25;

fn day() -> SubmissionDate {
    folded_chunk(chunk_id(1, 1, 1)).submission_date
}

fn odd(dice: &mut Dice) -> String {
    [
        "",
        "\0",
        "a\0b",
        "a",
        "\u{ffff}",
        "'; --",
        "\u{1f600}",
        "\\000",
        "\u{1}",
    ][dice.index(9)]
    .to_owned()
}

/// What one batch writes beside cells; documents, records and chunks come again.
fn rows(dice: &mut Dice, step: u64) -> Batch {
    let small = |dice: &mut Dice| i64::try_from(dice.below(5)).expect("small") - 2;
    let mut users = UserSketch::new();
    users.extend((0..dice.below(40)).filter_map(|client| coupon_of(&client.to_string())));
    let key = UserKey {
        submission_date: day().plus_days(small(dice)),
        application: odd(dice),
        channel: odd(dice),
        version: odd(dice),
        os: odd(dice),
    };
    let seen = (0..dice.below(6)).map(|_| SeenRow {
        key: document(dice.below(9)),
        received: Timestamp::from_micros(small(dice)),
        record: record_id(dice.below(3) as u8, dice.below(4)),
        chunk: chunk_id(1, 2, dice.below(9)),
        position: u32::MAX,
        counted: dice.below(2) == 0,
    });
    let seen = seen.collect();
    let errored = (0..dice.below(4)).map(|_| ErroredRow {
        record: record_id(dice.below(3) as u8, dice.below(4)),
        submission_date: day(),
        chunk: chunk_id(1, 3, dice.below(9)),
        position: 3,
        reason: odd(dice),
    });
    let errored = errored.collect();
    let mut chunks = vec![folded_chunk(chunk_id(dice.below(3) as u8, 1, dice.below(STEPS)))];
    chunks[0].key.push_str(&odd(dice));
    let retried = RetriedChunk {
        id: chunk_id(4, 4, dice.below(3)),
        before: dice.below(2) * 10,
        now: 10,
    };
    Batch {
        chunks: if step.is_multiple_of(3) {
            Vec::new()
        } else {
            chunks
        },
        users: vec![(key, users)],
        seen,
        errored,
        retried: if step.is_multiple_of(5) {
            vec![retried]
        } else {
            Vec::new()
        },
        counters: Counters {
            folded: small(dice),
            repeated: small(dice),
            ..Counters::default()
        },
        errored_by_reason: BTreeMap::from([(odd(dice), small(dice))]),
        refused_by_reason: BTreeMap::from([(odd(dice), small(dice))]),
        newest_received: Some(Timestamp::from_micros(small(dice))),
        ..Batch::default()
    }
}

/// Everything that can be asked.
async fn image<S: AggregateStore + ?Sized>(store: &S, queries: &[CellQuery]) -> Vec<String> {
    let mut all = dump_of(store).await;
    for clock in [DateClock::BuildDate, DateClock::SubmissionDate] {
        for channel in store.channels(clock, usize::MAX).await.expect("channels").values {
            let dates = store
                .dates(clock, &channel, usize::MAX)
                .await
                .expect("dates")
                .values;
            for date in &dates {
                let options = store.filter_options(&channel, &date.version, usize::MAX).await;
                all.push(format!("{channel} {:?}", options.expect("filters")));
            }
            all.push(format!("{channel} {dates:?}"));
        }
    }
    for query in queries {
        all.push(format!(
            "{:?}",
            store.series(query, Bounds::NONE).await.expect("series")
        ));
    }
    for group_by in [None, Some(UserDimension::Os), Some(UserDimension::Application)] {
        for application in [None, Some("\0".to_owned())] {
            let query = UserQuery {
                from: day().plus_days(-9),
                to: day().plus_days(9),
                filters: UserFilters {
                    application,
                    ..UserFilters::default()
                },
                group_by,
                own_groups: None,
            };
            let days = store.users(&query, usize::MAX).await.expect("users").into_iter();
            all.extend(days.map(|day| format!("{} {:?} {}", day.date, day.group, day.users.estimate())));
        }
    }
    let documents: Vec<_> = (0..9).map(document).collect();
    all.push(format!("{:?}", store.seen(&documents).await.expect("copies")));
    all.push(format!("{:?}", store.errored(None, 99).await.expect("errored")));
    all.push(format!("{:?}", store.folded_ids(None, 99).await.expect("chunks")));
    all.push(format!("{:?}", store.status().await.expect("counters")));
    let caps = store
        .retried(&[0, 1, 2, 3].map(|plan| chunk_id(4, 4, plan)))
        .await;
    all.push(format!("{:?}", caps.expect("caps")));
    all
}

#[tokio::test]
async fn the_same_batches_give_the_same_answers_as_in_sqlite() {
    let Some(rotation) = Rotation::new() else { return };
    for seed in seeds() {
        let mut dice = Dice::new(seed);
        let config = Config {
            rng_algorithm: RngAlgorithm::ChaCha,
            rng_seed: RngSeed::Fixed(seed),
            ..Config::default()
        };
        let mut runner = TestRunner::new(config);
        let folder = tempfile::tempdir().expect("a folder");
        let sqlite = SqliteAggregates::open(&folder.path().join("sqlite")).expect("opened");
        let postgres = rotation.empty().await;
        let queries = proptest::collection::vec(any_cell_query(), 10).new_tree(&mut runner);
        let queries = queries.expect("drawn").current();
        for step in 0..STEPS {
            let additions = any_additions().new_tree(&mut runner).expect("drawn").current();
            let cells = cell_batch(&additions);
            let mut batch = rows(&mut dice, step);
            batch.append(cells);
            let batch = knowing(&sqlite, batch).await;
            let (ours, theirs) = (postgres.commit(batch.clone()).await, sqlite.commit(batch).await);
            assert_eq!(
                ours.expect("an answer"),
                theirs.expect("an answer"),
                "step {step}"
            );
            if step % 5 == 4 {
                assert_eq!(
                    image(&*postgres, &queries).await,
                    image(&sqlite, &queries).await,
                    "step {step}"
                );
            }
        }
    }
}
