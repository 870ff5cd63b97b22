//! What a seed has in store: how the world is, and what befalls each process in it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use disk::Moment;
use edge::EdgeLimits;
use retention::Consent;

use crate::dice::Dice;
use crate::promise::Promise;
use crate::scheduler::Pace;

const DAY: Duration = Duration::from_secs(86_400);

/// By how many days a clock may be off for the whole life of a process.
const LEAPS: [i64; 5] = [-400, -90, 60, 400, 4_000];

/// How the world of a seed is.
#[derive(Clone, Debug)]
pub(crate) struct WorldPlan {
    pub(crate) pings: usize,
    /// Lines of a file that is imported beside them.
    pub(crate) lines: usize,
    /// Processes that end badly, or in order, before the last.
    pub(crate) lives: u64,
    /// Whether chunks go to a store beyond a network, instead of folders on the disk.
    pub(crate) remote: bool,
    pub(crate) pace: Pace,
    pub(crate) limits: EdgeLimits,
    /// How often the index is asked for work.
    pub(crate) poll: Duration,
    /// What a batch of the fold may take.
    pub(crate) batch_bytes: usize,
    /// How many announcements wait for the indexer.
    pub(crate) announcements: usize,
    /// For how many days pings, errored pings and aggregates are kept; `None` for ever.
    pub(crate) keep: Option<u32>,
    /// What a person says to deletions that wait: nothing, where a clock was ever far off.
    pub(crate) consent: Consent,
    /// What is promised of the pings.
    pub(crate) promise: Promise,
    /// By how many days the clock is off while which process runs: each leap once at most, so that no two of them agree.
    pub(crate) leaps: BTreeMap<u64, i64>,
}

/// What befalls one process.
#[derive(Clone, Debug)]
pub(crate) struct LifePlan {
    /// When it ends at the latest.
    pub(crate) length: Duration,
    pub(crate) end: End,
    /// Whether an end in order waits until everything is sealed.
    pub(crate) seals_at_end: bool,
    /// Whether the disk forgets at the end, or only the process dies.
    pub(crate) power_cut: Option<u64>,
    pub(crate) odds: Odds,
    /// When nothing is answered by the store.
    pub(crate) outage: Option<(Duration, Duration)>,
    /// When nothing is answered by index and aggregates.
    pub(crate) database_outage: Option<(Duration, Duration)>,
    /// Which objects the store lists and does not give, until the process is to end.
    pub(crate) unreadable: SomeKeys,
    /// Which objects the store does not delete, as long.
    pub(crate) undeletable: SomeKeys,
    /// By how many days the clock is off from its start to its end.
    pub(crate) leap_days: i64,
    pub(crate) faults: Vec<DiskFault>,
    pub(crate) rebuild: Option<Duration>,
    /// A step of the clock, in microseconds.
    pub(crate) step: Option<(Duration, i64)>,
    /// How long it takes until the next process.
    pub(crate) rest: Duration,
    /// Whole days beside that, where not all days are kept.
    pub(crate) days: u32,
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// As it is asked to.
    InOrder,
    /// At an instant.
    Instant,
    /// At a disk operation.
    Operation(u64, Moment),
    /// At a call of the store.
    StoreCall(u64, Moment),
    /// At a call of index or aggregates.
    DatabaseCall(u64, Moment),
}

/// How often calls end badly, in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Odds {
    /// The store refuses.
    pub(crate) refused: u32,
    /// The store may have done it; it did not.
    pub(crate) call_lost: u32,
    /// The store may have done it; it did.
    pub(crate) answer_lost: u32,
    /// A put beyond the network comes twice, or late, or an object is not listed yet.
    pub(crate) odd: u32,
    /// Index or aggregates refuse.
    pub(crate) database: u32,
    /// An announcement is dropped, doubled, or late.
    pub(crate) announcement: u32,
    /// A client gives up before it is answered.
    pub(crate) impatient: u32,
    /// The longest a call takes on each of its ways, in microseconds.
    pub(crate) delay_us: u64,
}

/// So many objects in a thousand, by their keys.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SomeKeys {
    salt: u64,
    per_mille: u64,
}

impl SomeKeys {
    /// From a generator of its own, so that all else is drawn as it was.
    fn draw(seed: u64, (what, per_mille): (&str, u32), number: u64) -> Self {
        let mut dice = Dice::new(seed, &format!("{what} {number}"));
        Self {
            salt: dice.any(),
            per_mille: if dice.happens(per_mille) {
                dice.one(&[100, 500, 1_000])
            } else {
                0
            },
        }
    }

    /// Whether this object is one of them.
    pub(crate) fn holds(&self, key: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        (self.salt, key).hash(&mut hasher);
        hasher.finish() % 1_000 < self.per_mille
    }
}

/// What is wrong with the disk for a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DiskFault {
    pub(crate) from: Duration,
    pub(crate) until: Duration,
    pub(crate) kind: DiskFaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiskFaultKind {
    /// So many bytes, and no more, can be written.
    Full(u64),
    /// So many syncs in a thousand fail.
    Syncs(u32),
    /// So many reads in a thousand fail.
    Reads(u32),
}

impl WorldPlan {
    pub(crate) fn draw(seed: u64) -> Self {
        let mut dice = Dice::new(seed, "world");
        let seconds = Duration::from_secs;
        let longest = dice.time(Duration::from_micros(10), seconds(1));
        let lives = dice.from(2..8);
        let leaps = leaps(seed, lives);
        Self {
            pings: usize::try_from(dice.scale(8, 100)).expect("a few"),
            lines: usize::try_from(dice.scale(1, 30)).expect("a few"),
            lives,
            remote: dice.happens(500),
            pace: Pace {
                lagging: dice.one(&[50, 300, 700]),
                longest,
            },
            limits: limits(&mut dice),
            poll: dice.time(seconds(1), seconds(120)),
            batch_bytes: dice.one(&[0, 1 << 20, 256 << 20]),
            announcements: dice.one(&[1, 3, 1_000]),
            keep: keep(seed),
            consent: consent(seed, &leaps),
            promise: Promise::draw(seed),
            leaps,
        }
    }
}

/// From a generator of its own, so that all else is drawn as it was.
fn keep(seed: u64) -> Option<u32> {
    let mut dice = Dice::new(seed, "what is kept");
    dice.happens(500).then(|| dice.one(&[1, 2, 3, 3, 4]))
}

/// The same.
fn consent(seed: u64, leaps: &BTreeMap<u64, i64>) -> Consent {
    let mut dice = Dice::new(seed, "a person");
    match leaps.is_empty() && dice.happens(700) {
        true => Consent::Given,
        false => Consent::Bounded,
    }
}

/// The same.
fn leaps(seed: u64, lives: u64) -> BTreeMap<u64, i64> {
    let mut dice = Dice::new(seed, "leaps of the clock");
    let mut leaps = BTreeMap::new();
    for days in LEAPS {
        if dice.happens(80) {
            leaps.insert(dice.from(0..lives), days);
        }
    }
    leaps
}

impl WorldPlan {
    /// How many of the pings are there to be sent in the `number`th process: all in the last.
    pub(crate) fn share(&self, number: u64) -> usize {
        let lives = usize::try_from(self.lives).expect("a few");
        let number = usize::try_from(number).expect("a few");
        self.pings * (number + 1) / (lives + 1)
    }
}

fn limits(dice: &mut Dice) -> EdgeLimits {
    let segment_bytes = dice.one(&[4 << 10, 8 << 10, 32 << 10]);
    let usual = EdgeLimits::default();
    EdgeLimits {
        log_bytes: dice.one(&[8 * segment_bytes, 1 << 20, 4 << 20]),
        segment_bytes,
        waiting_pings: dice.one(&[12, 1_000, 1_000]),
        seal_age: dice.time(Duration::from_millis(50), Duration::from_secs(100)),
        open_partitions: dice.one(&[2, 1_000]),
        seals: usize::try_from(dice.from(1..5)).expect("a few"),
        gathers: usize::try_from(dice.from(1..3)).expect("a few"),
        retry: dice.time(Duration::from_millis(5), Duration::from_secs(1)),
        // Most chunks of a run are of some KB: all in files, some, or none.
        chunk_memory_bytes: dice.one(&[100, 1_500, 3_000, 1 << 20]),
        new_partitions: dice.one(&[10, 200]),
        ..usual
    }
}

impl LifePlan {
    /// The plan of the `number`th process.
    pub(crate) fn draw(seed: u64, number: u64) -> Self {
        let mut dice = Dice::new(seed, &format!("life {number}"));
        let seconds = Duration::from_secs;
        let length = dice.time(Duration::from_millis(1), seconds(600));
        let within = |dice: &mut Dice| dice.time(Duration::from_micros(1), length);
        let outage = dice.happens(100).then(|| {
            let from = within(&mut dice);
            (from, from + dice.time(seconds(1), seconds(3 * 3_600)))
        });
        let database_outage = dice.happens(100).then(|| {
            let from = within(&mut dice);
            (from, from + dice.time(seconds(1), seconds(3 * 3_600)))
        });
        let faults = if dice.happens(250) { dice.from(1..4) } else { 0 };
        let faults = (0..faults).map(|_| fault(&mut dice, length)).collect();
        let ends = [outage, database_outage].into_iter().flatten();
        let longest = ends
            .map(|(_, until): (_, Duration)| until + length)
            .max()
            .unwrap_or(length);
        let step_us = i64::try_from(DAY.as_micros()).expect("a day is short");
        Self {
            length: longest,
            end: end(&mut dice),
            seals_at_end: dice.happens(300),
            power_cut: dice.happens(600).then(|| dice.any()),
            odds: Odds::draw(&mut dice),
            outage,
            database_outage,
            unreadable: SomeKeys::draw(seed, ("unreadable", 250), number),
            undeletable: SomeKeys::draw(seed, ("undeletable", 500), number),
            leap_days: 0,
            faults,
            rebuild: dice.happens(200).then(|| within(&mut dice)),
            step: dice.happens(150).then(|| {
                (
                    within(&mut dice),
                    dice.one(&[step_us, -step_us, step_us / 24, -2_000_000]),
                )
            }),
            rest: if dice.happens(500) {
                dice.time(Duration::from_millis(1), seconds(60))
            } else {
                dice.time(seconds(60), seconds(20 * 3_600))
            },
            days: Dice::new(seed, &format!("days {number}")).one(&[0, 0, 1]),
        }
    }

    /// That of the last process, which ends in order.
    pub(crate) fn last(seed: u64) -> Self {
        let mut dice = Dice::new(seed, "last life");
        Self {
            length: Duration::MAX,
            end: End::InOrder,
            seals_at_end: false,
            power_cut: None,
            odds: Odds {
                delay_us: dice.scale(1, 1 << 20),
                ..Odds::default()
            },
            outage: None,
            database_outage: None,
            unreadable: SomeKeys::default(),
            undeletable: SomeKeys::default(),
            leap_days: 0,
            faults: Vec::new(),
            rebuild: None,
            step: None,
            rest: Duration::ZERO,
            days: 0,
        }
    }
}

fn end(dice: &mut Dice) -> End {
    match dice.from(0..10) {
        0 => End::InOrder,
        1 => End::Instant,
        2..6 => End::Operation(dice.scale(1, 400), dice.moment()),
        6..8 => End::StoreCall(dice.scale(1, 60), dice.moment()),
        _ => End::DatabaseCall(dice.scale(1, 120), dice.moment()),
    }
}

fn fault(dice: &mut Dice, length: Duration) -> DiskFault {
    let from = if dice.happens(300) {
        Duration::ZERO
    } else {
        dice.time(Duration::from_micros(1), length)
    };
    let kind = match dice.from(0..3) {
        0 => DiskFaultKind::Full(dice.scale(1, 64 << 10)),
        1 => DiskFaultKind::Syncs(dice.one(&[50, 300, 1_000])),
        _ => DiskFaultKind::Reads(dice.one(&[50, 300, 1_000])),
    };
    DiskFault {
        from,
        until: from + dice.time(Duration::from_millis(1), length.max(Duration::from_millis(2))),
        kind,
    }
}

impl Odds {
    fn draw(dice: &mut Dice) -> Self {
        let mut one = |usual: u32, bad: u32| dice.one(&[0, 0, usual, bad]);
        Self {
            refused: one(20, 300),
            call_lost: one(20, 300),
            answer_lost: one(20, 400),
            odd: one(50, 400),
            database: one(5, 100),
            announcement: one(50, 500),
            impatient: one(20, 300),
            delay_us: dice.scale(1, 4 << 20),
        }
    }
}
