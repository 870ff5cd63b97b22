//! A small world of pings, an API over it, and how it is asked.

use std::sync::Arc;

use aggregate_store::{AggregateReads, CellKey, DimensionSet, Source};
use async_trait::async_trait;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use index_schema::{
    AllFloors, ChunkKind, Floors, Index, IndexEntry, IndexError, IndexTotals, Inserted, PartitionCount,
    PartitionOrder, PendingChunk, ProductCount, ProductList, Selection, SetAside, Swap,
};
use ping::{ChunkId, Partition};
use query::definitions::Definitions;
use query::health::{HealthReport, HealthSource};
use query::{Api, Parts, PingsDoor, StatusError, StatusReport, StatusSource};
use serde_json::Value;
use service::clock::HandClock;
use service::current::Current;
use service::dockerflow::{Health, Version};
use sketch::{Cell, HistogramKind, Layout};

use super::store::Facts;

/// Where the distributions of nightly 41 are, by build date.
pub(crate) const NIGHTLY: &str = "/aggregates_by/build_id/channels/nightly/?version=41";

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The value of a header, or an empty text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("text"))
    }

    /// Whether a header is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// The reason and the sentence of a refusal, with its status.
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(body["code"], self.status.as_u16());
        (self.status.as_u16(), text("reason"), text("description"))
    }
}

/// A status that stays, and products that stay.
#[derive(Debug)]
struct Fixed(Option<StatusReport>);

#[async_trait]
impl StatusSource for Fixed {
    async fn status(&self) -> Result<StatusReport, StatusError> {
        self.0
            .clone()
            .ok_or_else(|| StatusError::new("the index is closed"))
    }
}

/// A health that stays.
#[derive(Debug)]
struct FixedHealth(Arc<HealthReport>);

impl HealthSource for FixedHealth {
    fn health(&self) -> Arc<HealthReport> {
        Arc::clone(&self.0)
    }
}

/// What an API is made of, changed at will before it is built.
pub(crate) struct World {
    pub(crate) facts: Facts,
    pub(crate) definitions: Definitions,
    pub(crate) withheld: Vec<String>,
    pub(crate) status: Option<StatusReport>,
    pub(crate) health: HealthReport,
    pub(crate) products: Vec<ProductCount>,
    pub(crate) floors: AllFloors,
    pub(crate) pings: PingsDoor,
}

impl World {
    pub(crate) fn of(facts: Facts) -> Self {
        Self {
            facts,
            definitions: Definitions::default(),
            withheld: Vec::new(),
            status: Some(StatusReport::default()),
            health: HealthReport::default(),
            products: Vec::new(),
            floors: AllFloors::default(),
            pings: PingsDoor::Closed("Not here."),
        }
    }

    /// Adds what a definition file says.
    pub(crate) fn define(mut self, text: &str) -> Self {
        self.definitions.load("definitions", text).expect("understood");
        self
    }

    pub(crate) fn api(self) -> Api {
        self.api_over(|facts| Arc::new(Current::new(Arc::new(facts))))
    }

    /// An API whose aggregates the caller can exchange.
    pub(crate) fn api_over(self, hold: impl FnOnce(Facts) -> Arc<Current<dyn AggregateReads>>) -> Api {
        let version = Version {
            source: "",
            version: "1",
            commit: "",
            build: "",
        };
        Api::new(Parts {
            reads: hold(self.facts),
            index: Arc::new(Products(self.products, self.floors)),
            status: Arc::new(Fixed(self.status)),
            watch: Arc::new(FixedHealth(Arc::new(self.health))),
            charted: Box::new(|product| product.doc_type == "main"),
            pings: self.pings,
            definitions: Arc::new(Current::new(Arc::new(self.definitions))),
            withheld: self.withheld,
            health: Health::new(version),
            clock: HandClock::at_micros(0),
        })
    }
}

/// Asks with any method and headers.
pub(crate) async fn request(api: &Api, method: Method, target: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, body) = api
        .answer(&request.body(()).expect("a request"))
        .await
        .into_parts();
    let body = body.collect().await.expect("a body in memory").to_bytes();
    Answer {
        status: head.status,
        headers: head.headers,
        body: body.to_vec(),
    }
}

/// GET.
pub(crate) async fn get(api: &Api, target: &str) -> Answer {
    request(api, Method::GET, target, &[]).await
}

/// GET of an answer that is there.
pub(crate) async fn get_json(api: &Api, target: &str) -> Value {
    let answer = get(api, target).await;
    assert_eq!(answer.status, 200, "{target}: {}", answer.json());
    answer.json()
}

/// A Firefox of nightly 41, built and received at these dates.
pub(crate) fn firefox(build_date: &str, submission_date: &str) -> DimensionSet {
    DimensionSet::stating(
        Source::telemetry_main(),
        submission_date.parse().expect("a date"),
        &[
            ("channel", "nightly"),
            ("version", "41"),
            ("build_date", build_date),
            ("application", "Firefox"),
            ("architecture", "x86-64"),
            ("os", "Windows_NT"),
            ("os_version", "6.1"),
            ("e10s", "true"),
        ],
    )
}

/// The users of a Firefox of nightly on a day.
pub(crate) fn firefox_users(submission_date: &str, version: &str, os: &str) -> DimensionSet {
    DimensionSet::stating(
        Source::telemetry_main(),
        submission_date.parse().expect("a date"),
        &[
            ("application", "Firefox"),
            ("channel", "nightly"),
            ("version", version),
            ("os", os),
        ],
    )
}

/// A cell of a plain metric.
pub(crate) fn cell(
    metric: &str,
    dimensions: DimensionSet,
    process: &str,
    layout: Layout,
    cell: Cell,
) -> (CellKey, Cell) {
    let key = CellKey {
        metric: metric.to_owned(),
        dimensions,
        process: process.to_owned(),
        label: String::new(),
        layout,
    };
    (key, cell)
}

/// The same under a label.
pub(crate) fn labelled((key, cell): (CellKey, Cell), label: &str) -> (CellKey, Cell) {
    let label = label.to_owned();
    (CellKey { label, ..key }, cell)
}

/// One ping's worth of a metric whose only sample is `value`, in the bin with that lower bound.
pub(crate) fn sample(value: i64) -> Cell {
    Cell::new(1, i128::from(value), [(value, 1)])
}

/// A layout of a kind whose range says nothing.
pub(crate) fn of_kind(kind: HistogramKind, bin_count: u32) -> Layout {
    Layout {
        kind,
        min: 1,
        max: 2,
        bin_count,
    }
}

/// An index that knows products and floors, and nothing else.
#[derive(Debug)]
struct Products(Vec<ProductCount>, AllFloors);

#[async_trait]
impl Index for Products {
    async fn insert(&self, _: &[IndexEntry]) -> Result<Inserted, IndexError> {
        Err(IndexError::Closed)
    }
    async fn contains(&self, _: &[String]) -> Result<Vec<bool>, IndexError> {
        Err(IndexError::Closed)
    }
    async fn pending(&self, _: usize) -> Result<Vec<PendingChunk>, IndexError> {
        Err(IndexError::Closed)
    }
    async fn settle(&self, _: &[ChunkId]) -> Result<(), IndexError> {
        Err(IndexError::Closed)
    }
    async fn make_pending(&self, _: Option<&[ChunkId]>) -> Result<u64, IndexError> {
        Err(IndexError::Closed)
    }
    async fn fail(&self, _: ChunkId, _: &str) -> Result<u32, IndexError> {
        Err(IndexError::Closed)
    }
    async fn note_unreadable(&self, _: &str, _: &str) -> Result<bool, IndexError> {
        Err(IndexError::Closed)
    }
    async fn clear_gone(&self, _: &[String]) -> Result<u64, IndexError> {
        Err(IndexError::Closed)
    }
    async fn all_floors(&self) -> Result<AllFloors, IndexError> {
        Ok(self.1.clone())
    }

    async fn floors(&self) -> Result<Floors, IndexError> {
        Ok(self.1.all)
    }
    async fn set_aside(&self) -> Result<Vec<SetAside>, IndexError> {
        Err(IndexError::Closed)
    }
    async fn select(&self, _: &Selection, _: Option<&str>, _: usize) -> Result<Vec<IndexEntry>, IndexError> {
        Err(IndexError::Closed)
    }
    async fn explain(&self, _: &Selection, _: usize) -> Result<String, IndexError> {
        Err(IndexError::Closed)
    }
    async fn entry(&self, _: ChunkId) -> Result<Option<IndexEntry>, IndexError> {
        Err(IndexError::Closed)
    }
    async fn totals(&self) -> Result<IndexTotals, IndexError> {
        Err(IndexError::Closed)
    }
    async fn products(&self, limit: usize) -> Result<ProductList, IndexError> {
        let products: Vec<ProductCount> = self.0.iter().take(limit).cloned().collect();
        let left_out = (self.0.len() - products.len()) as u64;
        Ok(ProductList { products, left_out })
    }
    async fn partitions(
        &self,
        order: PartitionOrder,
        from: usize,
        limit: usize,
    ) -> Result<Vec<PartitionCount>, IndexError> {
        let count = |number: usize| PartitionCount {
            kind: ChunkKind::Pings,
            partition: Partition::new(std::array::from_fn(|_| format!("{order:?} {number}"))),
            chunks: 1,
            records: number as u64,
            stored_bytes: 2 * number as u64,
        };
        Ok((0..45).map(count).skip(from).take(limit).collect())
    }
    async fn generation(&self) -> Result<u64, IndexError> {
        Err(IndexError::Closed)
    }
    async fn set_generation(&self, _: Swap) -> Result<bool, IndexError> {
        Err(IndexError::Closed)
    }
}
