//! Fills an index with generated entries, in SQLite and in a PostgreSQL of its own, and prints how fast it answers and
//! takes chunks. `cargo run --release -p index-schema --features postgres --example index-speed -- [entries]`

#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]

use std::sync::Arc;
use std::time::Duration;

use index_schema::conformance::Dice;
use index_schema::{
    ChunkKey, ChunkKind, Condition, Index, IndexEntry, PostgresIndex, PostgresSettings, Selection,
    SqliteIndex,
};
use ping::{ChunkId, Dimension, Incarnation, OTHER, Partition, SubmissionDate};
use postgres_for_tests::Postgres;
use service::clock::{Clock, SystemClock};
use service::task;

/// Days that the entries are of.
const DAYS: u64 = 100;
/// Entries of one call while the index is filled.
const BATCH: u64 = 1_000;
/// Questions of each kind.
const QUESTIONS: usize = 500;
/// Chunks that are inserted one by one.
const SINGLES: u64 = 4_000;

const CHANNELS: [(&str, u64); 6] = [
    ("release", 45),
    ("beta", 65),
    ("aurora", 77),
    ("esr", 87),
    ("nightly", 95),
    ("default", 100),
];

struct Generator {
    dice: Dice,
    incarnation: [u8; 16],
    plan: u64,
}

impl Generator {
    fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            incarnation: [seed as u8; 16],
            plan: 0,
        }
    }

    fn day(number: u64) -> SubmissionDate {
        let first: SubmissionDate = "20170101".parse().expect("a date");
        first.plus_days(i64::try_from(number).expect("few"))
    }

    /// A build id; the n-th of 3,000 of its channel.
    fn build(number: u64) -> String {
        let day = Self::day(number / 2).as_yyyymmdd();
        format!("{day}{}0205", ["03", "15"][(number % 2) as usize])
    }

    fn version(number: u64) -> String {
        format!("{}.0.{}", 30 + number / 40, number % 40)
    }

    /// An entry of a day: one in 5,000 values is `OTHER`.
    fn entry(&mut self, day: u64) -> IndexEntry {
        self.plan += 1;
        let roll = self.dice.below(100);
        let channel = CHANNELS
            .iter()
            .find(|(_, below)| roll < *below)
            .expect("below a hundred")
            .0;
        let kind = ["main", "main", "main", "crash", "saved-session", "core"][self.dice.below(6) as usize];
        let date = Self::day(day);
        let (version, build) = (
            Self::version(self.dice.below(1_000)),
            Self::build(self.dice.below(3_000)),
        );
        let values = [
            date.to_string(),
            "telemetry".to_owned(),
            "4".to_owned(),
            kind.to_owned(),
            "Firefox".to_owned(),
            channel.to_owned(),
            version,
            build,
        ];
        let partition = Partition::new(values.map(|value| {
            if self.dice.below(5_000) == 0 {
                OTHER.to_owned()
            } else {
                value
            }
        }));
        let mut partition = partition;
        partition.set(Dimension::SubmissionDate, date.to_string());
        let id = ChunkId {
            incarnation: Incarnation::from_bytes(self.incarnation),
            boot: 1,
            plan: self.plan,
        };
        let key = ChunkKey {
            prefix: "pings".to_owned(),
            kind: ChunkKind::Pings,
            partition: partition.clone(),
            id,
        };
        let received = date.start();
        IndexEntry {
            key: key.to_string(),
            id,
            kind: ChunkKind::Pings,
            partition,
            records: 1 + self.dice.below(1_000),
            raw_bytes: 1_000_000,
            stored_bytes: 100_000,
            received_bytes: 400_000,
            received_min: received,
            received_max: received.saturating_add_micros(1),
            sealed: received,
            replaces: Vec::new(),
            error_reasons: std::collections::BTreeMap::new(),
        }
    }
}

fn questions(seed: u64) -> [(&'static str, Vec<Selection>); 3] {
    let mut dice = Dice::new(seed);
    let one_of = |value: String| Condition::OneOf(vec![value]);
    let select = |conditions| Selection {
        conditions,
        ..Selection::default()
    };
    let mut many =
        |of: &mut dyn FnMut(&mut Dice) -> Selection| (0..QUESTIONS).map(|_| of(&mut dice)).collect();
    [
        (
            "one day × one channel",
            many(&mut |dice| {
                select(vec![
                    (
                        Dimension::SubmissionDate,
                        one_of(Generator::day(dice.below(DAYS)).to_string()),
                    ),
                    (Dimension::AppUpdateChannel, one_of("nightly".to_owned())),
                ])
            }),
        ),
        (
            "30 build ids × one channel",
            many(&mut |dice| {
                let first = dice.below(2_970);
                let (from, to) = (Some(Generator::build(first)), Some(Generator::build(first + 29)));
                select(vec![
                    (Dimension::AppUpdateChannel, one_of("nightly".to_owned())),
                    (Dimension::AppBuildId, Condition::Range { from, to }),
                ])
            }),
        ),
        (
            "one version over 60 days",
            many(&mut |dice| {
                let first = dice.below(DAYS - 60);
                let days = Condition::Range {
                    from: Some(Generator::day(first).to_string()),
                    to: Some(Generator::day(first + 59).to_string()),
                };
                select(vec![
                    (
                        Dimension::AppVersion,
                        Condition::Versions(vec![Generator::version(dice.below(1_000))]),
                    ),
                    (Dimension::SubmissionDate, days),
                ])
            }),
        ),
    ]
}

async fn fill(name: &str, index: &dyn Index, entries: u64, clock: &dyn Clock) {
    let mut generator = Generator::new(1);
    let start = clock.monotonic();
    for batch in 0..entries / BATCH {
        let day = batch * BATCH * DAYS / entries;
        let some: Vec<_> = (0..BATCH).map(|_| generator.entry(day)).collect();
        index.insert(&some).await.expect("inserted");
        let ids: Vec<_> = some.iter().map(|entry| entry.id).collect();
        index.settle(&ids).await.expect("settled");
    }
    let rate = entries as f64 / (clock.monotonic() - start).as_secs_f64();
    println!("{name}: filled with {entries} entries, {BATCH} a call, each settled: {rate:.0} a second");
}

async fn ask(name: &str, index: &dyn Index, clock: &dyn Clock) {
    for (question, selections) in questions(7) {
        let (mut times, mut rows, mut most) = (Vec::new(), 0, 0);
        for selection in &selections {
            let start = clock.monotonic();
            let found = index
                .select(selection, None, 1_001)
                .await
                .expect("selected")
                .len();
            times.push(clock.monotonic() - start);
            rows += found;
            most = most.max(found);
        }
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
        println!(
            "{name}: {question}: p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms; {} rows on average, at most {most}",
            at(50),
            at(99),
            at(100),
            rows / selections.len()
        );
    }
    let start = clock.monotonic();
    index.totals().await.expect("totals");
    println!(
        "{name}: totals {:.2} ms",
        (clock.monotonic() - start).as_secs_f64() * 1e3
    );
}

/// Inserts chunks one by one from so many tasks.
async fn singles(name: &str, index: &Arc<dyn Index>, tasks: u64, clock: &Arc<dyn Clock>) {
    let start = clock.monotonic();
    let inserting: Vec<_> = (0..tasks)
        .map(|number| {
            let index = index.clone();
            let mut generator = Generator::new(100 + tasks * 7 + number);
            task::spawn("inserter", async move {
                for _ in 0..SINGLES / tasks {
                    let entry = generator.entry(DAYS - 1);
                    index.insert(&[entry]).await.expect("inserted");
                }
            })
        })
        .collect();
    for inserter in inserting {
        inserter.await.expect("it ended");
    }
    let took: Duration = clock.monotonic() - start;
    println!(
        "{name}: {tasks} at once, one chunk a call: {:.0} chunks a second",
        SINGLES as f64 / took.as_secs_f64()
    );
}

#[tokio::main]
async fn main() {
    let entries: u64 = std::env::args()
        .nth(1)
        .map_or(1_000_000, |text| text.parse().expect("a number of entries"));
    let clock = SystemClock::shared();
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite: Arc<dyn Index> = SqliteIndex::open(&folder.path().join("index.sqlite")).expect("opened");
    let server = Postgres::start(&["fsync=on", "shared_buffers=256MB", "max_wal_size=4GB"])
        .expect("PostgreSQL is installed");
    let settings = PostgresSettings {
        pool_size: 16,
        ..PostgresSettings::new(server.url(&server.database()))
    };
    let postgres: Arc<dyn Index> = PostgresIndex::open(settings).await.expect("opened");
    for (name, index) in [("SQLite", &sqlite), ("PostgreSQL", &postgres)] {
        fill(name, &**index, entries, &*clock).await;
        ask(name, &**index, &*clock).await;
        for tasks in [1, 16] {
            singles(name, index, tasks, &clock).await;
        }
    }
}
