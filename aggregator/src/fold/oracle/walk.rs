//! The rules of the fold, read off a tree.

use std::collections::HashSet;

use aggregate_store::DimensionSet;
use ping::SubmissionDate;
use sketch::{HistogramKind, Layout};

use super::totals::{Key, Sums, Totals};
use super::tree::Tree;
use crate::limits::{
    BIN_SAMPLES_MAX, BINS_PER_HISTOGRAM_MAX, BINS_PER_PING_MAX, DIMENSION_BYTES_MAX, LABELS_PER_METRIC_MAX,
    NAME_BYTES_MAX, PARTS_PER_PING_MAX, PROCESSES_PER_PING_MAX, RANGE_MAX,
};

/// What one ping adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OraclePing {
    /// Its sums.
    pub totals: Totals,
    /// Its client, if it names one.
    pub client_id: Option<String>,
}

/// Reads a body.
///
/// # Errors
/// With the reason of an errored ping.
pub fn read(body: &[u8], date: SubmissionDate) -> Result<OraclePing, &'static str> {
    let text = std::str::from_utf8(body).map_err(|_| "not_utf8")?;
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        let deep = error.to_string().contains("recursion limit");
        return Err(if deep { "too_deep" } else { "not_json" });
    }
    let tree: Tree = serde_json::from_str(text).expect("what a value reads, a tree reads");
    let Tree::Object(document) = &tree else {
        return Err("not_an_object");
    };
    let mut walk = Walk::default();
    walk.document(document);
    let Walk {
        parts,
        processes,
        labels,
        bins,
        repeated,
        mut refused,
        contributions,
    } = walk;
    let errors = [
        (parts > u64::from(PARTS_PER_PING_MAX), "too_many_parts"),
        (
            processes > u64::from(PROCESSES_PER_PING_MAX),
            "too_many_processes",
        ),
        (labels > u64::from(LABELS_PER_METRIC_MAX), "too_many_labels"),
        (bins > BINS_PER_PING_MAX as usize, "too_many_bins"),
        (repeated, "duplicate_key"),
    ];
    if let Some((_, reason)) = errors.into_iter().find(|(holds, _)| *holds) {
        return Err(reason);
    }
    let set = dimensions(document, date, &mut refused);
    let mut totals = Totals::default();
    for contribution in contributions {
        let Contribution {
            metric,
            process,
            label,
            layout,
            sums,
        } = contribution;
        let key: Key = (set.clone(), metric, process, label, layout);
        let one = Totals {
            cells: [(key, sums)].into(),
            ..Totals::default()
        };
        totals.add(&one, 1);
    }
    for reason in refused {
        *totals.refused.entry(reason.to_owned()).or_default() += 1;
    }
    let client_id = match get(document, "clientId") {
        Some(Tree::Text(id)) if !id.is_empty() => Some(id.clone()),
        _ => None,
    };
    Ok(OraclePing { totals, client_id })
}

type Entries = [(String, Tree)];

fn get<'t>(object: &'t Entries, key: &str) -> Option<&'t Tree> {
    object
        .iter()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value)
}

fn path<'t>(object: &'t Entries, keys: &[&str]) -> Option<&'t Tree> {
    let value = get(object, keys[0])?;
    match (value, &keys[1..]) {
        (value, []) => Some(value),
        (Tree::Object(inner), rest) => path(inner, rest),
        _ => None,
    }
}

fn dimensions(document: &Entries, date: SubmissionDate, refused: &mut Vec<&'static str>) -> DimensionSet {
    let text = |keys: &[&str]| match path(document, keys) {
        Some(Tree::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let chars = |text: String, n: usize| text.chars().take(n).collect::<String>();
    let build = chars(text(&["application", "buildId"]), 8);
    let os = text(&["environment", "system", "os", "name"]);
    let os_version = text(&["environment", "system", "os", "version"]);
    let version = text(&["application", "version"]);
    let e10s = match path(document, &["environment", "settings", "e10sEnabled"]) {
        Some(Tree::Bool(enabled)) => enabled.to_string(),
        _ => String::new(),
    };
    let digits = build.chars().all(|char| char.is_ascii_digit());
    let os_version = chars(os_version, if os == "Linux" { 3 } else { usize::MAX });
    let mut settle = |value: String| {
        if value.len() > DIMENSION_BYTES_MAX {
            refused.push("dimension_too_long");
            "OTHER".to_owned()
        } else if value.is_empty() {
            "UNKNOWN".to_owned()
        } else {
            value
        }
    };
    DimensionSet {
        submission_date: date,
        channel: settle(text(&["application", "channel"])),
        version: settle(version.split('.').next().unwrap_or_default().to_owned()),
        build_date: settle(if digits { build } else { String::new() }),
        application: settle(text(&["application", "name"])),
        architecture: settle(text(&["application", "architecture"])),
        os: settle(os),
        os_version: settle(os_version),
        e10s: settle(e10s),
    }
}

struct Contribution {
    metric: String,
    process: String,
    label: String,
    layout: Layout,
    sums: Sums,
}

#[derive(Default)]
struct Walk {
    parts: u64,
    processes: u64,
    /// The most labels of one metric.
    labels: u64,
    bins: usize,
    repeated: bool,
    refused: Vec<&'static str>,
    contributions: Vec<Contribution>,
}

impl Walk {
    /// Notes whether one of these keys (any key, if none is named) stands twice in an object.
    fn once(&mut self, object: &Entries, keys: &[&str]) {
        let mut seen = HashSet::new();
        for (key, _) in object {
            if keys.is_empty() && key.len() > NAME_BYTES_MAX {
                continue;
            }
            if (keys.is_empty() || keys.contains(&key.as_str())) && !seen.insert(key) {
                self.repeated = true;
            }
        }
    }

    fn document(&mut self, document: &Entries) {
        self.once(document, &["application", "environment", "payload", "clientId"]);
        for (key, value) in document {
            match (key.as_str(), value) {
                ("application", Tree::Object(application)) => {
                    self.once(
                        application,
                        &["channel", "version", "buildId", "name", "architecture"],
                    );
                }
                ("environment", Tree::Object(environment)) => self.environment(environment),
                ("payload", payload) => self.sections(payload, "parent", "payload"),
                _ => {}
            }
        }
    }

    fn environment(&mut self, environment: &Entries) {
        self.once(environment, &["system", "settings"]);
        for (key, value) in environment {
            let Tree::Object(inner) = value else { continue };
            match key.as_str() {
                "settings" => self.once(inner, &["e10sEnabled"]),
                "system" => {
                    self.once(inner, &["os"]);
                    for (key, value) in inner {
                        if let ("os", Tree::Object(os)) = (key.as_str(), value) {
                            self.once(os, &["name", "version"]);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// The object, or `None` and a refusal unless it is null.
    fn object<'t>(&mut self, value: &'t Tree) -> Option<&'t Entries> {
        match value {
            Tree::Object(object) => Some(object),
            Tree::Null => None,
            _ => {
                self.refused.push("section_not_an_object");
                None
            }
        }
    }

    fn sections(&mut self, value: &Tree, process: &str, owner: &str) {
        let Some(object) = self.object(value) else { return };
        let read: &[&str] = match owner {
            "payload" => &[
                "histograms",
                "keyedHistograms",
                "simpleMeasurements",
                "childPayloads",
                "processes",
            ],
            "child" => &["histograms", "keyedHistograms", "simpleMeasurements"],
            "process parent" => &["scalars", "keyedScalars"],
            _ => &["histograms", "keyedHistograms", "scalars", "keyedScalars"],
        };
        self.once(object, read);
        for (key, value) in object {
            if !read.contains(&key.as_str()) {
                continue;
            }
            match key.as_str() {
                "histograms" => {
                    for (name, value) in self.names(value) {
                        self.histogram(&name, "", process, &value);
                    }
                }
                "keyedHistograms" => {
                    for (name, value) in self.names(value) {
                        let left_out = [
                            "MESSAGE_MANAGER_MESSAGE_SIZE",
                            "VIDEO_DETAILED_DROPPED_FRAMES_PROPORTION",
                        ];
                        if !left_out.contains(&name.as_str()) {
                            for (label, value) in self.labels(&value) {
                                self.histogram(&name, &label, process, &value);
                            }
                        }
                    }
                }
                "simpleMeasurements" => self.simple_measurements(value, process),
                "scalars" => {
                    for (name, value) in self.names(value) {
                        self.scalar(&name, "", process, &value);
                    }
                }
                "keyedScalars" => {
                    for (name, value) in self.names(value) {
                        if !name.starts_with("browser.engagement.navigation") {
                            for (label, value) in self.labels(&value) {
                                self.scalar(&name, &label.to_uppercase(), process, &value);
                            }
                        }
                    }
                }
                "childPayloads" => match value {
                    Tree::List(children) => {
                        for child in children {
                            self.sections(child, "content", "child");
                        }
                    }
                    Tree::Null => {}
                    _ => self.refused.push("section_not_an_object"),
                },
                _ => self.processes(value),
            }
        }
    }

    fn processes(&mut self, value: &Tree) {
        let Some(processes) = self.object(value) else {
            return;
        };
        self.processes = self.processes.max(processes.len() as u64);
        let read = &processes[..processes.len().min(PROCESSES_PER_PING_MAX as usize)];
        self.once(read, &[]);
        for (name, value) in read {
            if name.len() > NAME_BYTES_MAX {
                self.refused.push("name_too_long");
            } else {
                self.sections(
                    value,
                    name,
                    if name == "parent" {
                        "process parent"
                    } else {
                        "process"
                    },
                );
            }
        }
    }

    /// The entries of an object whose keys are names; those whose names are too long are refused.
    fn names(&mut self, value: &Tree) -> Vec<(String, Tree)> {
        let Some(object) = self.object(value) else {
            return Vec::new();
        };
        self.once(object, &[]);
        self.parts += object.len() as u64;
        let (short, long): (Vec<_>, Vec<_>) = object
            .iter()
            .cloned()
            .partition(|(name, _)| name.len() <= NAME_BYTES_MAX);
        self.refused.extend(long.iter().map(|_| "name_too_long"));
        short
    }

    fn labels(&mut self, value: &Tree) -> Vec<(String, Tree)> {
        if let Tree::Object(labels) = value {
            self.labels = self.labels.max(labels.len() as u64);
        }
        self.names(value)
    }

    fn simple_measurements(&mut self, value: &Tree, process: &str) {
        for (outer, value) in self.names(value) {
            let metric = format!("SIMPLE_MEASURES_{}", outer.to_uppercase());
            if let Tree::Object(_) = value {
                for (inner, value) in self.names(&value) {
                    self.simple(&format!("{metric}_{}", inner.to_uppercase()), process, &value);
                }
            } else {
                self.simple(&metric, process, &value);
            }
        }
    }

    fn simple(&mut self, metric: &str, process: &str, value: &Tree) {
        match number(value) {
            Some(Ok(number)) => self.sample(metric, "", process, Layout::SIMPLE, number),
            Some(Err(reason)) => self.refused.push(reason),
            None => {}
        }
    }

    fn scalar(&mut self, name: &str, label: &str, process: &str, value: &Tree) {
        if name.starts_with("browser.engagement.navigation") {
            return;
        }
        match number(value) {
            Some(Ok(number)) => {
                let metric = format!("SCALARS_{}", name.to_uppercase());
                self.sample(&metric, label, process, Layout::COUNT, number);
            }
            Some(Err(reason)) => self.refused.push(reason),
            None if matches!(value, Tree::List(_) | Tree::Object(_)) => {
                self.refused.push("number_not_a_number");
            }
            None => {}
        }
    }

    fn sample(&mut self, metric: &str, label: &str, process: &str, layout: Layout, number: i64) {
        let below = layout.lower_bounds().into_iter().filter(|bound| *bound <= number);
        let bound = below.max().unwrap_or(0);
        self.bins += 1;
        self.contributions.push(Contribution {
            metric: metric.to_owned(),
            process: process.to_owned(),
            label: label.to_owned(),
            layout,
            sums: Sums {
                count: 1,
                sum: number.into(),
                bins: [(bound, 1)].into(),
            },
        });
    }

    fn histogram(&mut self, name: &str, label: &str, process: &str, value: &Tree) {
        let Tree::Object(histogram) = value else {
            self.refused.push("histogram_not_an_object");
            return;
        };
        self.once(
            histogram,
            &["histogram_type", "sum", "bucket_count", "range", "values"],
        );
        if let Some(Tree::Object(values)) = get(histogram, "values") {
            let read: Vec<_> = values.iter().take(BINS_PER_HISTOGRAM_MAX).cloned().collect();
            let integers: Vec<_> = read.into_iter().filter(|(key, _)| bound(key).is_some()).collect();
            self.once(&integers, &[]);
        }
        match accept(histogram) {
            Err(reason) => self.refused.push(reason),
            Ok(accepted) => {
                self.refused.extend(accepted.odd);
                if accepted.layout.is_none() {
                    let sum = i64::try_from(accepted.sums.sum).expect("checked");
                    self.sample(&format!("[[COUNT]]_{name}"), label, process, Layout::COUNT, sum);
                    return;
                }
                self.bins += accepted.sums.bins.len();
                self.contributions.push(Contribution {
                    metric: name.to_owned(),
                    process: process.to_owned(),
                    label: label.to_owned(),
                    layout: accepted.layout.expect("not a count"),
                    sums: accepted.sums,
                });
            }
        }
    }
}

/// A bin's key as an integer, if it is written as a program writes it.
fn bound(key: &str) -> Option<i64> {
    key.parse::<i64>().ok().filter(|bound| bound.to_string() == key)
}

/// A number to count, or why it is refused; `None` when it is no number.
fn number(value: &Tree) -> Option<Result<i64, &'static str>> {
    match value {
        Tree::Bool(value) => Some(Ok((*value).into())),
        Tree::Integer(number) if *number < 0 => Some(Err("number_negative")),
        Tree::Integer(number) => Some(i64::try_from(*number).map_err(|_| "number_too_large")),
        Tree::Fraction(number) if *number < 0.0 => Some(Err("number_negative")),
        Tree::Fraction(number) if number.trunc() >= 2f64.powi(63) => Some(Err("number_too_large")),
        Tree::Fraction(number) => Some(Ok(number.trunc() as i64)),
        _ => None,
    }
}

/// A histogram that counts. A layout of `None` stands for type count.
struct Accepted {
    layout: Option<Layout>,
    sums: Sums,
    odd: Vec<&'static str>,
}

fn accept(histogram: &Entries) -> Result<Accepted, &'static str> {
    let kind = match get(histogram, "histogram_type").ok_or("type_missing")? {
        Tree::Integer(code) => u8::try_from(*code)
            .ok()
            .and_then(|code| HistogramKind::try_from(code).ok()),
        _ => None,
    };
    let kind = kind.ok_or("type_unknown")?;
    let sum = match get(histogram, "sum").ok_or("sum_missing")? {
        Tree::Integer(sum) if *sum < 0 => return Err("sum_negative"),
        Tree::Integer(sum) if *sum > i64::MAX.into() => return Err("sum_too_large"),
        Tree::Integer(sum) => *sum,
        _ => return Err("sum_not_an_integer"),
    };
    let Tree::Object(values) = get(histogram, "values").ok_or("values_missing")? else {
        return Err("values_not_an_object");
    };
    if values.len() > BINS_PER_HISTOGRAM_MAX {
        return Err("histogram_too_many_bins");
    }
    let mut odd = Vec::new();
    let mut sums = Sums {
        count: 1,
        sum,
        ..Sums::default()
    };
    let (mut negative, mut too_large) = (false, false);
    for (key, value) in values {
        match (bound(key), value) {
            (None, _) => odd.push("bin_key_not_an_integer"),
            (Some(bound), Tree::Integer(samples)) => {
                negative |= *samples < 0;
                too_large |= *samples > BIN_SAMPLES_MAX.into();
                sums.bins.insert(bound, *samples);
            }
            (Some(_), _) => odd.push("bin_value_not_an_integer"),
        }
    }
    if negative {
        return Err("bin_negative");
    }
    if too_large {
        return Err("bin_too_large");
    }
    sums.bins.retain(|_, samples| *samples != 0);
    let layout = layout(histogram, kind)?;
    Ok(Accepted { layout, sums, odd })
}

fn layout(histogram: &Entries, kind: HistogramKind) -> Result<Option<Layout>, &'static str> {
    const OUT: &str = "layout_out_of_range";
    let count = || match get(histogram, "bucket_count") {
        Some(Tree::Integer(count @ 1..=10_000)) => Ok(*count as u32),
        _ => Err(OUT),
    };
    let with = |min, max, bin_count| {
        Ok(Some(Layout {
            kind,
            min,
            max,
            bin_count,
        }))
    };
    match kind {
        HistogramKind::Count => Ok(None),
        HistogramKind::Boolean | HistogramKind::Flag => with(1, 2, 3),
        HistogramKind::Categorical => with(1, (i64::from(count()?) - 1).max(1), count()?),
        HistogramKind::Exponential | HistogramKind::Linear => match get(histogram, "range") {
            Some(Tree::List(ends)) => match ends[..] {
                [Tree::Integer(min), Tree::Integer(max)]
                    if 0 <= min && min <= max && max <= RANGE_MAX.into() =>
                {
                    with(min as i64, max as i64, count()?)
                }
                _ => Err(OUT),
            },
            _ => Err(OUT),
        },
    }
}
