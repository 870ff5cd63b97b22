//! The sections of a ping: dimensions, events, metrics; and how what they count is put together.

use std::collections::BTreeMap;

use ping::{OTHER, SubmissionDate};
use sketch::Layout;

use super::slow::{Slow, day};
use super::totals::{Sums, Totals};
use super::tree::Tree;
use super::value::{Meaning, meaning};
use crate::glean::custom_layouts::CustomLayouts;
use crate::glean::error::GleanError;
use crate::glean::limits;
use crate::glean::reader::Received;
use crate::json::JsonError;
use crate::values::{Kind, Rule};

/// Reads a ping whose texts are valid JSON: other texts are an error here, and none for the reader.
///
/// # Errors
/// [`GleanError`]: nothing of the ping counts.
pub fn read(body: &[u8], received: &Received<'_>, custom: &CustomLayouts) -> Result<Totals, GleanError> {
    if received.document_type == "deletion-request" {
        return Err(GleanError::DeletionRequest);
    }
    let tree: Tree = serde_json::from_slice(body).map_err(|_| JsonError::NotJson)?;
    if tree.members().is_none() {
        return Err(GleanError::NotAnObject);
    }
    let ping_info = last(&tree, "ping_info");
    if !received.is_declared && ping_info.and_then(Tree::members).is_none() {
        return Err(GleanError::NotGlean);
    }
    let mut slow = Slow {
        totals: Totals::default(),
        custom,
        received: received.date,
        is_doubled: tree.has_twice(&["ping_info", "client_info", "metrics", "events"]),
        values: 0,
        bins: 0,
    };
    slow.client_and_dimensions(&tree, received);
    if let Some(metrics) = tree.get("metrics") {
        slow.metrics(metrics);
    }
    if let Some(events) = tree.get("events") {
        slow.events(events);
    }
    if slow.is_doubled {
        return Err(GleanError::DuplicateKey);
    }
    Ok(slow.totals)
}

/// The last member under a key: whether a body is Glean's is asked before whether it has the key twice.
fn last<'a>(tree: &'a Tree, key: &str) -> Option<&'a Tree> {
    let members = tree.members()?.iter().rev();
    members
        .clone()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value)
}

impl Slow<'_> {
    fn client_and_dimensions(&mut self, tree: &Tree, received: &Received<'_>) {
        let no = Tree::Object(Vec::new());
        let mut section = |name: &str, fields: &[&str]| -> Tree {
            let section = tree.get(name).unwrap_or(&no);
            self.is_doubled |= section.has_twice(fields);
            if section.members().is_none() && *section != Tree::Null {
                self.totals.count_note(Rule::WrongType, "body");
            }
            section.clone()
        };
        let texts = [
            ("app_channel", 2),
            ("app_display_version", 3),
            ("architecture", 4),
            ("os", 5),
            ("os_version", 6),
            ("locale", 7),
            ("build_date", 1),
            ("app_build", 1),
        ];
        let mut fields = Vec::from(texts.map(|(field, _)| field));
        fields.extend(["client_id", "session_count"]);
        let client = section("client_info", &fields);
        let ping = section("ping_info", &["reason"]);
        self.totals.dimensions.insert(0, received.namespace.to_owned());
        if let Some(id) = client.get("client_id") {
            self.totals.client = self.text(id, "client");
        }
        let mut sent = BTreeMap::new();
        for (field, dimension) in texts {
            if let Some(value) = client.get(field)
                && let Some(text) = self.text(value, &format!("dimension {dimension}"))
                && !["", "Unknown", "unknown"].contains(&text.as_str())
            {
                sent.insert(field, text);
            }
        }
        if let Some(reason) = ping.get("reason")
            && let Some(text) = self.text(reason, "dimension 8")
            && !["", "Unknown", "unknown"].contains(&text.as_str())
        {
            self.dimension(8, text);
        }
        for (field, dimension) in &texts[..6] {
            let Some(text) = sent.get(field) else { continue };
            let value = match *field {
                "app_display_version" => numbers(text, 1),
                "os_version" => numbers(text, 2),
                _ => Some(text.clone()),
            };
            match value {
                Some(value) => self.dimension(*dimension, value),
                None => self
                    .totals
                    .count_note(Rule::NotAVersion, format!("dimension {dimension}")),
            }
        }
        let stated = sent
            .get("build_date")
            .filter(|_| client.get("session_count").is_none());
        self.build_date(
            stated.map(String::as_str),
            sent.get("app_build").map(String::as_str),
        );
        self.tags(received.source_tags.unwrap_or_default());
    }

    fn text(&mut self, value: &Tree, subject: &str) -> Option<String> {
        match value {
            Tree::Text(text) => Some(text.clone()),
            Tree::Null => None,
            _ => {
                self.totals.count_note(Rule::WrongType, subject);
                None
            }
        }
    }

    fn dimension(&mut self, dimension: u32, value: String) {
        let is_long = value.len() > limits::DIMENSION_BYTES_MAX;
        if is_long {
            self.totals
                .count_note(Rule::TextTooLong, format!("dimension {dimension}"));
        }
        let value = if is_long { OTHER.to_owned() } else { value };
        self.totals.dimensions.insert(dimension, value);
    }

    fn build_date(&mut self, stated: Option<&str>, build: Option<&str>) {
        let stated_day = stated.and_then(day);
        let of_build = build.filter(|build| {
            (8..=14).contains(&build.len()) && build.bytes().all(|byte| byte.is_ascii_digit())
        });
        let of_build = of_build.and_then(|build| build[..8].parse::<SubmissionDate>().ok());
        let no_build: SubmissionDate = "19700101".parse().expect("a date");
        let day = stated_day.filter(|day| *day != no_build).or(of_build);
        if let Some(day) = day {
            self.totals.dimensions.insert(1, day.to_string());
        } else if stated.is_some() && stated_day.is_none() {
            self.totals.count_note(Rule::NotADate, "dimension 1");
        }
    }

    fn tags(&mut self, header: &str) {
        let mut tags: Vec<String> = Vec::new();
        for tag in header.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
            let is_long = tag.len() > limits::SOURCE_TAG_BYTES_MAX;
            let tag = if is_long { OTHER } else { tag };
            if tags.iter().any(|known| known == tag) {
                continue;
            }
            if tags.len() == limits::SOURCE_TAGS_MAX {
                self.totals.count_note(Rule::TooManyValues, "dimension 9");
                continue;
            }
            if is_long {
                self.totals.count_note(Rule::TextTooLong, "dimension 9");
            }
            tags.push(tag.to_owned());
        }
        self.totals.lists = tags.into_iter().map(|tag| (9, tag)).collect();
    }

    fn metrics(&mut self, metrics: &Tree) {
        for (section, metrics) in self.named(metrics) {
            for (metric, value) in self.named(metrics) {
                if metric.len() > limits::NAME_BYTES_MAX {
                    self.totals.count_note(Rule::NameTooLong, "body");
                    continue;
                }
                self.metric(section, metric, value);
            }
        }
    }

    /// Members of an object of names; of anything else none.
    fn named<'t>(&mut self, tree: &'t Tree) -> &'t [(String, Tree)] {
        self.is_doubled |= tree.has_any_twice();
        if tree.members().is_none() && *tree != Tree::Null {
            self.totals.count_note(Rule::WrongType, "body");
        }
        tree.members().unwrap_or_default()
    }

    fn metric(&mut self, section: &str, metric: &str, value: &Tree) {
        let labelled = [
            "boolean",
            "counter",
            "quantity",
            "string",
            "timing_distribution",
            "memory_distribution",
            "custom_distribution",
        ];
        let plain = ["string_list", "url", "datetime", "timespan", "rate"];
        let base = section
            .strip_prefix("labeled_")
            .filter(|base| labelled.contains(base));
        if let Some(base) = base {
            let Some(labels) = self.labels(metric, value) else {
                return;
            };
            for (number, (label, value)) in labels.iter().enumerate() {
                let counted = self.label(metric, &[label], label, number);
                self.value(base, metric, Some(counted), value);
            }
        } else if section == "dual_labeled_counter" {
            let Some(keys) = self.labels(metric, value) else {
                return;
            };
            let mut number = 0;
            for (key, value) in keys {
                let Some(categories) = self.labels(metric, value) else {
                    continue;
                };
                for (category, value) in categories {
                    let label = format!("{}/{}", encoded(key), encoded(category));
                    let counted = self.label(metric, &[key, category], &label, number);
                    number += 1;
                    self.value("counter", metric, Some(counted), value);
                }
            }
        } else if labelled.contains(&section) || plain.contains(&section) {
            self.value(section, metric, None, value);
        } else {
            *self.totals.stored.entry(metric.to_owned()).or_default() += 1;
        }
    }

    fn labels<'t>(&mut self, metric: &str, value: &'t Tree) -> Option<&'t [(String, Tree)]> {
        self.is_doubled |= value.has_any_twice();
        if value.members().is_none() {
            self.totals.count_note(Rule::WrongType, metric);
        }
        value.members()
    }

    fn label(&mut self, metric: &str, sides: &[&String], label: &str, before: usize) -> String {
        let is_long = |side: &&String| side.chars().count() > limits::LABEL_CHARACTERS_MAX;
        let rule = if sides.iter().any(is_long) {
            Rule::LabelTooLong
        } else if before >= limits::LABELS_PER_METRIC_MAX {
            Rule::TooManyLabels
        } else {
            return label.to_owned();
        };
        self.totals.count_note(rule, metric);
        OTHER.to_owned()
    }

    fn value(&mut self, base: &str, metric: &str, label: Option<String>, value: &Tree) {
        match meaning(self, base, metric, value) {
            Ok(Meaning::Nothing) => {}
            Ok(Meaning::Numbers(numbers)) => {
                for (suffix, number) in numbers {
                    if self.values >= limits::VALUES_PER_PING_MAX {
                        self.totals.count_note(Rule::TooManyMetrics, metric);
                        return;
                    }
                    self.number(format!("{metric}{suffix}"), label.clone(), number);
                }
            }
            Ok(Meaning::Names(names)) => self.names(metric, &label, names),
            Ok(Meaning::Samples { layout, sum, bins }) => {
                if self.values >= limits::VALUES_PER_PING_MAX {
                    self.totals.count_note(Rule::TooManyMetrics, metric);
                    return;
                }
                self.add(metric.to_owned(), label, Kind::Distribution, layout, sum, bins);
            }
            Err(rule) => self.totals.count_note(rule, metric),
        }
    }

    fn names(&mut self, metric: &str, label: &Option<String>, names: Vec<String>) {
        let mut here: Vec<String> = Vec::new();
        for name in names {
            if self.values >= limits::VALUES_PER_PING_MAX {
                self.totals.count_note(Rule::TooManyMetrics, metric);
                continue;
            }
            let is_long = name.len() > limits::STRING_BYTES_MAX;
            if is_long {
                self.totals.count_note(Rule::TextTooLong, metric);
            }
            let name = if is_long { OTHER.to_owned() } else { name };
            if !here.contains(&name) {
                here.push(name.clone());
                self.values += 1;
            }
            let key = (metric.to_owned(), label.clone());
            let values = self.totals.categories.entry(key).or_default();
            *values.entry(name).or_default() += 1;
        }
    }

    fn number(&mut self, metric: String, label: Option<String>, number: i64) {
        let bins = vec![(Layout::NUMBER.bin_of(number), 1)];
        self.add(metric, label, Kind::Number, Layout::NUMBER, number, bins);
    }

    fn add(
        &mut self,
        metric: String,
        label: Option<String>,
        kind: Kind,
        layout: Layout,
        sum: i64,
        bins: Vec<(i64, i64)>,
    ) {
        self.values += 1;
        let sums = self.totals.cells.entry((metric.clone(), label, layout));
        let sums = sums.or_insert_with(|| Sums {
            kind,
            pings: 1,
            sum: 0,
            bins: BTreeMap::new(),
        });
        let total = sums.sum + i128::from(sum);
        if i64::try_from(total).is_err() {
            self.totals.count_note(Rule::NumberTooLarge, metric);
            return;
        }
        sums.sum = total;
        sums.kind = sums.kind.min(kind);
        for (bound, samples) in bins {
            *sums.bins.entry(bound).or_default() += i128::from(samples);
        }
    }

    fn events(&mut self, events: &Tree) {
        let Tree::List(events) = events else {
            if *events != Tree::Null {
                self.totals.count_note(Rule::WrongType, "body");
            }
            return;
        };
        let mut counted: BTreeMap<String, (i64, Vec<f64>)> = BTreeMap::new();
        let mut taken = 0;
        for event in events {
            self.is_doubled |= event.has_twice(&["category", "name", "session"]);
            let session = event.get("session").unwrap_or(&Tree::Null);
            self.is_doubled |= session.has_twice(&["session_sample_rate"]);
            let (Some(Tree::Text(category)), Some(Tree::Text(name))) =
                (event.get("category"), event.get("name"))
            else {
                self.totals.count_note(Rule::WrongType, "body");
                continue;
            };
            if taken >= limits::VALUES_PER_PING_MAX {
                self.totals.count_note(Rule::TooManyMetrics, "body");
                continue;
            }
            let event = format!("{category}.{name}");
            if event.len() > limits::NAME_BYTES_MAX {
                self.totals.count_note(Rule::NameTooLong, "body");
                continue;
            }
            taken += 1;
            let metric = format!("events:{event}");
            let rate = match session.get("session_sample_rate") {
                Some(Tree::Number(rate)) => Some(rate.as_f64().unwrap_or(f64::NAN)),
                Some(Tree::Null) => None,
                Some(_) => Some(f64::NAN),
                None if session.members().is_some() || *session == Tree::Null => None,
                None => Some(f64::NAN),
            };
            let is_rate = rate.is_none_or(|rate| rate > 0.0 && rate <= 1.0);
            if !is_rate {
                self.totals.count_note(Rule::WrongType, metric.clone());
            }
            let (times, rates) = counted.entry(metric).or_default();
            *times += 1;
            rates.extend(rate.filter(|_| is_rate));
        }
        for (metric, (times, mut rates)) in counted {
            rates.sort_by(f64::total_cmp);
            if let (Some(lowest), Some(highest)) = (rates.first(), rates.last()) {
                let bits = (lowest.to_bits(), highest.to_bits());
                self.totals.sampled.insert(metric.clone(), bits);
            }
            if self.values >= limits::VALUES_PER_PING_MAX {
                self.totals.count_note(Rule::TooManyMetrics, metric);
                continue;
            }
            self.number(metric, None, times);
        }
    }
}

/// The first numbers of a version, at most so many.
fn numbers(text: &str, most: usize) -> Option<String> {
    let mut taken: Vec<String> = Vec::new();
    for part in text.split('.').take(most) {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        let is_whole = digits.len() == part.len();
        if digits.is_empty() {
            break;
        }
        taken.push(digits);
        if !is_whole {
            break;
        }
    }
    (!taken.is_empty()).then(|| taken.join("."))
}

fn encoded(side: &str) -> String {
    side.replace('%', "%25").replace('/', "%2F")
}
