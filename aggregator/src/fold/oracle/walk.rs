//! The rules of the fold, read off a tree.

use std::collections::HashSet;

use ping::SubmissionDate;
use sketch::Layout;

use super::dimensions::dimensions;
use super::texts::{Text, marked};
use super::totals::{Key, Sums, Totals};
use super::tree::{Entries, Tree, get};
use crate::limits::{
    BINS_PER_PING_MAX, LABELS_PER_METRIC_MAX, NAME_BYTES_MAX, PARTS_PER_PING_MAX, PROCESSES_PER_PING_MAX,
};

/// What one ping adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OraclePing {
    /// Its sums.
    pub totals: Totals,
    /// Its client in its normal form, if it names one.
    pub client_id: Option<String>,
}

/// Reads a body.
///
/// # Errors
/// With the reason of an errored ping.
pub fn read(body: &[u8], date: SubmissionDate) -> Result<OraclePing, &'static str> {
    let text = marked(body);
    if let Err(error) = serde_json::from_str::<serde_json::Value>(&text) {
        let deep = error.to_string().contains("recursion limit");
        return Err(if deep { "too_deep" } else { "not_json" });
    }
    let tree: Tree = serde_json::from_str(&text).expect("what a value reads, a tree reads");
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
    let client_id = client(document, &mut refused);
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
    let itself: Key = (
        set,
        "pings:".to_owned(),
        String::new(),
        String::new(),
        Layout::CATEGORIES,
    );
    let one = Sums {
        count: 1,
        ..Sums::default()
    };
    totals.cells.insert(itself, one);
    for reason in refused {
        *totals.refused.entry(reason.to_owned()).or_default() += 1;
    }
    Ok(OraclePing { totals, client_id })
}

/// The client that a ping counts for: eight, four, four, four and twelve digits.
fn client(document: &Entries, refused: &mut Vec<&'static str>) -> Option<String> {
    let sent = match get(document, "clientId") {
        None | Some(Tree::Null) => return None,
        Some(Tree::Text(sent)) => sent.clone(),
        Some(_) => Text::of(""),
    };
    refused.extend(sent.is_repaired.then_some("text_repaired"));
    let id = sent.text.to_lowercase();
    let parts: Vec<&str> = id.split('-').collect();
    let digits = |part: &&str| part.chars().all(|digit| "0123456789abcdef".contains(digit));
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    if lengths != [8, 4, 4, 4, 12] || !parts.iter().all(digits) {
        refused.push("client_id_not_an_id");
        return None;
    }
    if id == "c0ffeec0-ffee-c0ff-eec0-ffeec0ffeec0" || !id.contains(|digit| digit != '0' && digit != '-') {
        refused.push("client_id_placeholder");
        return None;
    }
    Some(id)
}

/// One histogram or number.
pub(super) struct Contribution {
    pub(super) metric: String,
    pub(super) process: String,
    pub(super) label: String,
    pub(super) layout: Layout,
    pub(super) sums: Sums,
}

/// What was met on the way.
#[derive(Default)]
pub(super) struct Walk {
    parts: u64,
    processes: u64,
    /// The most labels of one metric.
    labels: u64,
    pub(super) bins: usize,
    repeated: bool,
    pub(super) refused: Vec<&'static str>,
    pub(super) contributions: Vec<Contribution>,
}

impl Walk {
    /// Notes whether one of these keys (any key that was not repaired, if none is named) stands twice in an object.
    pub(super) fn once(&mut self, object: &Entries, keys: &[&str]) {
        let mut seen = HashSet::new();
        for (key, _) in object {
            let is_name = keys.is_empty();
            if is_name && (key.text.len() > NAME_BYTES_MAX || key.is_repaired) {
                continue;
            }
            if (is_name || keys.contains(&key.text.as_str())) && !seen.insert(&key.text) {
                self.repeated = true;
            }
        }
    }

    fn document(&mut self, document: &Entries) {
        self.once(document, &["application", "environment", "payload", "clientId"]);
        for (key, value) in document {
            match (key.text.as_str(), value) {
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
            match key.text.as_str() {
                "settings" => self.once(inner, &["e10sEnabled"]),
                "system" => {
                    self.once(inner, &["os"]);
                    for (key, value) in inner {
                        if let ("os", Tree::Object(os)) = (key.text.as_str(), value) {
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
            if !read.contains(&key.text.as_str()) {
                continue;
            }
            match key.text.as_str() {
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
            if name.text.len() > NAME_BYTES_MAX {
                self.refused.push("name_too_long");
            } else {
                self.refused.extend(name.is_repaired.then_some("text_repaired"));
                self.sections(
                    value,
                    &name.text,
                    if name.text == "parent" {
                        "process parent"
                    } else {
                        "process"
                    },
                );
            }
        }
    }

    /// The entries of an object whose keys are names; those whose names are too long are refused, and those counted that
    /// were repaired.
    pub(super) fn names(&mut self, value: &Tree) -> Vec<(String, Tree)> {
        let Some(object) = self.object(value) else {
            return Vec::new();
        };
        self.once(object, &[]);
        self.parts += object.len() as u64;
        let mut short = Vec::new();
        for (name, value) in object {
            if name.text.len() > NAME_BYTES_MAX {
                self.refused.push("name_too_long");
                continue;
            }
            self.refused.extend(name.is_repaired.then_some("text_repaired"));
            short.push((name.text.clone(), value.clone()));
        }
        short
    }

    fn labels(&mut self, value: &Tree) -> Vec<(String, Tree)> {
        if let Tree::Object(labels) = value {
            self.labels = self.labels.max(labels.len() as u64);
        }
        self.names(value)
    }
}
