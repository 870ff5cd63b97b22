//! Laws of rebuilds: what is in use is never touched before one comes into use, then all of it is, and of what it replaced nothing stays.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ping::{ChunkId, SubmissionDate};
use proptest::prelude::*;
use proptest::sample::select;
use sketch::{Cell, UserSketch};
use tokio::runtime::Runtime;

use super::law::check_some;
use super::samples::days;
use super::{
    Oracle, any_additions, any_cell_query, asked, cell_batch, chunk_id, dump_of, folded_chunk, record_id,
    sources,
};
use crate::{
    AggregateError, AggregateStore, Batch, CellKey, CellQuery, Committed, Counters, Days, Epochs, ErroredRow,
    Flip, Flipped, FoldVersion, FoldedChunk, Rebuild, RebuildWish, RetriedChunk, Source, SourceCounts,
};

/// Random histories: each compares after every step.
const HISTORIES: u32 = 10;

type Additions = Vec<(CellKey, Cell)>;

/// What happens to a store.
#[derive(Clone, Debug)]
enum Step {
    /// A chunk is folded into what is in use.
    Fold(Additions),
    /// A rebuild is wished, of a source or of all.
    Begin(Option<usize>, Days),
    /// A chunk is folded by the rebuild that was begun last.
    FoldAnew(Additions),
    /// The rebuild that was begun last comes into use.
    PutIntoUse,
    /// It is given up.
    GiveUp,
    /// A slice of what is not in use is removed.
    Remove,
}

fn any_days() -> impl Strategy<Value = Days> {
    let end = || prop::option::of(select(days().to_vec()));
    (end(), end()).prop_map(|(one, other)| match (one, other) {
        (Some(one), Some(other)) => Days {
            first: Some(one.min(other)),
            last: Some(one.max(other)),
        },
        (first, last) => Days { first, last },
    })
}

fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => any_additions().prop_map(Step::Fold),
        3 => (prop::option::weighted(0.7, 0..sources().len()), any_days())
            .prop_map(|(source, days)| Step::Begin(source, days)),
        4 => any_additions().prop_map(Step::FoldAnew),
        3 => Just(Step::PutIntoUse),
        1 => Just(Step::GiveUp),
        2 => Just(Step::Remove),
    ];
    prop::collection::vec(step, 1..14)
}

pub(super) fn keep_the_law(make: &impl AsyncFn() -> Arc<dyn AggregateStore>, runtime: &Runtime) {
    let cases = (any_steps(), prop::collection::vec(any_cell_query(), 3));
    check_some(HISTORIES, runtime, &cases, async |(steps, queries)| {
        readers_see_what_is_in_use(&*make().await, steps, &queries).await;
    });
    runtime.block_on(async {
        what_was_folded_for_other_epochs_is_not_written(&*make().await).await;
        a_wish_takes_the_place_of_another(&*make().await).await;
        a_rebuild_that_has_folded_what_is_replayed_begins_anew(&*make().await).await;
        rules_are_adopted_by_what_was_never_counted(&*make().await).await;
        a_source_that_was_not_counted_by_name_is_counted_once(&*make().await).await;
    });
}

/// What must be in a store.
#[derive(Debug, Default)]
struct Model {
    epochs: Epochs,
    rebuild: Option<Rebuild>,
    /// By the epoch in which each lies.
    cells: Vec<(CellKey, Cell)>,
    errored: Vec<ErroredRow>,
    folded: BTreeMap<ChunkId, SubmissionDate>,
    rebuilt: BTreeMap<ChunkId, SubmissionDate>,
    chunks: u64,
}

impl Model {
    fn is_used(&self, source: &Source, day: SubmissionDate) -> bool {
        self.epochs.holds(source, day)
    }

    fn used(&self) -> Additions {
        let cells = self.cells.iter();
        let used =
            cells.filter(|(key, _)| self.is_used(key.dimensions.source(), key.dimensions.submission_date()));
        used.map(|(key, cell)| (in_epoch(key, 0), cell.clone())).collect()
    }

    fn used_errored(&self) -> Vec<ErroredRow> {
        let rows = self.errored.iter();
        let mut used: Vec<ErroredRow> = rows
            .filter(|row| self.is_used(&row.source, row.submission_date))
            .cloned()
            .collect();
        used.sort_by_key(|row| row.record);
        used
    }

    /// A batch of one chunk: each addition is a ping that is folded, and one more ping of its source that is not.
    fn batch(&mut self, additions: &Additions, epoch: impl Fn(&CellKey) -> u32) -> Batch {
        let placed = additions
            .iter()
            .map(|(key, cell)| (in_epoch(key, epoch(key)), cell.clone()));
        let placed: Additions = placed.collect();
        let mut batch = cell_batch(&placed);
        self.chunks += 1;
        let chunk = FoldedChunk {
            submission_date: days()[(self.chunks % 3) as usize],
            ..folded_chunk(chunk_id(5, 1, self.chunks))
        };
        for (at, (key, _)) in (0..).zip(&placed) {
            let set = &key.dimensions;
            batch.errored.push(ErroredRow {
                source: set.source().clone(),
                record: record_id(5, self.chunks * 1_000 + at),
                submission_date: set.submission_date(),
                chunk: chunk.id,
                position: 1,
                reason: "odd".to_owned(),
            });
            let place = (set.source().clone(), set.submission_date());
            batch.by_source.entry(place).or_default().add(&counts(1, 1));
            batch.users.push((set.projected(&[]), UserSketch::new()));
        }
        batch.epochs = self.epochs.number;
        let pings = i64::try_from(placed.len()).expect("few");
        batch.counters = counts(pings, pings).counters;
        batch.errored_by_reason = counts(pings, pings).errored_by_reason;
        batch.chunks = vec![chunk];
        self.cells.extend(placed);
        self.errored.extend(batch.errored.iter().cloned());
        batch
    }
}

fn counts(folded: i64, errored: i64) -> SourceCounts {
    SourceCounts {
        counters: Counters {
            folded,
            errored_pings: errored,
            ..Counters::default()
        },
        errored_by_reason: [("odd".to_owned(), errored)].into(),
        ..SourceCounts::default()
    }
}

fn in_epoch(key: &CellKey, epoch: u32) -> CellKey {
    CellKey {
        dimensions: key.dimensions.clone().in_epoch(epoch),
        ..key.clone()
    }
}

fn wish(source: Option<&str>, days: Days) -> RebuildWish {
    RebuildWish {
        source: source.map(str::to_owned),
        days,
        rules: None,
        version: source.is_none().then(|| FoldVersion {
            code: 9,
            settings: "{}".to_owned(),
        }),
    }
}

async fn committed(store: &dyn AggregateStore, batch: Batch) -> Committed {
    store.commit(batch).await.expect("an answer")
}

async fn readers_see_what_is_in_use(store: &dyn AggregateStore, steps: Vec<Step>, queries: &[CellQuery]) {
    let mut model = Model::default();
    for step in steps {
        take(store, &mut model, step).await;
        compare(store, &model, queries).await;
    }
    let under_way = model.rebuild.take();
    if let Some(rebuild) = &under_way {
        store.give_up_rebuild(rebuild.epoch).await.expect("given up");
    }
    let mut slices = 0;
    while store.remove_unused().await.expect("removed") {
        slices += 1;
        assert!(slices < 1_000, "it ends");
    }
    compare(store, &model, queries).await;
    super::cells::lists_follow(store, &Oracle::of(&model.used())).await;
}

async fn take(store: &dyn AggregateStore, model: &mut Model, step: Step) {
    match step {
        Step::Fold(additions) => {
            let epochs = model.epochs.clone();
            let set =
                |key: &CellKey| epochs.at(key.dimensions.source().as_str(), key.dimensions.submission_date());
            let batch = model.batch(&additions, set);
            model
                .folded
                .extend(batch.chunks.iter().map(|chunk| (chunk.id, chunk.submission_date)));
            assert_eq!(committed(store, batch).await, Committed::Written);
        }
        Step::Begin(source, days) => {
            // One of all takes the place of every other; here no more than one is under way.
            if let Some(before) = model.rebuild.take() {
                store.give_up_rebuild(before.epoch).await.expect("given up");
            }
            let source = source.map(|at| sources()[at].as_str().to_owned());
            let wish = wish(source.as_deref(), days);
            let rebuild = store.begin_rebuild(&wish).await.expect("begun");
            assert_eq!(rebuild.wish, wish);
            assert!(!model.epochs.names(rebuild.epoch), "no number is given twice");
            assert_eq!(store.begin_rebuild(&wish).await.expect("the same"), rebuild);
            assert_eq!(
                store.rebuilds().await.expect("one"),
                std::slice::from_ref(&rebuild)
            );
            model.rebuilt.clear();
            model.rebuild = Some(rebuild);
        }
        Step::FoldAnew(mut additions) => {
            let Some(Rebuild { epoch, wish }) = model.rebuild.clone() else {
                return;
            };
            additions.retain(|(key, _)| {
                let set = &key.dimensions;
                let is_of_it = wish
                    .source
                    .as_deref()
                    .is_none_or(|source| source == set.source().as_str());
                is_of_it && wish.days.hold(set.submission_date())
            });
            let mut batch = model.batch(&additions, |_| epoch);
            batch.rebuild = Some(epoch);
            let chunks: Vec<ChunkId> = batch.chunks.iter().map(|chunk| chunk.id).collect();
            assert_eq!(store.rebuilt(epoch, &chunks).await.expect("answered"), [false]);
            assert_eq!(committed(store, batch.clone()).await, Committed::Written);
            assert_eq!(store.rebuilt(epoch, &chunks).await.expect("answered"), [true]);
            let again = committed(store, batch.clone()).await;
            assert_eq!(again, Committed::AlreadyFolded(chunks), "once");
            model
                .rebuilt
                .extend(batch.chunks.iter().map(|chunk| (chunk.id, chunk.submission_date)));
        }
        Step::PutIntoUse => {
            let Some(Rebuild { epoch, wish }) = model.rebuild.take() else {
                return;
            };
            let flip = Flip {
                epoch,
                days: wish.days,
                fences: Vec::new(),
                accounted: None,
            };
            assert_eq!(
                store.put_into_use(&flip).await.expect("an answer"),
                Flipped::InUse
            );
            assert_eq!(
                store.put_into_use(&flip).await.expect("an answer"),
                Flipped::Outdated,
                "once"
            );
            model.epochs.put(wish.source.as_deref(), wish.days, epoch);
            if wish.source.is_none() {
                assert_eq!(store.fold_version().await.expect("one"), wish.version);
                model.folded.retain(|_, day| !wish.days.hold(*day));
                let rebuilt = model.rebuilt.iter().filter(|(_, day)| wish.days.hold(**day));
                model.folded.extend(rebuilt.map(|(chunk, day)| (*chunk, *day)));
            }
        }
        Step::GiveUp => {
            if let Some(rebuild) = model.rebuild.take() {
                store.give_up_rebuild(rebuild.epoch).await.expect("given up");
                assert_eq!(store.rebuilds().await.expect("none"), []);
            }
        }
        Step::Remove => drop(store.remove_unused().await.expect("removed")),
    }
}

async fn compare(store: &dyn AggregateStore, model: &Model, queries: &[CellQuery]) {
    let used = model.used();
    let oracle = Oracle::of(&used);
    assert_eq!(Oracle::of_dump(&dump_of(store).await), oracle);
    for query in queries {
        assert_eq!(asked(store, query).await, oracle.series(query), "{query:?}");
    }
    let epochs = store.epochs().await.expect("answered");
    assert_eq!(epochs.number, model.epochs.number);
    for source in sources() {
        assert_eq!(epochs.pieces(&source), model.epochs.pieces(&source));
    }
    assert_eq!(
        store.errored(None, usize::MAX).await.expect("rows"),
        model.used_errored()
    );
    let chunks: Vec<ChunkId> = (1..=model.chunks).map(|plan| chunk_id(5, 1, plan)).collect();
    let folded = chunks
        .iter()
        .map(|chunk| model.folded.contains_key(chunk))
        .collect::<Vec<_>>();
    assert_eq!(store.folded(&chunks).await.expect("answered"), folded);
    pings_are_counted(store, &used).await;
}

async fn pings_are_counted(store: &dyn AggregateStore, used: &Additions) {
    let pings = i64::try_from(used.len()).expect("few");
    let status = store.status().await.expect("a status");
    assert_eq!(status.counters, counts(pings, pings).counters);
    let reasons = counts(pings, pings).errored_by_reason;
    let reasons: BTreeMap<_, _> = reasons.into_iter().filter(|(_, pings)| *pings > 0).collect();
    assert_eq!(status.errored_by_reason, reasons);
    let mut by_source: BTreeMap<Source, i64> = BTreeMap::new();
    for (key, _) in used {
        *by_source.entry(key.dimensions.source().clone()).or_default() += 1;
    }
    let listed = store.source_pings(usize::MAX).await.expect("answered");
    let listed = listed
        .values
        .iter()
        .filter(|pings| pings.counters != Counters::default());
    let listed: Vec<_> = listed
        .map(|pings| (pings.source.clone(), pings.counters))
        .collect();
    let expected = by_source
        .into_iter()
        .map(|(source, pings)| (source, counts(pings, pings).counters));
    assert_eq!(listed, expected.collect::<Vec<_>>());
}

async fn what_was_folded_for_other_epochs_is_not_written(store: &dyn AggregateStore) {
    let batch = |plan, epochs, rebuild| Batch {
        chunks: vec![folded_chunk(chunk_id(1, 1, plan))],
        epochs,
        rebuild,
        ..Batch::default()
    };
    let rebuild = store
        .begin_rebuild(&wish(Some("acme/usage"), Days::ALL))
        .await
        .expect("begun");
    let epoch = rebuild.epoch;
    assert_eq!(
        committed(store, batch(1, 0, Some(epoch + 1))).await,
        Committed::Outdated,
        "no such rebuild"
    );
    assert_eq!(
        committed(store, batch(1, 0, Some(epoch))).await,
        Committed::Written
    );
    assert_eq!(
        committed(store, batch(1, 0, None)).await,
        Committed::Written,
        "what is in use has it not"
    );
    let flip = Flip {
        epoch,
        days: Days::ALL,
        fences: Vec::new(),
        accounted: None,
    };
    assert_eq!(
        store.put_into_use(&flip).await.expect("an answer"),
        Flipped::InUse
    );
    assert_eq!(
        committed(store, batch(2, 0, None)).await,
        Committed::Outdated,
        "epochs changed"
    );
    assert_eq!(
        committed(store, batch(2, 0, Some(epoch))).await,
        Committed::Outdated,
        "it is over"
    );
    assert_eq!(committed(store, batch(2, 1, None)).await, Committed::Written);
    let given_up = store
        .begin_rebuild(&wish(None, Days::ALL))
        .await
        .expect("begun")
        .epoch;
    store.give_up_rebuild(given_up).await.expect("given up");
    assert_eq!(
        committed(store, batch(3, 1, Some(given_up))).await,
        Committed::Outdated,
        "given up"
    );
}

/// At once: who puts it into use meanwhile would have the pings be errored ones again.
async fn a_rebuild_that_has_folded_what_is_replayed_begins_anew(store: &dyn AggregateStore) {
    let chunks: Vec<ChunkId> = (1..=4).map(|plan| chunk_id(1, 1, plan)).collect();
    let wish = wish(Some("acme/usage"), Days::ALL);
    let begun = store.begin_rebuild(&wish).await.expect("begun").epoch;
    let row = |at: usize, reason: &str, epoch| ErroredRow {
        source: Source::named("acme/usage").in_epoch(epoch),
        record: record_id(1, chunks[at].plan),
        submission_date: days()[0],
        chunk: chunks[at],
        position: 0,
        reason: reason.to_owned(),
    };
    for (at, chunk) in chunks.iter().enumerate() {
        let fold = |rebuild: Option<u32>| Batch {
            chunks: vec![folded_chunk(*chunk)],
            errored: vec![row(at, "odd", rebuild.unwrap_or(0))],
            counters: Counters {
                errored_pings: 1,
                ..Counters::default()
            },
            rebuild,
            ..Batch::default()
        };
        assert_eq!(committed(store, fold(None)).await, Committed::Written);
        if at != 1 {
            assert_eq!(committed(store, fold(Some(begun))).await, Committed::Written);
        }
    }
    let replay = |at: usize, folded: i64| Batch {
        replayed: vec![row(at, "odd", 0)],
        errored: (folded == 0).then(|| row(at, "odder", 0)).into_iter().collect(),
        counters: Counters {
            folded,
            errored_pings: -folded,
            ..Counters::default()
        },
        ..Batch::default()
    };
    let under_way = async || store.rebuilds().await.expect("an answer");
    for (at, folded) in [(0, 0), (1, 1)] {
        assert_eq!(committed(store, replay(at, folded)).await, Committed::Written);
        let [rebuild] = &under_way().await[..] else {
            panic!("one is under way")
        };
        assert_eq!(
            rebuild.epoch, begun,
            "nothing that it has folded counts otherwise"
        );
    }
    let mut last = begun;
    let retry = Batch {
        retried: vec![RetriedChunk {
            id: chunks[3],
            before: 0,
            now: 9,
        }],
        counters: Counters {
            repeated: 1,
            errored_pings: -1,
            ..Counters::default()
        },
        ..Batch::default()
    };
    for (at, batch) in [(2, replay(2, 1)), (3, retry)] {
        assert_eq!(committed(store, batch).await, Committed::Written);
        let [rebuild] = &under_way().await[..] else {
            panic!("one is under way")
        };
        assert!(rebuild.epoch > last && rebuild.wish == wish, "chunk {at}");
        let rebuilt = store.rebuilt(rebuild.epoch, &chunks).await.expect("an answer");
        assert!(!rebuilt.contains(&true), "it begins with nothing");
        for epoch in [last, begun] {
            let flip = Flip {
                epoch,
                days: Days::ALL,
                fences: Vec::new(),
                accounted: None,
            };
            let put = store.put_into_use(&flip).await;
            assert_eq!(put.expect("an answer"), Flipped::Outdated, "it is over");
        }
        last = rebuild.epoch;
        let again = Batch {
            chunks: vec![folded_chunk(chunks[3])],
            rebuild: Some(last),
            ..Batch::default()
        };
        assert_eq!(committed(store, again).await, Committed::Written);
    }
}

async fn a_wish_takes_the_place_of_another(store: &dyn AggregateStore) {
    let begin = async |wish: RebuildWish| store.begin_rebuild(&wish).await;
    let [one, other] = ["a/one", "a/other"].map(|name| wish(Some(name), Days::ALL));
    let first = begin(one.clone()).await.expect("begun").epoch;
    let beside = begin(other.clone()).await.expect("begun").epoch;
    let ruled = RebuildWish {
        rules: Some("rules".to_owned()),
        ..one.clone()
    };
    let second = begin(ruled.clone()).await.expect("begun").epoch;
    assert_eq!(
        BTreeSet::from([first, beside, second]).len(),
        3,
        "no number is given twice"
    );
    let under_way: Vec<u32> = epochs_of(store).await;
    assert_eq!(under_way, [beside, second]);
    let all = begin(wish(None, Days::ALL)).await.expect("begun").epoch;
    assert_eq!(epochs_of(store).await, [all]);
    let refused = begin(one).await.expect_err("not beside one of all");
    assert!(matches!(refused, AggregateError::RebuildUnderWay), "{refused}");
    store.give_up_rebuild(all).await.expect("given up");
    let last = begin(ruled).await.expect("begun").epoch;
    let flip = Flip {
        epoch: last,
        days: Days::ALL,
        fences: Vec::new(),
        accounted: None,
    };
    assert_eq!(
        store.put_into_use(&flip).await.expect("an answer"),
        Flipped::InUse
    );
    let rules = store.source_rules().await.expect("rules");
    assert_eq!(rules, [("a/one".to_owned(), "rules".to_owned())].into());
}

async fn epochs_of(store: &dyn AggregateStore) -> Vec<u32> {
    let rebuilds = store.rebuilds().await.expect("answered");
    rebuilds.iter().map(|rebuild| rebuild.epoch).collect()
}

async fn rules_are_adopted_by_what_was_never_counted(store: &dyn AggregateStore) {
    let (counted, new) = (Source::named("a/counted"), Source::named("a/new"));
    let batch = Batch {
        chunks: vec![folded_chunk(chunk_id(1, 1, 1))],
        by_source: [((counted.clone(), days()[0]), counts(0, 0))].into(),
        ..Batch::default()
    };
    assert_eq!(committed(store, batch).await, Committed::Written);
    assert!(!store.adopt_rules(&counted, "rules").await.expect("answered"));
    assert!(store.adopt_rules(&new, "rules").await.expect("answered"));
    assert!(
        !store.adopt_rules(&new, "others").await.expect("answered"),
        "once"
    );
    let rules = store.source_rules().await.expect("rules");
    assert_eq!(rules, [("a/new".to_owned(), "rules".to_owned())].into());
    assert_eq!(
        store.epochs().await.expect("answered").number,
        1,
        "who folds learns of it"
    );
}

/// Pings of sources beyond those that are counted by name are counted as `OTHER`'s, until theirs is folded anew.
async fn a_source_that_was_not_counted_by_name_is_counted_once(store: &dyn AggregateStore) {
    let other = Source::named(ping::OTHER);
    let stored_only = |pings| SourceCounts {
        counters: Counters {
            stored_only: pings,
            ..Counters::default()
        },
        ..SourceCounts::default()
    };
    let before = Batch {
        chunks: vec![folded_chunk(chunk_id(1, 1, 1))],
        by_source: [((other.clone(), days()[0]), stored_only(10))].into(),
        counters: stored_only(10).counters,
        ..Batch::default()
    };
    assert_eq!(committed(store, before).await, Committed::Written);
    let epoch = store
        .begin_rebuild(&wish(Some("a/late"), Days::ALL))
        .await
        .expect("begun")
        .epoch;
    let anew = Batch {
        chunks: vec![folded_chunk(chunk_id(1, 1, 1))],
        by_source: [((Source::named("a/late").in_epoch(epoch), days()[0]), counts(4, 0))].into(),
        rebuild: Some(epoch),
        ..Batch::default()
    };
    assert_eq!(committed(store, anew).await, Committed::Written);
    let flip = Flip {
        epoch,
        days: Days::ALL,
        fences: Vec::new(),
        accounted: None,
    };
    assert_eq!(
        store.put_into_use(&flip).await.expect("an answer"),
        Flipped::InUse
    );
    let counters = store.status().await.expect("a status").counters;
    assert_eq!(
        (counters.folded, counters.stored_only),
        (4, 6),
        "ten pings, each once"
    );
}
