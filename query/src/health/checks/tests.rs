//! Each verdict against the numbers that make it, and those at its border that do not.

use std::collections::BTreeSet;

use ping::{SubmissionDate, Timestamp};

use super::super::declared::DeclarationNumbers;
use super::super::defined::{DefinitionNumbers, Named, RefusedFiles};
use super::super::numbers::{DiskNumbers, LogNumbers};
use super::super::verdict::NAMES;
use super::*;

const NOW: i64 = 1_800_000_000_000_000;

fn ago(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp::from_micros(NOW - seconds * 1_000_000))
}

/// A pipeline under load that is well.
fn sound() -> HealthNumbers {
    let mut numbers = HealthNumbers {
        at: ago(0),
        ..HealthNumbers::default()
    };
    let counts = &mut numbers.counts;
    (counts.accepted, counts.waiting, counts.chunked, counts.indexed) = (100_000, 500, 99_500, 99_500);
    (counts.folded, counts.errored_pings) = (99_400, 100);
    counts.newest_received = ago(2);
    let log = &mut numbers.log;
    (log.bytes, log.budget_bytes, log.has_room, log.writable) = (1 << 30, 8 << 30, true, true);
    (log.seal_age, log.oldest_waiting) = (Duration::from_secs(10), Some(Duration::from_secs(9)));
    (log.open_partitions, log.open_partitions_max) = (50, 100_000);
    numbers.disk = Some(DiskNumbers {
        free_bytes: 50 << 30,
        size_bytes: 100 << 30,
        is_out_of_inodes: false,
    });
    numbers.index.chunks = 900;
    (numbers.folding.pending_chunks, numbers.folding.pending_since) = (3, ago(2));
    numbers
}

/// What makes a verdict.
type Make = fn(&mut HealthNumbers);

/// A verdict's name, its severity, a piece of its words, and what makes it.
type Case = (&'static str, Severity, &'static str, Make);

const CASES: [Case; 43] = [
    (
        "well",
        Severity::Well,
        "100,000 pings accepted, the newest counted one received 2 s ago",
        |_| {},
    ),
    ("nothing_received", Severity::Well, "No ping", |n| {
        n.counts = crate::StatusReport::default();
    }),
    ("process_failing", Severity::Alarm, "a seal panicked", |n| {
        n.failed = Some("a seal panicked".to_owned());
    }),
    ("ending", Severity::Notice, "told to end", |n| n.ending = true),
    ("log_gone", Severity::Alarm, "none, is where the log was", |n| {
        n.log.lost = Some("another folder, or none, is where the log was".to_owned());
    }),
    ("log_unwritable", Severity::Alarm, "answered 503", |n| {
        n.log.writable = false;
    }),
    (
        "log_full",
        Severity::Alarm,
        "holds 8.0 GiB of 8.0 GiB (100 %)",
        |n| {
            (n.log.has_room, n.log.bytes) = (false, 8 << 30);
        },
    ),
    ("log_filling", Severity::Warning, "(90 %)", |n| {
        n.log.bytes = (8 << 30) / 10 * 9 + 10;
    }),
    (
        "log_filling",
        Severity::Warning,
        "full in about 8 min at this rate",
        |n| {
            (n.log.bytes, n.rates.log_bytes) = ((8_u64 << 30) - (500 << 20), f64::from(1 << 20));
        },
    ),
    (
        "disk_nearly_full",
        Severity::Warning,
        "has 9.8 GiB free of 100 GiB (9 %)",
        |n| disk(n, 99 << 30),
    ),
    ("disk_nearly_full", Severity::Alarm, "(1 %)", |n| {
        disk(n, 19 << 30);
    }),
    (
        "disk_nearly_full",
        Severity::Notice,
        "the log may still take 7.0 GiB",
        |n| {
            n.disk = Some(DiskNumbers {
                free_bytes: 6 << 30,
                size_bytes: 40 << 30,
                is_out_of_inodes: false,
            });
        },
    ),
    (
        "disk_nearly_full",
        Severity::Alarm,
        "has no inode left, though 50 GiB of 100 GiB are free",
        |n| {
            n.disk = n.disk.map(|disk| DiskNumbers {
                is_out_of_inodes: true,
                ..disk
            });
        },
    ),
    (
        "store_gone",
        Severity::Alarm,
        "is gone: put `a` failed. Pings are accepted and wait in the log, which has 7.0 GiB left",
        |n| {
            gone(n, 600);
        },
    ),
    ("store_gone", Severity::Notice, "did not answer", |n| {
        n.store.failing_since = ago(4);
    }),
    ("store_gone", Severity::Alarm, "no room to wait", |n| {
        gone(n, 600);
        n.log.has_room = false;
    }),
    (
        "store_empty",
        Severity::Alarm,
        "the index knows 900 chunks",
        |n| n.store.is_empty = true,
    ),
    (
        "plans_stuck",
        Severity::Warning,
        "1 chunk cannot be put while",
        |n| {
            (n.log.stuck_plans, n.log.oldest_stuck) = (1, Some(Duration::from_secs(90)));
        },
    ),
    ("log_damaged", Severity::Warning, "1 piece of", |n| damaged(n, 1)),
    ("database_gone", Severity::Alarm, "index: closed", |n| {
        n.databases = Some("index: closed".to_owned());
    }),
    ("rebuild_needed", Severity::Alarm, "other rules", |n| {
        n.folding.stopped = Some("other rules".to_owned());
    }),
    ("replay_needed", Severity::Alarm, "lower limits", |n| {
        n.folding.stopped = Some("lower limits".to_owned());
        n.folding.replay_suffices = true;
    }),
    (
        "chunks_unreadable",
        Severity::Warning,
        "2 chunks cannot be read, though the store answers otherwise: their pings are in no number yet. The last said: denied.",
        |n| unreadable_chunks(n, 2, 10),
    ),
    (
        "displaced_unreadable",
        Severity::Notice,
        "1 ping is not counted",
        |n| {
            n.counts.errored_by_reason = [("displaced_unreadable".to_owned(), 1)].into();
        },
    ),
    (
        "sealing_behind",
        Severity::Warning,
        "waits for 81 s, the seal age is 10 s",
        |n| {
            n.log.oldest_waiting = Some(Duration::from_secs(81));
        },
    ),
    ("indexing_behind", Severity::Warning, "500 pings in chunks", |n| {
        (n.counts.indexed, n.index.behind_since) = (99_000, ago(61));
    }),
    (
        "folding_behind",
        Severity::Warning,
        "3 chunks wait to be folded, the newest number is 71 s old; 12 pings",
        |n| {
            (n.folding.pending_since, n.counts.newest_received, n.rates.folded) = (ago(31), ago(71), 12.3);
        },
    ),
    (
        "set_aside",
        Severity::Warning,
        "1 chunk is set aside: its pings",
        |n| n.counts.set_aside = 1,
    ),
    ("set_aside", Severity::Warning, "2 chunks are set aside", |n| {
        damaged(n, 3);
        n.counts.set_aside = 5;
    }),
    (
        "below_floor",
        Severity::Alarm,
        "answered 503, and clients come again: by this machine's clock today is 20270115, and nothing of before 20270401",
        |n| n.retention.objects_floor = date("20270401"),
    ),
    (
        "below_floor",
        Severity::Alarm,
        "stored and not counted: by this machine's clock today is 20270115, and nothing of before 20270116",
        |n| n.retention.aggregates_floor = date("20270116"),
    ),
    (
        "below_floor",
        Severity::Alarm,
        "7 chunks came of days before 20261017",
        |n| {
            (n.retention.objects_floor, n.retention.refused_lately) = (date("20261017"), Some(7));
        },
    ),
    (
        "retention_held",
        Severity::Warning,
        "without a person's word: pings of 9 days; aggregates of 8 days.",
        |n| {
            n.retention.held = vec!["pings of 9 days".to_owned(), "aggregates of 8 days".to_owned()];
        },
    ),
    ("retention_failing", Severity::Warning, "3 objects", |n| {
        n.retention.failed = Some("3 objects could not be deleted".to_owned());
    }),
    ("below_floor", Severity::Alarm, "stored and in no index", |n| {
        (n.log, n.disk) = (LogNumbers::none(), None);
        n.retention.objects_floor = date("20270401");
    }),
    (
        "many_errored",
        Severity::Notice,
        "2 % of all, most often for `gzip` (1,500)",
        |n| {
            n.counts.errored_pings = 2_000;
            n.counts.errored_by_reason = [("gzip".to_owned(), 1_500), ("json".to_owned(), 500)].into();
        },
    ),
    (
        "partitions_capped",
        Severity::Notice,
        "100,000 partitions are open",
        |n| n.log.open_partitions = 100_000,
    ),
    (
        "declarations_refused",
        Severity::Warning,
        "Changed files of --products or --definitions are refused: shop.yaml: line 2, column 3: no. All of what was declared before \
         stays in force.",
        |n| {
            n.refused_files = Some(RefusedFiles {
                words: "shop.yaml: line 2, column 3: no".to_owned(),
                faults: 1,
                at_start: false,
            });
        },
    ),
    (
        "metrics_expired",
        Severity::Notice,
        "1 metric arrived within the last week although its definition has expired: a/b m.old.",
        |n| n.definitions = Some(found(|found| found.expired = named(&["a/b m.old"]))),
    ),
    (
        "metrics_undeclared",
        Severity::Notice,
        "2 metrics arrive that no definition says anything about: a/b m.x, a/b m.y.",
        |n| n.definitions = Some(found(|found| found.undeclared = named(&["a/b m.x", "a/b m.y"]))),
    ),
    (
        "metrics_never_seen",
        Severity::Notice,
        "1 metric is defined and has never arrived: m.gone.",
        |n| n.definitions = Some(found(|found| found.never_seen = named(&["m.gone"]))),
    ),
    (
        "dimensions_crowded",
        Severity::Warning,
        "1 declared dimension has more than 1,000 values: a/b host at /host (1,204 values).",
        |n| {
            n.declarations = Some(DeclarationNumbers {
                crowded: named(&["a/b host at /host (1,204 values)"]),
                ..DeclarationNumbers::default()
            });
        },
    ),
    (
        "declared_never_seen",
        Severity::Notice,
        "2 declared metrics have never arrived, though pings of their sources do: a/b b.x at /x, a/b b.y at /y.",
        |n| {
            n.declarations = Some(DeclarationNumbers {
                never_seen: named(&["a/b b.x at /x", "a/b b.y at /y"]),
                ..DeclarationNumbers::default()
            });
        },
    ),
];

fn named(names: &[&str]) -> Named {
    Named::of(names.iter().map(|name| (*name).to_owned()))
}

fn found(make: impl FnOnce(&mut DefinitionNumbers)) -> DefinitionNumbers {
    let mut found = DefinitionNumbers::default();
    make(&mut found);
    found
}

fn date(text: &str) -> Option<SubmissionDate> {
    Some(text.parse().expect("a date"))
}

fn disk(numbers: &mut HealthNumbers, free_tenths: u64) {
    let free_bytes = free_tenths / 10;
    numbers.disk = Some(DiskNumbers {
        free_bytes,
        size_bytes: 100 << 30,
        is_out_of_inodes: false,
    });
    numbers.log.bytes = numbers.log.budget_bytes / 2;
}

fn gone(numbers: &mut HealthNumbers, seconds: i64) {
    numbers.store.failing_since = ago(seconds);
    numbers.store.error = Some("put `a` failed".to_owned());
}

fn unreadable_chunks(numbers: &mut HealthNumbers, chunks: u64, seconds: i64) {
    let folding = &mut numbers.folding;
    (folding.unreadable_chunks, folding.unreadable_since) = (chunks, ago(seconds));
    folding.unreadable_error = Some("denied".to_owned());
}

fn damaged(numbers: &mut HealthNumbers, pieces: u64) {
    (numbers.log.damaged, numbers.counts.set_aside) = (pieces, pieces);
}

#[test]
fn every_verdict_has_its_numbers_and_its_words() {
    for (name, severity, words, make) in CASES {
        let mut numbers = sound();
        make(&mut numbers);
        let verdicts = judge(&numbers);
        let found = verdicts.iter().find(|verdict| verdict.name == name);
        let found = found.unwrap_or_else(|| panic!("{name}: {verdicts:?}"));
        assert_eq!(found.severity, severity, "{name}: {found:?}");
        assert!(found.what.contains(words), "{name}: {}", found.what);
        assert_eq!(
            found.severity >= Severity::Warning,
            !found.advice.is_empty() && found.severity >= Severity::Warning
        );
        let alone = verdicts
            .iter()
            .filter(|verdict| verdict.severity >= Severity::Warning)
            .count();
        assert!(alone <= 2, "{name} comes with others: {verdicts:?}");
    }
}

#[test]
fn every_name_has_a_case() {
    let cases: BTreeSet<&str> = CASES.iter().map(|(name, ..)| *name).collect();
    assert_eq!(cases, NAMES.into_iter().collect());
}

#[test]
fn what_lies_within_its_patience_is_well() {
    let within: [fn(&mut HealthNumbers); 10] = [
        |n| (n.retention.objects_floor, n.retention.aggregates_floor) = (date("20270115"), date("20270115")),
        |n| n.log.bytes = (8 << 30) / 100 * 89,
        |n| n.log.oldest_waiting = Some(Duration::from_secs(80)),
        |n| (n.counts.indexed, n.index.behind_since) = (99_000, ago(60)),
        |n| (n.folding.pending_since, n.counts.newest_received) = (ago(30), ago(500)),
        |n| (n.folding.pending_since, n.counts.newest_received) = (ago(500), ago(70)),
        |n| (n.folding.pending_since, n.counts.newest_received) = (None, ago(86_400)),
        |n| n.counts.errored_pings = 1_980,
        |n| n.disk = None,
        |n| n.counts.newest_received = ago(-3_600),
    ];
    for (at, make) in within.iter().enumerate() {
        let mut numbers = sound();
        make(&mut numbers);
        let verdicts = judge(&numbers);
        assert_eq!(verdicts[0].name, "well", "{at}: {verdicts:?}");
    }
}

#[test]
fn the_worst_comes_first_and_a_gone_store_explains_what_follows_from_it() {
    let mut numbers = sound();
    gone(&mut numbers, 600);
    numbers.log.oldest_waiting = Some(Duration::from_secs(600));
    (numbers.folding.pending_since, numbers.counts.newest_received) = (ago(600), ago(600));
    numbers.counts.set_aside = 1;
    let names: Vec<&str> = judge(&numbers).iter().map(|verdict| verdict.name).collect();
    assert_eq!(names, ["store_gone", "set_aside"]);
}

#[test]
fn chunks_that_cannot_be_read_are_neither_a_gone_store_nor_a_machine_that_is_too_small() {
    let names = |chunks, seconds| {
        let mut numbers = sound();
        (numbers.folding.pending_since, numbers.counts.newest_received) = (ago(600), ago(600));
        unreadable_chunks(&mut numbers, chunks, seconds);
        let verdicts = judge(&numbers);
        verdicts.iter().map(|verdict| verdict.name).collect::<Vec<_>>()
    };
    assert_eq!(names(3, 600), ["chunks_unreadable"]);
    assert_eq!(names(2, 600), ["folding_behind", "chunks_unreadable"]);
    assert_eq!(names(3, 9), ["well"]);
}

#[test]
fn damage_is_not_said_to_be_set_aside_where_that_may_have_failed() {
    let mut numbers = sound();
    damaged(&mut numbers, 1);
    let verdict = judge(&numbers).remove(0);
    assert!(!verdict.what.contains("set aside"), "{}", verdict.what);
    assert!(
        verdict.advice.contains("where that failed, still in its segment"),
        "{}",
        verdict.advice
    );
}

#[test]
fn a_sentence_says_what_since_when_and_what_to_do() {
    let mut numbers = sound();
    gone(&mut numbers, 720);
    let sentence = judge(&numbers)[0].sentence(numbers.now());
    assert!(sentence.starts_with("The store is gone:"), "{sentence}");
    assert!(
        sentence.contains("(For 12 min.) Bring the store back"),
        "{sentence}"
    );
}

#[test]
fn what_takes_no_pings_is_not_sent_to_a_data_directory() {
    let makes: [(&str, Make); 4] = [
        ("store_gone", |n| gone(n, 600)),
        ("database_gone", |n| {
            n.databases = Some("no route to host".to_owned());
        }),
        ("rebuild_needed", |n| {
            n.folding.stopped = Some("other rules".to_owned());
        }),
        ("replay_needed", |n| {
            n.folding.stopped = Some("lower limits".to_owned());
            n.folding.replay_suffices = true;
        }),
    ];
    for (name, make) in makes {
        let mut numbers = HealthNumbers {
            log: LogNumbers::none(),
            disk: None,
            ..sound()
        };
        make(&mut numbers);
        let verdicts = judge(&numbers);
        let found = verdicts.iter().find(|verdict| verdict.name == name);
        let found = found.unwrap_or_else(|| panic!("{name}: {verdicts:?}"));
        let said = format!("{} {}", found.what, found.advice);
        for word in ["data directory", "beside the process", "Pings are accepted"] {
            assert!(!said.contains(word), "{name}: {said}");
        }
        let command = match name {
            "rebuild_needed" => "Run `highwater rebuild` with this process's --store, --index, --aggregates",
            "replay_needed" => {
                "Run `highwater replay-errors` with this process's --store, --index, --aggregates"
            }
            _ => continue,
        };
        assert!(said.contains(command), "{name}: {said}");
    }
}

#[test]
fn of_many_metrics_the_first_are_named_and_the_others_counted() {
    let mut numbers = sound();
    let all = Named::of((0..1_000).map(|number| format!("a/b m.x{number}"))).and_more(7);
    assert_eq!(all.number(), 1_007);
    numbers.definitions = Some(found(|found| found.undeclared = all));
    let verdicts = judge(&numbers);
    let told = verdicts
        .iter()
        .find(|verdict| verdict.name == "metrics_undeclared");
    let told = &told.expect("it is told").what;
    assert!(told.starts_with("1,007 metrics arrive"), "{told}");
    assert!(told.ends_with("a/b m.x11 and 995 more."), "{told}");
    let listed = numbers.to_json()["definitions"]["undeclared"]["first"].clone();
    assert_eq!(listed.as_array().map(Vec::len), Some(50));
    // Who is well hears so first: nothing of it is wrong with the pipeline.
    assert!(
        verdicts.iter().any(|verdict| verdict.name == "well"),
        "{verdicts:?}"
    );
}

#[test]
fn who_is_well_and_sends_types_that_are_not_counted_hears_so() {
    let words = |stored_only, folded| {
        let mut numbers = sound();
        (numbers.counts.stored_only, numbers.counts.folded) = (stored_only, folded);
        judge(&numbers).remove(0).what
    };
    assert!(
        words(99_400, 0).contains("None is of a counted type"),
        "{}",
        words(99_400, 0)
    );
    assert!(
        words(20, 99_380).contains("stored and not counted: 20 pings"),
        "{}",
        words(20, 99_380)
    );
    assert!(!words(0, 99_400).contains("counted:"), "{}", words(0, 99_400));
}
