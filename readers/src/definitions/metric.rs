//! The definition of one metric.

use std::collections::BTreeMap;

use sketch::{BIN_COUNT_MAX, Layout};

use super::expiry::Expiry;
use super::limits::{ITEMS_MAX, LABELS_MAX, RANGE_MAX};
use super::metric_type::MetricType;
use crate::declaration::node::Node;
use crate::declaration::table::{Faults, Table, boolean, list, one_of, plain, whole};
use crate::glean::EVENTS;
use crate::values::Kind;

/// What a definition says of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricDefinition {
    /// Its type.
    pub metric_type: MetricType,
    /// What it measures.
    pub description: String,
    /// The unit of what it counts; none where nothing says it.
    pub unit: Option<String>,
    /// The layout of a custom distribution.
    pub layout: Option<Layout>,
    /// Until when it is recorded.
    pub expires: Option<Expiry>,
    /// How long its value is kept by the client. What outlives a ping repeats in every ping.
    pub lifetime: Lifetime,
    /// The pings in which it is sent.
    pub send_in_pings: Vec<String>,
    /// Its labels; none where they are made by the client, or it has none.
    pub labels: Option<Vec<String>>,
    /// The labels of a dual-labelled counter.
    pub dual_labels: Option<DualLabels>,
    /// What may be said of an event.
    pub extra_keys: BTreeMap<String, ExtraKey>,
    /// Whether an event belongs to a session, and is thinned with it.
    pub in_session: bool,
    /// The counter that stands below a rate.
    pub denominator_metric: Option<String>,
    /// Whether it is not recorded at all.
    pub disabled: bool,
    /// Words of the product under which it is found.
    pub tags: Vec<String>,
}

/// How long a client keeps a metric's value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lifetime {
    /// Until its ping is sent.
    #[default]
    Ping,
    /// Until the application ends.
    Application,
    /// For ever.
    User,
}

/// The labels of a dual-labelled counter; none where the client makes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DualLabels {
    /// Its keys.
    pub keys: Option<Vec<String>>,
    /// Its categories.
    pub categories: Option<Vec<String>>,
}

/// What may be said of an event under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraKey {
    /// What it says.
    pub description: String,
    /// `string`, `boolean` or `quantity`; the first where nothing is said.
    pub value_type: &'static str,
}

const LIFETIMES: [(&str, Lifetime); 3] = [
    ("ping", Lifetime::Ping),
    ("application", Lifetime::Application),
    ("user", Lifetime::User),
];
const TIME_UNITS: [(&str, ()); 7] = [
    ("nanosecond", ()),
    ("microsecond", ()),
    ("millisecond", ()),
    ("second", ()),
    ("minute", ()),
    ("hour", ()),
    ("day", ()),
];
const MEMORY_UNITS: [(&str, ()); 4] = [("byte", ()), ("kilobyte", ()), ("megabyte", ()), ("gigabyte", ())];
const EXTRA_TYPES: [(&str, &str); 3] = [
    ("string", "string"),
    ("boolean", "boolean"),
    ("quantity", "quantity"),
];

impl MetricDefinition {
    /// The metrics that it is in answers, by the definition's full name, and what each is; none for what is stored only.
    #[must_use]
    pub fn counted_as(&self, name: &str) -> Vec<(String, Option<Kind>)> {
        let kind = self.metric_type.kind();
        match self.metric_type {
            MetricType::Rate => [":numerator", ":denominator"]
                .map(|side| (format!("{name}{side}"), kind))
                .to_vec(),
            MetricType::Event => vec![(format!("{EVENTS}{name}"), kind)],
            _ => vec![(name.to_owned(), kind)],
        }
    }

    /// Reads a definition. Keys of which nothing is known are passed: the schema grows.
    pub(super) fn read(name: &str, node: &Node, faults: &mut Faults) -> Option<Self> {
        let what = format!("`{name}`");
        let table = Table::of(node, &what, faults)?;
        let metric_type = table.need("type", &what, faults)?;
        let metric_type = one_of(metric_type, "type", &MetricType::ALL, faults)?;
        units(table, faults);
        let stated = table.get("unit").and_then(|unit| plain(unit, "`unit`", faults));
        let layout = if metric_type.is_custom() {
            Some(custom_layout(table, &what, faults)?)
        } else {
            None
        };
        Some(Self {
            metric_type,
            description: words(table, "description", faults),
            unit: metric_type.unit().map(str::to_owned).or(stated),
            layout,
            expires: table
                .get("expires")
                .and_then(|expires| Expiry::read(expires, faults)),
            lifetime: chosen(table, "lifetime", &LIFETIMES, faults).unwrap_or_default(),
            send_in_pings: pings(table, metric_type, faults),
            labels: table
                .get("labels")
                .map(|labels| texts(labels, "`labels`", LABELS_MAX, faults)),
            dual_labels: table
                .get("dual_labels")
                .and_then(|labels| dual_labels(labels, faults)),
            extra_keys: table
                .get("extra_keys")
                .map(|keys| extra_keys(keys, faults))
                .unwrap_or_default(),
            in_session: flag(table, "in_session", true, faults),
            denominator_metric: table
                .get("denominator_metric")
                .and_then(|metric| plain(metric, "`denominator_metric`", faults)),
            disabled: flag(table, "disabled", false, faults),
            tags: tags(table, faults),
        })
    }
}

/// Words for people, which may be absent.
pub(super) fn words(table: Table<'_>, key: &str, faults: &mut Faults) -> String {
    let found = table.get(key);
    let read = found.and_then(|found| plain(found, &format!("`{key}`"), faults));
    read.unwrap_or_default().trim().to_owned()
}

/// True or false, or what it is where nothing is said.
pub(super) fn flag(table: Table<'_>, key: &str, default: bool, faults: &mut Faults) -> bool {
    let found = table.get(key);
    let read = found.and_then(|found| boolean(found, &format!("`{key}`"), faults));
    read.unwrap_or(default)
}

/// A list of texts.
pub(super) fn texts(node: &Node, what: &str, most: usize, faults: &mut Faults) -> Vec<String> {
    let items = list(node, what, most, faults).iter();
    items.filter_map(|item| plain(item, what, faults)).collect()
}

/// `metadata.tags`.
pub(super) fn tags(table: Table<'_>, faults: &mut Faults) -> Vec<String> {
    let metadata = table.get("metadata");
    let metadata = metadata.and_then(|metadata| Table::of(metadata, "`metadata`", faults));
    let tags = metadata.and_then(|metadata| metadata.get("tags"));
    tags.map(|tags| texts(tags, "`tags`", ITEMS_MAX, faults))
        .unwrap_or_default()
}

fn chosen<T: Copy>(table: Table<'_>, key: &str, known: &[(&str, T)], faults: &mut Faults) -> Option<T> {
    one_of(table.get(key)?, key, known, faults)
}

/// Units of what the client measures: what is sent has one unit whatever they say, and they must be words that are known.
fn units(table: Table<'_>, faults: &mut Faults) {
    let _ = chosen(table, "time_unit", &TIME_UNITS, faults);
    let _ = chosen(table, "memory_unit", &MEMORY_UNITS, faults);
}

fn pings(table: Table<'_>, metric_type: MetricType, faults: &mut Faults) -> Vec<String> {
    let default = if metric_type == MetricType::Event {
        "events"
    } else {
        "metrics"
    };
    let stated = table.get("send_in_pings");
    let stated = stated.map(|pings| texts(pings, "`send_in_pings`", ITEMS_MAX, faults));
    let mut pings = stated.unwrap_or_else(|| vec![default.to_owned()]);
    for ping in &mut pings {
        if ping == "default" {
            default.clone_into(ping);
        }
    }
    pings
}

fn dual_labels(node: &Node, faults: &mut Faults) -> Option<DualLabels> {
    let table = Table::of(node, "`dual_labels`", faults)?;
    let mut side = |key: &str| {
        let side = Table::of(table.get(key)?, &format!("`{key}`"), faults)?;
        let labels = side.get("labels")?;
        Some(texts(labels, "`labels`", LABELS_MAX, faults))
    };
    Some(DualLabels {
        keys: side("key"),
        categories: side("category"),
    })
}

fn extra_keys(node: &Node, faults: &mut Faults) -> BTreeMap<String, ExtraKey> {
    let table = Table::of(node, "`extra_keys`", faults);
    let mut keys = BTreeMap::new();
    for (word, node) in table.iter().flat_map(|table| table.entries) {
        let what = format!("`{}`", word.text);
        let Some(key) = Table::of(node, &what, faults) else {
            continue;
        };
        let description = words(key, "description", faults);
        let value_type = chosen(key, "type", &EXTRA_TYPES, faults).unwrap_or("string");
        keys.insert(
            word.text.clone(),
            ExtraKey {
                description,
                value_type,
            },
        );
    }
    keys
}

/// `histogram_type`, `range_min` (1 where nothing is said), `range_max` and `bucket_count`.
fn custom_layout(table: Table<'_>, what: &str, faults: &mut Faults) -> Option<Layout> {
    type Make = fn(i64, i64, u32) -> Layout;
    const SHAPES: [(&str, Make); 2] = [
        ("linear", Layout::glean_linear),
        ("exponential", Layout::exponential),
    ];
    let shape = table.need("histogram_type", what, faults);
    let max = table.need("range_max", what, faults);
    let bins = table.need("bucket_count", what, faults);
    let make = one_of(shape?, "histogram_type", &SHAPES, faults)?;
    let max = whole(max?, "`range_max`", 0..=RANGE_MAX, faults)?;
    let min = match table.get("range_min") {
        Some(min) => whole(min, "`range_min`", 0..=max, faults)?,
        None => 1,
    };
    let bins = whole(bins?, "`bucket_count`", 1..=i64::from(BIN_COUNT_MAX), faults)?;
    Some(make(min, max, u32::try_from(bins).unwrap_or(BIN_COUNT_MAX)))
}
