//! Who notes what was acknowledged, and judges in the end what is stored and what is answered.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tests::{Client, Pipeline, SmallPing, run};

/// What was sent and what was answered.
pub(super) struct Judge {
    pub(super) data: PathBuf,
    pub(super) acknowledged: BTreeSet<u64>,
    next: u64,
}

impl Judge {
    /// Of the data directory `data`; nothing was sent yet.
    pub(super) fn new(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            acknowledged: BTreeSet::new(),
            next: 1,
        }
    }

    /// Posts so many further pings, each once; answers how often each status was answered, 0 standing for none.
    pub(super) fn send(&mut self, edge: &str, pings: u64, filling: usize) -> BTreeMap<u16, u64> {
        let (mut client, mut answers) = (Client::new(edge), BTreeMap::new());
        for number in self.next..self.next + pings {
            let ping = SmallPing {
                filling,
                ..attempt(number)
            };
            let status = client
                .post(&ping.uri(), &[], &ping.body())
                .map_or(0, |response| response.status);
            if status == 200 {
                self.acknowledged.insert(number);
            }
            *answers.entry(status).or_default() += 1;
        }
        self.next += pings;
        answers
    }

    /// The next ping, which the caller sends; to be noted when it is acknowledged.
    pub(super) fn draw(&mut self) -> (u64, SmallPing) {
        self.next += 1;
        (self.next - 1, attempt(self.next - 1))
    }

    /// Goes on with the ping of this number, so that no other judge has sent it.
    pub(super) const fn skip_to(&mut self, number: u64) {
        self.next = number;
    }

    /// The ids of all records in the store, sorted.
    pub(super) fn record_ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self
            .printed()
            .iter()
            .map(|ping| ping["meta"]["recordId"].to_string())
            .collect();
        assert!(ids.iter().all(|id| id != "null"), "{ids:?}");
        ids.sort();
        ids
    }

    /// Posts pings that must all be taken.
    pub(super) fn send_well(&mut self, pipeline: &Pipeline, pings: u64) {
        let answers = self.send(&pipeline.edge, pings, 2_000);
        assert_eq!(answers, BTreeMap::from([(200, pings)]), "{}", self.log());
    }

    /// Every acknowledged ping is in exactly one chunk, nothing is there twice, and the answers are the sums of what is
    /// stored.
    pub(super) fn judge(&self, pipeline: &Pipeline) {
        let status = pipeline.wait_until_settled();
        let missing = self.missing(pipeline);
        assert!(
            missing.is_empty(),
            "acknowledged and gone: {missing:?}\n{status}\n{}",
            self.log()
        );
    }

    /// The same, but for what is missing, which is answered: nothing is there twice, and the answers are the sums of
    /// what is stored.
    pub(super) fn missing(&self, pipeline: &Pipeline) -> Vec<u64> {
        let stored = self.stored();
        let doubled: Vec<_> = stored.iter().filter(|(_, times)| **times != 1).collect();
        assert!(doubled.is_empty(), "stored more than once: {doubled:?}");
        let sum: i64 = stored.keys().map(|number| attempt(*number).sum()).sum();
        let count = i64::try_from(stored.len()).expect("few");
        assert_eq!(answered(pipeline), (sum, count), "the sums of what is stored");
        let log = self.log();
        assert!(!log.contains("panicked"), "{log}");
        self.acknowledged
            .iter()
            .filter(|number| !stored.contains_key(number))
            .copied()
            .collect()
    }

    /// How often each ping is stored, by what `highwater pings` prints.
    fn stored(&self) -> BTreeMap<u64, u32> {
        let mut found = BTreeMap::new();
        for ping in self.printed() {
            let id = ping["meta"]["documentId"].as_str().expect("an id");
            let number = u64::from_str_radix(&id[24..], 16).expect("a number in the id");
            *found.entry(number).or_default() += 1;
        }
        found
    }

    fn printed(&self) -> Vec<Value> {
        let printed = run(&["pings", "--data-dir", &self.data.display().to_string()]);
        assert!(printed.success, "{}", printed.stderr);
        let lines = printed.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    }

    /// Whether questions are answered at all.
    pub(super) fn is_answered(pipeline: &Pipeline) -> bool {
        let mut api = pipeline.api_client();
        (50..53).all(|version| {
            api.get(&target(version))
                .is_ok_and(|response| response.status < 500)
        })
    }

    /// What the process that ran last has logged.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.data.with_extension("log")).unwrap_or_default()
    }
}

/// The `number`th ping: in one of several partitions, with a sum of its own.
fn attempt(number: u64) -> SmallPing {
    let mut ping = SmallPing::numbered(number);
    ping.version = format!("{}.0a1", 50 + number % 3);
    ping.bins = vec![(1, 1), (7, i64::try_from(number % 5).expect("small"))];
    ping
}

/// The sum and count of `GC_MS` over all versions, as the API answers.
fn answered(pipeline: &Pipeline) -> (i64, i64) {
    let mut api = pipeline.api_client();
    let (mut sum, mut count) = (0, 0);
    for version in 50..53 {
        let response = api.get(&target(version)).expect("an answer");
        assert!(
            response.status == 200 || response.status == 404,
            "{}",
            response.text()
        );
        if response.status == 200 {
            let point = &response.json()["data"][0];
            sum += point["sum"].as_i64().expect("a sum");
            count += point["count"].as_i64().expect("a count");
        }
    }
    (sum, count)
}

fn target(version: u64) -> String {
    format!("/aggregates_by/build_id/channels/nightly/?version={version}&dates=20170130&metric=GC_MS")
}
