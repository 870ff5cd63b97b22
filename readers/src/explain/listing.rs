//! The sink that writes down what a ping becomes.

use std::collections::BTreeSet;

use ping::UNKNOWN;
use sketch::Layout;

use super::places::{path_at, visit};
use super::short::short;
use crate::declaration::{Declaration, From, Path};
use crate::declared::{BodyError, Reader, Room, Submitted};
use crate::values::{Contribution, Fate, Kind, Name, Note, Rule, Subject, Values};

/// Lines of one kind in a list: what is more is counted.
const LINES_MAX: usize = 1_000;

/// What became of a ping.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explained {
    /// Why it tells nothing at all.
    pub error: Option<BodyError>,
    /// The client's id, as sent.
    pub client: Option<String>,
    /// Each dimension with its value.
    pub dimensions: Vec<(String, String)>,
    /// What counts.
    pub counted: Vec<Counted>,
    /// What is left out, or counts otherwise than it was sent.
    pub remarks: Vec<Remark>,
    /// What stands in the ping and is taken out before it is stored: path and value.
    pub taken_out: Vec<(String, String)>,
    /// What stands in the ping and is neither declared nor ignored: path and value.
    pub undeclared: Vec<(String, String)>,
    /// Declared paths that lead nowhere in it.
    pub absent: BTreeSet<String>,
}

/// What counts of one metric and label.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// The metric's name.
    pub metric: String,
    /// Its label.
    pub label: Option<String>,
    /// What its numbers are.
    pub unit: String,
    /// What it tells.
    pub samples: Samples,
}

/// Samples of one metric and label.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// Numbers in bins.
    Numbers {
        /// Whether the client made them one histogram.
        kind: Kind,
        /// Their sum.
        sum: i64,
        /// (lower bound, samples), ascending.
        bins: Vec<(i64, i64)>,
        /// What decides the bins.
        layout: Layout,
    },
    /// A value with a name.
    Category {
        /// The name.
        value: String,
        /// How many times it stands there.
        times: i64,
    },
}

/// What is left out, or counts otherwise than it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Why.
    pub rule: Rule,
    /// What became of it.
    pub fate: Fate,
    /// Of what: the metric, the dimension.
    pub of: String,
    /// Where it stands; a header's name, where it stands in one.
    pub path: String,
    /// Its beginning.
    pub value: String,
}

/// Explains a ping of the source at this place of the declaration. None if there is no such source.
#[must_use]
pub fn explain(
    declaration: &Declaration,
    place: usize,
    body: &[u8],
    submitted: Submitted<'_>,
) -> Option<Explained> {
    let reader = Reader::new(declaration, place)?;
    let mut listing = Listing {
        reader: &reader,
        body,
        submitted,
        explained: Explained::default(),
    };
    let read = reader.read(body, submitted, &mut Room::default(), &mut listing);
    let mut explained = listing.explained;
    if let Err(error) = read {
        return Some(Explained {
            error: Some(error),
            ..Explained::default()
        });
    }
    let told = std::mem::take(&mut explained.dimensions);
    explained.dimensions = reader
        .dimensions()
        .iter()
        .map(|dimension| {
            let value = told.iter().find(|(name, _)| *name == dimension.name);
            let value = value.map_or_else(|| UNKNOWN.to_owned(), |(_, value)| value.clone());
            (dimension.name.clone(), value)
        })
        .collect();
    explained
        .counted
        .sort_by(|a, b| (&a.metric, &a.label).cmp(&(&b.metric, &b.label)));
    compare_paths(declaration, place, body, &mut explained);
    Some(explained)
}

/// Finds what is there and not declared, and what is declared and not there.
fn compare_paths(declaration: &Declaration, place: usize, body: &[u8], explained: &mut Explained) {
    let source = &declaration.sources[place];
    let dimensions = declaration.dimensions.iter();
    let dimensions = dimensions.filter_map(|dimension| match &dimension.from {
        From::Path(path) => Some(path),
        From::Header(_) | From::Uri(_) => None,
    });
    let metrics = declaration.metrics.iter().filter(|metric| metric.is_of(source));
    let read: Vec<&Path> = declaration
        .client_id
        .iter()
        .chain(dimensions)
        .chain(metrics.map(|metric| &metric.path))
        .collect();
    let taken_out = declaration.privacy[place].taken_out(declaration.client_id.as_ref());
    let known: Vec<&Path> = read
        .iter()
        .copied()
        .chain(&declaration.ignore)
        .chain(&taken_out)
        .collect();
    let mut there = BTreeSet::new();
    let mut undeclared: Vec<(String, String)> = Vec::new();
    // It was read once already.
    let _ = visit(body, |found| {
        let Some(path) = Path::of(found.steps) else {
            return;
        };
        there.extend(
            read.iter()
                .filter(|read| read.steps().len() == found.steps.len() && read.covers(&path))
                .map(ToString::to_string),
        );
        let goes = |dropped: &&Path| dropped.steps().len() == found.steps.len() && dropped.covers(&path);
        if taken_out.iter().any(|dropped| goes(&dropped)) && explained.taken_out.len() < LINES_MAX {
            let value = short(&body[found.place.from..found.place.to]);
            explained.taken_out.push((path.to_string(), value));
        }
        if found.is_leaf && !known.iter().any(|known| known.covers(&path)) && undeclared.len() < LINES_MAX {
            undeclared.push((found.in_general(), short(&body[found.place.from..found.place.to])));
        }
    });
    undeclared.sort();
    undeclared.dedup_by(|a, b| a.0 == b.0);
    explained.undeclared = undeclared;
    explained.absent = read
        .iter()
        .map(ToString::to_string)
        .filter(|path| !there.contains(path))
        .collect();
}

struct Listing<'a, 'h> {
    reader: &'a Reader,
    body: &'a [u8],
    submitted: Submitted<'h>,
    explained: Explained,
}

impl Listing<'_, '_> {
    fn name(&self, name: Name<'_>) -> (String, String) {
        match name {
            Name::Listed(place) => {
                let listed = &self.reader.metrics()[place as usize];
                (listed.name.clone(), listed.unit.clone())
            }
            Name::Sent(name) => (name.to_owned(), String::new()),
        }
    }

    fn count(&mut self, metric: Name<'_>, label: Option<&str>, samples: Samples) {
        let (metric, unit) = self.name(metric);
        self.explained.counted.push(Counted {
            metric,
            label: label.map(str::to_owned),
            unit,
            samples,
        });
    }
}

impl Values for Listing<'_, '_> {
    fn client(&mut self, sent: &str) {
        self.explained.client = Some(sent.to_owned());
    }

    fn dimension(&mut self, dimension: u32, value: &str) {
        let name = self.reader.dimensions()[dimension as usize].name.clone();
        self.explained.dimensions.push((name, value.to_owned()));
    }

    fn contribution(&mut self, told: Contribution<'_>) {
        let mut bins = told.bins.to_vec();
        bins.sort_unstable();
        let samples = Samples::Numbers {
            kind: told.kind,
            sum: told.sum,
            bins,
            layout: told.layout,
        };
        self.count(told.metric, told.label, samples);
    }

    fn category(&mut self, metric: Name<'_>, label: Option<&str>, value: &str, times: i64) {
        let value = value.to_owned();
        self.count(metric, label, Samples::Category { value, times });
    }

    fn note(&mut self, note: Note<'_>) {
        if self.explained.remarks.len() >= LINES_MAX {
            return;
        }
        let of = match note.subject {
            Subject::Client => "the client's id".to_owned(),
            Subject::Dimension(place) => self.reader.dimensions()[place as usize].name.clone(),
            Subject::Metric(name) => self.name(name).0,
            Subject::Body => "a label".to_owned(),
        };
        let (path, value) = match (note.place, note.subject) {
            (Some(place), _) => (path_at(self.body, place), short(&self.body[place.from..place.to])),
            (None, Subject::Dimension(place)) => match &self.reader.dimensions()[place as usize].from {
                From::Header(name) => (
                    format!("header {name}"),
                    (self.submitted.header)(name).map_or_else(String::new, |value| short(value.as_bytes())),
                ),
                From::Uri(part) => (
                    format!("{} in the URI", part.word()),
                    self.submitted
                        .part(*part)
                        .map_or_else(String::new, |value| short(value.as_bytes())),
                ),
                From::Path(path) => (path.to_string(), String::new()),
            },
            _ => (String::new(), String::new()),
        };
        self.explained.remarks.push(Remark {
            rule: note.rule,
            fate: note.fate(),
            of,
            path,
            value,
        });
    }
}
