//! A store, an index and aggregates with what works on them, and chunks of one ping to put.

use std::collections::BTreeMap;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use aggregate_store::{AggregateReads, AggregateStore, RetainAggregates, SqliteAggregates};
use aggregator::{Aggregator, AggregatorSettings, Step};
use async_trait::async_trait;
use bytes::Bytes;
use chunk::{ChunkHead, ChunkWriter, RecordHead};
use index_schema::{ChunkKey, ChunkKind, SqliteIndex};
use lambda_indexer::Indexer;
use ping::{ChunkId, Incarnation, Partition, RecordId, SubmissionDate, UNKNOWN};
use retention::{Consent, Parts, Retainer, Rules, RulesBySource, Standstill};
use service::clock::HandClock;
use service::current::Current;
use store::{MemoryStore, Payload, Store};
use tempfile::TempDir;

use crate::yielding::YieldingStore;

/// The first day of the tests.
pub(crate) fn first_day() -> SubmissionDate {
    "20170101".parse().expect("a date")
}

/// A source beside Firefox's, whose pings are Glean's.
pub(crate) const PRODUCT: &str = "acme/usage";

/// Pings with this number and higher ones are of [`PRODUCT`].
pub(crate) const FIRST_OF_PRODUCT: u64 = 5_000;

/// A chunk of one ping: which day after the first one, which of that day, and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Put {
    pub(crate) day: i64,
    pub(crate) number: u64,
    pub(crate) kind: ChunkKind,
}

impl Put {
    pub(crate) fn date(&self) -> SubmissionDate {
        first_day().plus_days(self.day)
    }

    /// Whether it is of the product [`PRODUCT`], a source of its own; else of Firefox.
    pub(crate) fn is_of_product(&self) -> bool {
        self.number >= FIRST_OF_PRODUCT
    }

    fn head(&self) -> ChunkHead {
        let date = self.date().to_string();
        let values = match self.is_of_product() {
            true => [&date, "acme", "1", "usage", UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN],
            false => [
                &date,
                "telemetry",
                "4",
                "main",
                "Firefox",
                "nightly",
                "54.0a1",
                "20170130030205",
            ],
        };
        ChunkHead {
            id: ChunkId {
                incarnation: Incarnation::from_bytes([7; 16]),
                boot: u64::try_from(self.day + 1).expect("days count from 0"),
                plan: self.number + if self.kind == ChunkKind::Errors { 10_000 } else { 0 },
            },
            kind: self.kind,
            partition: Partition::new(values.map(str::to_owned)),
            writer: "test".to_owned(),
            replaces: Vec::new(),
        }
    }

    pub(crate) fn key(&self) -> String {
        let ChunkHead {
            id, kind, partition, ..
        } = self.head();
        let prefix = "pings".to_owned();
        ChunkKey {
            prefix,
            kind,
            partition,
            id,
        }
        .to_string()
    }

    /// The document's id is that of its number: pings of two days with one number are copies of one document.
    fn bytes(&self) -> Vec<u8> {
        let mut writer = ChunkWriter::new(Vec::new(), self.head()).expect("a writer");
        let uri = match self.is_of_product() {
            true => format!("/submit/{PRODUCT}/1/00000000-0000-4000-8000-{:012x}", self.number),
            false => format!(
                "/submit/telemetry/00000000-0000-4000-8000-{:012x}/main/Firefox/54.0a1/nightly/20170130030205",
                self.number
            ),
        };
        let record = RecordHead {
            id: RecordId {
                incarnation: Incarnation::from_bytes([7; 16]),
                sequence: u64::try_from(self.day).expect("a day") * 1_000 + self.number,
            },
            received: self.date().start(),
            submission_date: self.date(),
            uri: Bytes::from(uri),
            headers: Vec::new(),
            received_bytes: 10,
            error: (self.kind == ChunkKind::Errors).then(|| "gzip_cut".to_owned()),
            client_hash: None,
        };
        let histogram =
            r#"{"range":[1,10000],"bucket_count":50,"histogram_type":0,"values":{"7":1},"sum":7}"#;
        let body = format!(
            r#"{{"clientId":"c0000000-0000-4000-8000-{:012x}","application":{{"name":"Firefox","channel":"nightly","version":"54.0a1","buildId":"20170130030205"}},"payload":{{"histograms":{{"GC_{}":{histogram}}}}}}}"#,
            self.number,
            self.number % 3
        );
        let of_product = format!(
            r#"{{"ping_info":{{"seq":0,"start_time":"2017-01-01T10:00+00:00","end_time":"2017-01-01T11:00+00:00"}},"client_info":{{"client_id":"c0000000-0000-4000-8000-{:012x}","os":"Linux"}},"metrics":{{"counter":{{"docs.opened":{}}}}}}}"#,
            self.number, self.number
        );
        let body = if self.is_of_product() { of_product } else { body };
        // What an edge could not decode is no ping to a later one, either.
        let body = match self.kind {
            ChunkKind::Pings => body.as_bytes(),
            ChunkKind::Errors => b"\x1f\x8b cut".as_slice(),
        };
        writer.append(&record, body).expect("appended");
        writer.finish(self.date().start()).expect("finished").sink
    }
}

/// Everything of one installation. Opening it again is a restart.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) index: Arc<SqliteIndex>,
    pub(crate) aggregates: Arc<SqliteAggregates>,
    pub(crate) aggregator: Arc<Aggregator>,
    pub(crate) retainer: Retainer,
    pub(crate) folder: Arc<TempDir>,
}

#[derive(Debug)]
struct Folding(Arc<Aggregator>);

#[async_trait]
impl Standstill for Folding {
    async fn stand_still<'a>(&'a self) -> Result<Box<dyn Send + 'a>, String> {
        let standing = self.0.stand_still().await.map_err(|error| error.to_string())?;
        Ok(Box::new(standing))
    }
}

impl World {
    pub(crate) fn new(rules: Rules) -> Self {
        Self::over(|store| Arc::new(YieldingStore(store)), rules)
    }

    /// One whose store is seen through another.
    pub(crate) fn over(see: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>, rules: Rules) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let store = Arc::new(MemoryStore::new(disk::RealDisk::shared()));
        Self::open(folder, see(store), rules)
    }

    /// What retention works on, with other aggregates.
    pub(crate) fn parts_with(&self, aggregates: Arc<dyn RetainAggregates>) -> Parts {
        Parts {
            store: self.store.clone(),
            index: self.index.clone(),
            aggregates: Arc::new(Current::new(aggregates)),
            folding: Arc::new(Folding(self.aggregator.clone())),
        }
    }

    /// The process died, or has other rules from now on.
    pub(crate) fn restarted(self, rules: Rules) -> Self {
        let (folder, store) = (Arc::clone(&self.folder), Arc::clone(&self.store));
        drop(self);
        Self::open(folder, store, rules)
    }

    fn open(folder: Arc<TempDir>, store: Arc<dyn Store>, rules: Rules) -> Self {
        let at = |name: &str| Path::new(folder.path()).join(name);
        let index = SqliteIndex::open(&at("index.sqlite")).expect("opened");
        let aggregates = Arc::new(SqliteAggregates::open(&at("aggregates.sqlite")).expect("opened"));
        let current: Arc<Current<dyn AggregateStore>> = Arc::new(Current::new(aggregates.clone()));
        let mut settings = AggregatorSettings::default();
        settings.fold.repeat_window = rules.repeat_window;
        let clock = HandClock::at_micros(0);
        let aggregator = Aggregator::new(index.clone(), store.clone(), current, clock, settings);
        let retained: Arc<Current<dyn RetainAggregates>> = Arc::new(Current::new(aggregates.clone()));
        let parts = Parts {
            store: store.clone(),
            index: index.clone(),
            aggregates: retained,
            folding: Arc::new(Folding(aggregator.clone())),
        };
        Self {
            store,
            index,
            aggregates,
            aggregator,
            retainer: Retainer::new(parts, rules),
            folder,
        }
    }

    pub(crate) async fn put(&self, put: Put) {
        let payload = Payload::Bytes(put.bytes().into());
        self.store.put_if_absent(&put.key(), payload).await.expect("put");
    }

    pub(crate) async fn reconcile(&self) {
        let indexer = Indexer::new(self.store.clone(), self.index.clone());
        indexer.reconcile("pings").await.expect("compared");
    }

    pub(crate) async fn fold(&self) {
        while self.aggregator.step().await.expect("folded") != Step::Idle {}
    }

    /// The same with rules of sources.
    pub(crate) fn with_sources(mut self, rules: Rules, by_source: RulesBySource) -> Self {
        let parts = self.parts_with(self.aggregates.clone());
        self.retainer = Retainer::with_sources(parts, rules, by_source);
        self
    }

    /// Runs retention with a person's consent, and drops it after so many turns, as a crash would: what a database was told is done all the
    /// same. Answers whether it came to its end before.
    pub(crate) async fn retain_for(&self, today: SubmissionDate, turns: usize) -> bool {
        let mut run = pin!(self.retainer.run(today, Consent::Given));
        let mut left = turns;
        std::future::poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(false);
            }
            left -= 1;
            run.as_mut().poll(context).map(|done| done.is_ok())
        })
        .await
    }

    pub(crate) async fn dump(&self) -> Vec<String> {
        let (sender, mut lines) = tokio::sync::mpsc::channel(64);
        let aggregates = self.aggregates.clone();
        let dump = service::task::spawn("dump", async move { aggregates.dump(sender).await });
        let mut all = Vec::new();
        while let Some(line) = lines.recv().await {
            all.push(line);
        }
        dump.await.expect("it ends").expect("dumped");
        all
    }

    /// Cells and users by submission date.
    pub(crate) async fn lines_by_day(&self) -> BTreeMap<String, Vec<String>> {
        let mut by_day: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in self.dump().await {
            let day = line.split("\"submission_date\":\"").nth(1).expect("a date")[..8].to_owned();
            by_day.entry(day).or_default().push(line);
        }
        by_day
    }
}
