//! The same random batches give the same answers as in SQLite, odd names included.

use std::collections::BTreeMap;

use aggregate_store::conformance::{
    any_additions, any_cell_query, cell_batch, chunk_id, dump_of, folded_chunk, knowing, record_id, sources,
};
use aggregate_store::{
    AggregateStore, Batch, Bounds, CellQuery, Committed, Counters, DateClock, Days, Dimension, DimensionSet,
    Epochs, ErroredRow, Filter, Flip, Flipped, RebuildWish, Rebuilds, RetriedChunk, SeenRow, Source,
    SourceCounts, SqliteAggregates, USER_DIMENSIONS, UserQuery, ValueOf,
};
use ping::{SubmissionDate, Timestamp, UNKNOWN};
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
    odd_one(dice.index(9))
}

fn odd_one(number: usize) -> String {
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
    ][number]
        .to_owned()
}

/// What one batch writes beside cells; documents, records and chunks come again.
fn rows(dice: &mut Dice, step: u64) -> Batch {
    let small = |dice: &mut Dice| i64::try_from(dice.below(5)).expect("small") - 2;
    let mut users = UserSketch::new();
    users.extend((0..dice.below(40)).filter_map(|client| coupon_of(&client.to_string())));
    let values = USER_DIMENSIONS.map(|name| (Dimension::named(name), odd(dice)));
    let source = sources()[dice.index(2)].clone();
    let set = DimensionSet::new(source, day().plus_days(small(dice)), values);
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
        source: Source::telemetry_main(),
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
    let counts = SourceCounts {
        counters: Counters {
            folded: small(dice),
            repeated: small(dice),
            ..Counters::default()
        },
        errored_by_reason: BTreeMap::from([(odd(dice), small(dice))]),
        refused_by_reason: BTreeMap::from([(odd(dice), small(dice))]),
    };
    let counted = (sources()[dice.index(2)].clone(), day().plus_days(small(dice)));
    Batch {
        chunks: if step.is_multiple_of(3) {
            Vec::new()
        } else {
            chunks
        },
        users: vec![(set, users)],
        seen,
        errored,
        retried: if step.is_multiple_of(5) {
            vec![retried]
        } else {
            Vec::new()
        },
        counters: counts.counters,
        errored_by_reason: counts.errored_by_reason.clone(),
        refused_by_reason: counts.refused_by_reason.clone(),
        by_source: [(counted, counts)].into(),
        newest_received: Some(Timestamp::from_micros(small(dice))),
        ..Batch::default()
    }
}

/// Has a batch name everything in the epochs in use.
fn place(batch: &mut Batch, epochs: &Epochs) {
    let in_use = |set: &DimensionSet| {
        let epoch = epochs.at(set.source().as_str(), set.submission_date());
        set.clone().in_epoch(epoch)
    };
    batch.dimension_sets = batch.dimension_sets.iter().map(in_use).collect();
    for (set, _) in &mut batch.users {
        *set = in_use(set);
    }
    for row in &mut batch.errored {
        row.source = row
            .source
            .in_epoch(epochs.at(row.source.as_str(), row.submission_date));
    }
    let by_source = std::mem::take(&mut batch.by_source).into_iter();
    let by_source = by_source.map(|((source, day), counts)| {
        let epoch = epochs.at(source.as_str(), day);
        ((source.in_epoch(epoch), day), counts)
    });
    batch.by_source = by_source.collect();
    batch.epochs = epochs.number;
}

/// A rebuild of one source or of all, on all days or from one on, has folded a batch and comes into use; what it replaced is
/// removed.
async fn rebuild(stores: [&dyn AggregateStore; 2], dice: &mut Dice, mut batch: Batch) {
    let wish = RebuildWish {
        source: (dice.below(3) > 0).then(|| sources()[dice.index(2)].as_str().to_owned()),
        days: Days {
            first: (dice.below(2) == 0).then(|| day().plus_days(-1)),
            last: None,
        },
        rules: None,
        version: None,
    };
    let number = stores[0].epochs().await.expect("epochs").number;
    let mut epochs = Vec::new();
    for store in stores {
        epochs.push(store.begin_rebuild(&wish).await.expect("begun").epoch);
    }
    assert_eq!(epochs[0], epochs[1]);
    let mut of_rebuild = Epochs::default();
    of_rebuild.put(None, Days::ALL, epochs[0]);
    place(&mut batch, &of_rebuild);
    batch.epochs = number;
    batch.rebuild = Some(epochs[0]);
    let flip = Flip {
        epoch: epochs[0],
        days: wish.days,
        fences: Vec::new(),
    };
    for store in stores {
        let committed = store.commit(batch.clone()).await.expect("an answer");
        assert_eq!(committed, Committed::Written);
        assert_eq!(
            store.put_into_use(&flip).await.expect("an answer"),
            Flipped::InUse
        );
        while store.remove_unused().await.expect("removed") {}
    }
}

/// All lists of a source; those of more than one value are cut, too.
async fn lists<S: AggregateStore + ?Sized>(store: &S, source: &Source, all: &mut Vec<String>) {
    let channels = store.channels(source, usize::MAX).await.expect("channels");
    for channel in &channels.values {
        for clock in [DateClock::BuildDate, DateClock::SubmissionDate] {
            let dates = store.dates(source, clock, channel, usize::MAX).await;
            let dates = dates.expect("dates").values;
            for date in &dates {
                let options = store
                    .filter_options(source, channel, &date.version, usize::MAX)
                    .await;
                all.push(format!("{channel} {:?}", options.expect("filters")));
            }
            all.push(format!("{channel} {dates:?}"));
        }
    }
    all.push(format!("{channels:?}"));
}

/// Users of a source, grouped and filtered, by what they state and by what they do not.
async fn users<S: AggregateStore + ?Sized>(store: &S, source: &Source, all: &mut Vec<String>) {
    for group_by in [
        None,
        Some(Dimension::OS),
        Some(Dimension::APPLICATION),
        Some(Dimension::E10S),
    ] {
        for filters in [
            Vec::new(),
            vec![Filter::is(Dimension::APPLICATION, "\0")],
            vec![
                Filter::is(Dimension::E10S, UNKNOWN),
                Filter::any_of(Dimension::OS, vec![odd_one(1), odd_one(3)]),
            ],
        ] {
            let query = UserQuery {
                source: source.clone(),
                from: day().plus_days(-9),
                to: day().plus_days(9),
                filters,
                group_by: group_by.map(Dimension::named),
                own_groups: None,
            };
            let days = store.users(&query, usize::MAX).await.expect("users").into_iter();
            all.extend(days.map(|day| format!("{} {:?} {}", day.date, day.group, day.users.estimate())));
            let largest = store.user_groups(&query, 2).await.expect("groups");
            all.push(format!("{largest:?}"));
        }
    }
}

/// Everything that can be asked.
pub(crate) async fn image<S: AggregateStore + ?Sized>(store: &S, queries: &[CellQuery]) -> Vec<String> {
    let mut all = dump_of(store).await;
    for source in sources() {
        lists(store, &source, &mut all).await;
        users(store, &source, &mut all).await;
    }
    for query in queries {
        let series = store.series(query, Bounds::NONE).await.expect("series");
        let of = ValueOf::Dimension(Dimension::named(Dimension::E10S));
        let values = store.values_of(query, of, usize::MAX).await.expect("values");
        all.push(format!("{series:?} {values:?}"));
    }
    let documents: Vec<_> = (0..9).map(document).collect();
    all.push(format!("{:?}", store.seen(&documents).await.expect("copies")));
    all.push(format!("{:?}", store.errored(None, 99).await.expect("errored")));
    all.push(format!("{:?}", store.folded_ids(None, 99).await.expect("chunks")));
    all.push(format!("{:?}", store.status().await.expect("counters")));
    all.push(format!("{:?}", store.source_pings(99).await.expect("counts")));
    all.push(format!("{:?}", store.sources(99).await.expect("sources")));
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
            if step % 4 == 3 {
                let anew = Batch {
                    chunks: vec![folded_chunk(chunk_id(2, 1, step))],
                    seen: Vec::new(),
                    retried: Vec::new(),
                    ..batch.clone()
                };
                rebuild([&*postgres, &sqlite], &mut dice, anew).await;
            }
            place(&mut batch, &sqlite.epochs().await.expect("epochs"));
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
