//! Records thrown by a seed: copies that differ, straddle midnight and the window's edge; and what they must add up to.

use std::collections::{BTreeMap, BTreeSet};

use aggregate_store::{CellKey, Counters, DimensionSet, Source, Status};
use bytes::Bytes;
use chunk::RecordHead;
use ping::{Incarnation, RecordId, Submission, Timestamp};
use sketch::{Cell, UserSketch, coupon_of};

use crate::fold::oracle::{self, Totals};
use crate::fold::{FoldSettings, PingError};

/// A ping as it lies in a chunk.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) head: RecordHead,
    pub(super) body: Vec<u8>,
}

/// splitmix64.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// Two clients, one of them in two forms, and what is none.
const CLIENTS: [&str; 5] = [
    "c0ffee00-0000-4000-8000-00000000000a",
    "C0FFEE00-0000-4000-8000-00000000000A",
    "c0ffee00-0000-4000-8000-00000000000b",
    "c0ffeec0-ffee-c0ff-eec0-ffeec0ffeec0",
    "",
];

fn body(dice: &mut Dice) -> Vec<u8> {
    let histogram = |n: usize| {
        format!(
            r#"{{"range":[1,100],"bucket_count":10,"histogram_type":0,"values":{{"0":{n},"2":1}},"sum":{n}}}"#
        )
    };
    let bad = ["", "[]", "{\"payload\":{},\"payload\":{}}", "{\"a\":", "\u{1}"];
    if dice.below(8) == 0 {
        return bad[dice.below(bad.len())].as_bytes().to_vec();
    }
    let version = ["54.0", "55.0"][dice.below(2)];
    let client = CLIENTS[dice.below(CLIENTS.len())];
    let metric = ["A", "B"][dice.below(2)];
    let refused = if dice.below(3) == 0 { ",\"R\":7" } else { "" };
    let histogram = histogram(dice.below(5));
    format!(
        r#"{{"clientId":"{client}","payload":{{"histograms":{{"{metric}":{histogram}{refused}}}}},"application":{{"channel":"nightly","version":"{version}"}}}}"#
    )
    .into_bytes()
}

/// Records of few documents, all with different record ids.
pub(super) fn throw(dice: &mut Dice, count: usize) -> Vec<Stored> {
    let settings = FoldSettings::default();
    let window = i64::try_from(settings.repeat_window.as_micros()).expect("14 days");
    let midnight = "20170131"
        .parse::<ping::SubmissionDate>()
        .expect("a date")
        .start();
    let steps = [
        0,
        1,
        2,
        window - 1,
        window,
        window + 1,
        2 * window,
        2 * window + 1,
        -1,
        -window,
        -window - 1,
    ];
    let mut stored = Vec::new();
    for sequence in 0..count {
        let received = midnight.saturating_add_micros(steps[dice.below(steps.len())]);
        let document = dice.below(4);
        let id = match document {
            3 => String::new(),
            _ => format!("{document}0000000-0000-4000-8000-00000000000{}", dice.below(2)),
        };
        let kind = ["main", "main", "main", "main", "main", "event"][dice.below(6)];
        let uri = format!("/submit/telemetry/{id}/{kind}/Firefox/54.0/nightly/20170130030205?v=4");
        stored.push(Stored {
            head: RecordHead {
                id: RecordId {
                    incarnation: Incarnation::from_bytes([dice.below(2) as u8; 16]),
                    sequence: sequence as u64,
                },
                received,
                submission_date: received.submission_date(),
                uri: Bytes::from(uri),
                headers: Vec::new(),
                received_bytes: 1,
                error: None,
                client_hash: None,
            },
            body: body(dice),
        });
    }
    stored
}

/// Records by day, since a chunk has one submission date, each day cut into runs.
pub(super) fn by_chunk(dice: &mut Dice, stored: &[Stored]) -> Vec<Vec<Stored>> {
    let mut days: BTreeMap<u32, Vec<Stored>> = BTreeMap::new();
    for record in stored {
        days.entry(record.head.submission_date.as_yyyymmdd())
            .or_default()
            .push(record.clone());
    }
    let mut chunks = Vec::new();
    for records in days.into_values() {
        let mut rest = &records[..];
        while !rest.is_empty() {
            let length = (1 + dice.below(9)).min(rest.len());
            chunks.push(rest[..length].to_vec());
            rest = &rest[length..];
        }
    }
    dice.shuffle(&mut chunks);
    chunks
}

type Content = (
    BTreeMap<CellKey, Cell>,
    BTreeMap<DimensionSet, UserSketch>,
    Status,
);

/// What these records must add up to, whatever the order: slow and obvious.
pub(super) fn expected(stored: &[Stored]) -> Content {
    let settings = FoldSettings::default();
    let window = i64::try_from(settings.repeat_window.as_micros()).expect("14 days");
    let (mut status, mut totals) = (Status::default(), Totals::default());
    let mut users: BTreeMap<DimensionSet, BTreeSet<String>> = BTreeMap::new();
    let mut copies: Vec<(&Stored, Option<[u8; 16]>, oracle::OraclePing)> = Vec::new();
    for record in stored {
        let uri = std::str::from_utf8(&record.head.uri).expect("a URI");
        let submission = Submission::parse(uri).expect("a submission");
        if submission.document_type.as_deref() != Some("main") {
            let reason = match serde_json::from_slice::<serde_json::Value>(&record.body) {
                Ok(body) if body.is_object() => {
                    status.counters.stored_only += 1;
                    continue;
                }
                Ok(_) => PingError::NotAnObject,
                Err(_) => PingError::NotJson,
            };
            status.counters.errored_pings += 1;
            *status
                .errored_by_reason
                .entry(reason.reason().to_owned())
                .or_default() += 1;
            continue;
        }
        match oracle::read(&record.body, record.head.submission_date) {
            Ok(ping) => {
                let key = submission.document_key().map(|key| *key.as_bytes());
                copies.push((record, key, ping));
            }
            Err(reason) => {
                status.counters.errored_pings += 1;
                *status.errored_by_reason.entry(reason.to_owned()).or_default() += 1;
            }
        }
    }
    for (record, key, ping) in &copies {
        status.newest_received = status.newest_received.max(Some(record.head.received));
        let order = (record.head.received, record.head.id);
        let repeat = copies.iter().any(|(other, other_key, _)| {
            let other = (other.head.received, other.head.id);
            key.is_some() && key == other_key && other < order && order.0.micros_since(other.0) <= window
        });
        if repeat {
            status.counters.repeated += 1;
        } else {
            status.counters.folded += 1;
            totals.add(&ping.totals, 1);
        }
        if let Some(client) = &ping.client_id {
            users.entry(users_of(record)).or_default().insert(client.clone());
        }
    }
    for (reason, parts) in &totals.refused {
        status
            .refused_by_reason
            .insert(reason.clone(), i64::try_from(*parts).expect("few"));
    }
    (
        cells(totals),
        users
            .into_iter()
            .map(|(key, ids)| (key, sketch_of(&ids)))
            .collect(),
        status,
    )
}

fn cells(totals: Totals) -> BTreeMap<CellKey, Cell> {
    let cell = |((dimensions, metric, process, label, layout), sums): (oracle::Key, oracle::Sums)| {
        let key = CellKey {
            metric,
            dimensions,
            process,
            label,
            layout,
        };
        let count = i64::try_from(sums.count).expect("few");
        (key, Cell::new(count, sums.sum, sums.bins))
    };
    totals.cells.into_iter().map(cell).collect()
}

fn users_of(record: &Stored) -> DimensionSet {
    let body: serde_json::Value = serde_json::from_slice(&record.body).expect("JSON");
    let version = body["application"]["version"].as_str().expect("a version");
    let version = version.split('.').next().expect("a part");
    DimensionSet::stating(
        Source::telemetry_main(),
        record.head.submission_date,
        &[("channel", "nightly"), ("version", version)],
    )
}

fn sketch_of(ids: &BTreeSet<String>) -> UserSketch {
    let mut users = UserSketch::new();
    for id in ids {
        users.insert(coupon_of(id).expect("an id"));
    }
    users
}

/// The moment `micros` after the epoch.
pub(super) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// The reasons are words of [`PingError`].
#[test]
fn generated_records_are_of_every_kind() {
    let mut dice = Dice(1);
    let status = expected(&throw(&mut dice, 400)).2;
    let Counters {
        folded,
        repeated,
        stored_only,
        errored_pings,
    } = status.counters;
    assert!(
        folded > 20 && repeated > 20 && stored_only > 20 && errored_pings > 20,
        "{status:?}"
    );
    assert!(
        status
            .errored_by_reason
            .contains_key(PingError::DuplicateKey.reason())
    );
    assert!(status.refused_by_reason.contains_key("histogram_not_an_object"));
}
