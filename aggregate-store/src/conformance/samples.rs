//! Names, cells and batches to write: few enough names that they meet, and odd ones among them.

use ping::{ChunkId, Incarnation, RecordId, SubmissionDate, UNKNOWN};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use sketch::{Cell, Layout};

use crate::{
    Batch, BatchBuilder, CellKey, CellQuery, Dimension, DimensionSet, Filter, FoldedChunk, SeenIds, Source,
};

const METRICS: [&str; 4] = ["GC_MS", "[[COUNT]]_CRASHES", "A", "odd \"\u{0}\u{e9}\n"];
const CHANNELS: [&str; 2] = ["nightly", "esr"];
const VERSIONS: [&str; 2] = ["41", "9"];
const BUILDS: [&str; 3] = ["20150601", "20150531", UNKNOWN];
const APPLICATIONS: [&str; 2] = ["Firefox", "Fennec"];
const ARCHITECTURES: [&str; 2] = ["x86-64", "arm"];
const SYSTEMS: [&str; 2] = ["Linux", "Windows_NT"];
const SYSTEM_VERSIONS: [&str; 4] = ["6.1", "5.15", "5.1", "\u{e4}.15"];
const E10S: [&str; 2] = ["true", UNKNOWN];
const COUNTRY: &str = "country";
/// Some of them are lists.
const COUNTRIES: [&str; 6] = ["DE", "Firefox", "DE,FR", "CDE,F,FR", "DE,UNKNOWN", "%,_"];
const ITEMS: [&str; 8] = ["DE", "FR", "F", "DE,FR", "", "%", "_", UNKNOWN];
const PROCESSES: [&str; 3] = ["parent", "content", "gpu"];
const LABELS: [&str; 3] = ["", "a label", "Firefox"];
const LAYOUTS: [Layout; 3] = [
    Layout::COUNT,
    Layout::SIMPLE,
    Layout::linear(-3, i64::MAX, u32::MAX),
];

/// Dates of samples: two neighbours and one far away.
pub(super) fn days() -> [SubmissionDate; 3] {
    [20_150_602, 20_150_603, 20_161_231]
        .map(|day| SubmissionDate::from_yyyymmdd(day).expect("these are days"))
}

fn one_of<const N: usize>(values: [&'static str; N]) -> impl Strategy<Value = String> {
    select(values.to_vec()).prop_map(str::to_owned)
}

/// `None`, one of the values, or a name that nothing bears.
fn filter<const N: usize>(values: [&'static str; N]) -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        6 => Just(None),
        6 => one_of(values).prop_map(Some),
        1 => Just(Some("no such name".to_owned())),
    ]
}

/// The sources of samples: that of the original, whose lists name what was not stated, and another one.
#[must_use]
pub fn sources() -> [Source; 2] {
    [Source::telemetry_main(), Source::named("acme/usage")]
}

/// Any full name of a cell.
pub fn any_key() -> impl Strategy<Value = CellKey> {
    let set = (
        prop_oneof![3 => Just(sources()[0].clone()), 1 => Just(sources()[1].clone())],
        (select(days().to_vec()), one_of(CHANNELS), one_of(VERSIONS)),
        (one_of(BUILDS), one_of(APPLICATIONS), one_of(ARCHITECTURES)),
        (one_of(SYSTEMS), one_of(SYSTEM_VERSIONS), one_of(E10S)),
        one_of(COUNTRIES),
        // Which of these another source states.
        prop::bits::u16::ANY,
    );
    let set = set.prop_map(|(source, first, second, third, country, stated)| {
        let is_main = source.as_str() == Source::TELEMETRY_MAIN;
        let values = [
            (Dimension::CHANNEL, first.1),
            (Dimension::VERSION, first.2),
            (Dimension::BUILD_DATE, second.0),
            (Dimension::APPLICATION, second.1),
            (Dimension::ARCHITECTURE, second.2),
            (Dimension::OS, third.0),
            (Dimension::OS_VERSION, third.1),
            (Dimension::E10S, third.2),
            (COUNTRY, country),
        ];
        let states = |at: usize, name: &str| match is_main {
            true => name != COUNTRY,
            false => stated & (1 << at) != 0,
        };
        let values = values.into_iter().enumerate();
        let values = values.filter(|(at, (name, _))| states(*at, name));
        let values = values.map(|(_, (name, value))| (Dimension::named(name), value));
        DimensionSet::new(source, first.0, values)
    });
    let names = (
        one_of(METRICS),
        one_of(PROCESSES),
        one_of(LABELS),
        select(LAYOUTS.to_vec()),
    );
    (set, names).prop_map(|(dimensions, (metric, process, label, layout))| CellKey {
        metric,
        dimensions,
        process,
        label,
        layout,
    })
}

/// Signed cells; each key may come several times, and about a third of what comes is taken back later.
pub fn any_additions() -> impl Strategy<Value = Vec<(CellKey, Cell)>> {
    let bound = prop_oneof![0i64..4, Just(i64::MIN), Just(i64::MAX)];
    let bins = prop::collection::vec((bound, -2i128..5), 0..4);
    let sum = prop_oneof![-3i128..4, Just(i128::from(u64::MAX) * 3)];
    let cell = (-1i64..3, sum, bins).prop_map(|(count, sum, bins)| Cell::new(count, sum, bins));
    let additions = prop::collection::vec((any_key(), cell), 0..40);
    additions.prop_flat_map(|additions| {
        let taken = subsequence(additions.clone(), 0..=additions.len() / 2);
        taken.prop_map(move |taken| {
            let mut all = additions.clone();
            for (key, cell) in taken {
                let mut back = Cell::default();
                back.subtract(&cell);
                all.push((key, back));
            }
            all
        })
    })
}

/// Any question for a series.
pub fn any_cell_query() -> impl Strategy<Value = CellQuery> {
    let dates = select(vec![
        "20150601", "20150531", "20150602", "20150603", UNKNOWN, "no date",
    ]);
    let dates = prop::collection::vec(dates.prop_map(str::to_owned), 0..4);
    let dates = (
        select(vec![Dimension::BUILD_DATE, Dimension::SUBMISSION_DATE]),
        dates,
    );
    let dates = prop::option::of(dates.prop_map(|(clock, dates)| Filter::any_of(clock, dates)));
    let of =
        |dimension: &'static str, value: Option<String>| value.map(|value| Filter::is(dimension, &value));
    let filters = (
        (
            dates,
            prop::option::weighted(0.3, range()),
            prop::option::weighted(0.3, items()),
        ),
        (filter(CHANNELS), filter(VERSIONS), filter(APPLICATIONS)),
        (filter(ARCHITECTURES), filter(SYSTEMS), filter(SYSTEM_VERSIONS)),
        (filter(E10S), prop::option::weighted(0.2, one_of(COUNTRIES))),
        prop_oneof![3 => Just(None), 2 => filter(["5.1", "6.1", "5.15", "5", "\u{e4}.1", "'.\0", "UNK", UNKNOWN])],
    );
    let filters = filters.prop_map(
        move |((dates, range, items), first, second, third, original_os_version)| {
            let filters = [
                dates,
                range,
                items,
                of(Dimension::CHANNEL, first.0),
                of(Dimension::VERSION, first.1),
                of(Dimension::APPLICATION, first.2),
                of(Dimension::ARCHITECTURE, second.0),
                of(Dimension::OS, second.1),
                of(Dimension::OS_VERSION, second.2),
                of(Dimension::E10S, third.0),
                of(COUNTRY, third.1),
                original_os_version.map(|version| Filter::original_os_version(&version)),
            ];
            filters.into_iter().flatten().collect::<Vec<_>>()
        },
    );
    // Of ten filters at once nothing is left: most questions have a few.
    let filters = filters.prop_flat_map(|filters| {
        let some = 0..=filters.len().min(4);
        subsequence(filters, some)
    });
    let groups = vec![
        Dimension::VERSION,
        Dimension::BUILD_DATE,
        Dimension::SUBMISSION_DATE,
        Dimension::OS,
        COUNTRY,
        "no such dimension",
    ];
    let group_by = subsequence(groups, 0..4).prop_shuffle();
    let processes = prop::option::weighted(0.3, prop::collection::vec(one_of(PROCESSES), 0..3));
    let source = prop_oneof![6 => select(sources().to_vec()), 1 => Just(Source::named("no/such"))];
    (
        source,
        one_of(METRICS),
        filters,
        filter(LABELS),
        (processes, any::<bool>()),
        group_by,
    )
        .prop_map(
            |(source, metric, filters, label, (processes, by_process), group_by)| CellQuery {
                source,
                metric,
                filters,
                label,
                processes,
                group_by: group_by.into_iter().map(Dimension::named).collect(),
                by_process,
            },
        )
}

/// Any items of a list, or of what is none.
fn items() -> impl Strategy<Value = Filter> {
    let dimensions = vec![COUNTRY, Dimension::OS, "no such dimension"];
    let items = prop::collection::vec(one_of(ITEMS), 0..3);
    (select(dimensions), items).prop_map(|(dimension, items)| Filter::any_item_of(dimension, items))
}

/// Any range of a dimension, either end open or not.
fn range() -> impl Strategy<Value = Filter> {
    let dimensions = vec![
        Dimension::BUILD_DATE,
        Dimension::SUBMISSION_DATE,
        Dimension::OS_VERSION,
        COUNTRY,
        "no such dimension",
    ];
    let ends = vec![
        "20150531", "20150602", "2016", "5.1", "DE", "G", "", "\u{e4}", UNKNOWN,
    ];
    let end = move || prop::option::weighted(0.7, select(ends.clone()).prop_map(str::to_owned));
    (select(dimensions), end(), end()).prop_map(|(dimension, from, to)| Filter::between(dimension, from, to))
}

/// A batch that adds these cells.
#[must_use]
pub fn cell_batch(additions: &[(CellKey, Cell)]) -> Batch {
    let mut builder = BatchBuilder::new();
    for (key, cell) in additions {
        builder.add_cell(key, cell);
    }
    builder.build()
}

/// The batch, as if it were folded on top of what is stored now.
///
/// # Panics
/// When the store does not answer.
pub async fn knowing<S: SeenIds + ?Sized>(store: &S, mut batch: Batch) -> Batch {
    let documents: Vec<_> = batch.seen.iter().map(|row| row.key).collect();
    batch.known = store.seen(&documents).await.expect("copies");
    batch
}

/// A chunk's identity.
#[must_use]
pub fn chunk_id(incarnation: u8, boot: u64, plan: u64) -> ChunkId {
    ChunkId {
        incarnation: Incarnation::from_bytes([incarnation; 16]),
        boot,
        plan,
    }
}

/// A chunk to fold, with ten records.
#[must_use]
pub fn folded_chunk(id: ChunkId) -> FoldedChunk {
    FoldedChunk {
        id,
        key: format!("pings/v1/{id}.zst"),
        submission_date: days()[0],
        records: 10,
    }
}

/// A record's identity.
#[must_use]
pub fn record_id(incarnation: u8, sequence: u64) -> RecordId {
    RecordId {
        incarnation: Incarnation::from_bytes([incarnation; 16]),
        sequence,
    }
}
