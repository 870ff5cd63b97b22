//! Generated index entries, and questions about them.

use index_schema::conformance::Dice;
use index_schema::{ChunkKey, ChunkKind, Condition, IndexEntry, Selection};
use ping::{ChunkId, Dimension, Incarnation, OTHER, Partition, SubmissionDate};

/// Days that the entries are of.
pub(super) const DAYS: u64 = 100;
/// Questions of each kind.
const QUESTIONS: usize = 500;

const CHANNELS: [(&str, u64); 6] = [
    ("release", 45),
    ("beta", 65),
    ("aurora", 77),
    ("esr", 87),
    ("nightly", 95),
    ("default", 100),
];

/// Makes entries.
pub(super) struct Generator {
    dice: Dice,
    incarnation: [u8; 16],
    plan: u64,
}

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            incarnation: u128::from(seed).to_be_bytes(),
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
    pub(super) fn entry(&mut self, day: u64) -> IndexEntry {
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

/// Questions of each kind, by name.
pub(super) fn questions(seed: u64) -> [(&'static str, Vec<Selection>); 3] {
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
