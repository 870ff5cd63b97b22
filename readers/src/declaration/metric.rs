//! A declared metric.

use sketch::Layout;

use super::fault::{Fault, Position, short};
use super::kind::{LABELED, TYPES, Type};
use super::layout;
use super::limits::{DESCRIPTION_BYTES_MAX, LENGTH_MAX, METRICS_MAX, NAME_BYTES_MAX, VALUES_MAX};
use super::node::{Node, Word};
use super::path::Path;
use super::source::Source;
use super::table::{self, Faults, Table};

/// The key below `metrics` whose metrics are of every source.
pub(super) const ALL: &str = "all";

/// Characters of a category, where `max_length` says nothing.
pub const LENGTH_DEFAULT: usize = 100;

/// A metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its whole name, such as `install.plugins`.
    pub name: String,
    /// Where the name stands in the file.
    pub at: Position,
    /// The document type in which it is read; every one, if there is none.
    pub document_type: Option<String>,
    /// What it is.
    pub kind: Type,
    /// Whether it has labels.
    pub labeled: bool,
    /// Where its values are.
    pub path: Path,
    /// How a distribution stands there.
    pub given_as: GivenAs,
    /// In which bins its numbers lie.
    pub layout: Layout,
    /// What its numbers are, as answers say it.
    pub unit: String,
    /// What its numbers are multiplied by.
    pub factor: i64,
    /// The categories that count; all others are `OTHER`. All, if there are none.
    pub values: Vec<String>,
    /// Characters of a category; longer ones are `OTHER`.
    pub max_length: usize,
    /// The labels that count; all others are `OTHER`. All, if there are none.
    pub labels: Vec<String>,
    /// What it says.
    pub description: String,
}

/// How a distribution stands in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GivenAs {
    /// A number, or an array of numbers.
    Samples,
    /// `{"value": samples}`.
    Map,
    /// `[[value, samples]]`.
    Pairs,
    /// `{"bins": [value], "counts": [samples]}`.
    Arrays,
}

const GIVEN: [(&str, GivenAs); 4] = [
    ("samples", GivenAs::Samples),
    ("map", GivenAs::Map),
    ("pairs", GivenAs::Pairs),
    ("arrays", GivenAs::Arrays),
];

impl Metric {
    /// Whether a source has it.
    #[must_use]
    pub fn is_of(&self, source: &Source) -> bool {
        self.document_type
            .as_ref()
            .is_none_or(|document_type| *document_type == source.document_type)
    }

    /// The names under which it counts: itself, or the two parts of a rate.
    #[must_use]
    pub fn parts(&self) -> Vec<String> {
        match self.kind {
            Type::Rate => ["numerator", "denominator"]
                .map(|part| format!("{}:{part}", self.name))
                .into(),
            _ => vec![self.name.clone()],
        }
    }

    /// The type's whole word.
    #[must_use]
    pub fn type_word(&self) -> String {
        let labeled = if self.labeled { LABELED } else { "" };
        format!("{labeled}{}", self.kind.word())
    }
}

/// Reads `metrics`.
pub(super) fn read_all(node: &Node, sources: &[Source], faults: &mut Faults) -> Vec<Metric> {
    let mut metrics = Vec::new();
    let Some(types) = Table::of(node, "`metrics`", faults) else {
        return metrics;
    };
    for (document_type, node) in types.entries {
        let known = sources.iter().map(|source| source.document_type.as_str());
        let is_all = document_type.text == ALL;
        // Without sources something else is wrong already.
        if !is_all && !sources.is_empty() && !known.clone().any(|known| known == document_type.text) {
            let known = known.chain([ALL]);
            let fault = Fault::unknown(
                document_type.at,
                "document type below `metrics`",
                &document_type.text,
                known,
            );
            faults.push(fault);
        }
        let Some(table) = Table::of(node, "what stands below a document type", faults) else {
            continue;
        };
        for (name, node) in table.entries {
            metrics.extend(read(document_type, name, node, faults));
        }
    }
    if metrics.len() > METRICS_MAX {
        faults.push(Fault::new(types.at, format!("more than {METRICS_MAX} metrics")));
    }
    metrics
}

fn read(document_type: &Word, name: &Word, node: &Node, faults: &mut Faults) -> Option<Metric> {
    check_name(name, faults);
    let keys = [
        "type",
        "path",
        "layout",
        "unit",
        "given_as",
        "values",
        "max_length",
        "labels",
        "description",
    ];
    let table = Table::with_keys(node, "a metric", &keys, faults)?;
    let kind = table
        .need("type", "a metric", faults)
        .and_then(|node| read_type(node, faults));
    let path = table
        .need("path", "a metric", faults)
        .and_then(|node| table::path(node, "`path`", faults));
    let (kind, labeled) = kind?;
    let path = path?;
    check_keys(table, kind, labeled, faults);
    check_stars(table, &path, kind, labeled, faults);
    let given_as = table.get("given_as").map_or(Some(GivenAs::Samples), |node| {
        table::one_of(node, "form of a distribution", &GIVEN, faults)
    });
    let layout = match table.get("layout") {
        Some(node) => layout::read(node, faults),
        None => Some(layout_of(kind)),
    };
    let (unit, factor) = read_unit(table, kind, faults);
    let mut texts = |key: &str| {
        table.get(key).map_or_else(Vec::new, |node| {
            table::distinct(node, &format!("`{key}`"), VALUES_MAX, LENGTH_MAX, faults)
        })
    };
    let (values, labels) = (texts("values"), texts("labels"));
    let max_length = table.get("max_length").map(|node| {
        let most = i64::try_from(LENGTH_MAX).unwrap_or(i64::MAX);
        table::whole(node, "`max_length`", 1..=most, faults)
    });
    let description = table
        .get("description")
        .and_then(|node| table::text(node, "`description`", faults))
        .unwrap_or_default();
    if description.len() > DESCRIPTION_BYTES_MAX {
        let words = format!("a description of more than {DESCRIPTION_BYTES_MAX} bytes");
        faults.push(Fault::new(table.key_at("description"), words));
    }
    Some(Metric {
        name: format!("{}.{}", document_type.text, name.text),
        at: name.at,
        document_type: (document_type.text != ALL).then(|| document_type.text.clone()),
        kind,
        labeled,
        path,
        given_as: given_as?,
        layout: layout?,
        unit,
        factor,
        values,
        max_length: max_length
            .flatten()
            .and_then(|length| usize::try_from(length).ok())
            .unwrap_or(LENGTH_DEFAULT),
        labels,
        description: description.to_owned(),
    })
}

/// The layout of a metric that declares none.
const fn layout_of(kind: Type) -> Layout {
    match kind {
        Type::Boolean | Type::Text | Type::TextList => Layout::CATEGORIES,
        _ => Layout::NUMBER,
    }
}

fn check_name(name: &Word, faults: &mut Faults) {
    let text = name.text.as_str();
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if text.is_empty() || text.len() > NAME_BYTES_MAX || !text.bytes().all(is_part) {
        let words = format!(
            "`{}` is no name of a metric: up to {NAME_BYTES_MAX} letters, digits, `_`, `.` and `-`",
            short(text)
        );
        faults.push(Fault::new(name.at, words));
    }
}

fn read_type(node: &Node, faults: &mut Faults) -> Option<(Type, bool)> {
    let word = table::text(node, "`type`", faults)?;
    let labeled = word.strip_prefix(LABELED);
    let bare = labeled.unwrap_or(word);
    if let Some((_, kind)) = TYPES.iter().find(|(name, _)| *name == bare) {
        return Some((*kind, labeled.is_some()));
    }
    let all: Vec<String> = TYPES.iter().map(|(name, _)| format!("{LABELED}{name}")).collect();
    let bare = TYPES.iter().map(|(name, _)| *name);
    let known = bare.chain(all.iter().map(String::as_str));
    faults.push(Fault::unknown(node.at, "type", word, known));
    None
}

/// Keys that say nothing about a metric of this type.
fn check_keys(table: Table<'_>, kind: Type, labeled: bool, faults: &mut Faults) {
    use crate::values::Kind;
    let is_category = kind.kind() == Kind::Category;
    let has_texts = matches!(kind, Type::Text | Type::TextList);
    let vain = [
        ("layout", is_category, "has names, no bins"),
        (
            "unit",
            is_category || kind == Type::Datetime,
            "has no unit to choose",
        ),
        (
            "given_as",
            kind.kind() != Kind::Distribution,
            "is no distribution",
        ),
        ("values", !has_texts, "is no text"),
        ("max_length", !has_texts, "is no text"),
        (
            "labels",
            !labeled,
            "has no labels: `labeled_` before the type gives it some",
        ),
    ];
    for (key, holds, words) in vain {
        if holds && table.get(key).is_some() {
            let words = format!("`{key}` means nothing here: a {} {words}", kind.word());
            faults.push(Fault::new(table.key_at(key), words));
        }
    }
}

fn check_stars(table: Table<'_>, path: &Path, kind: Type, labeled: bool, faults: &mut Faults) {
    use crate::values::Kind;
    let many = kind.kind() == Kind::Distribution || kind == Type::TextList;
    let words = match (labeled, path.stars()) {
        (true, 0) => "a labeled metric needs a `*` in its path: the key there is the label",
        (false, 1..) if !many => {
            "`*` leads to many values and this type has one a ping: put `labeled_` before the type, or take a distribution or `string_list`"
        }
        _ => return,
    };
    faults.push(Fault::new(
        table.get("path").map_or(table.at, |node| node.at),
        words,
    ));
}

/// The unit in answers, and what numbers are multiplied by.
fn read_unit(table: Table<'_>, kind: Type, faults: &mut Faults) -> (String, i64) {
    let node = table.get("unit");
    if let Some((units, becomes)) = kind.units() {
        let factor = node.and_then(|node| table::one_of(node, "unit", units, faults));
        return (becomes.to_owned(), factor.unwrap_or(1));
    }
    if kind == Type::Datetime {
        return ("days".to_owned(), 1);
    }
    let unit = node
        .and_then(|node| table::text(node, "`unit`", faults))
        .unwrap_or_default();
    if unit.len() > NAME_BYTES_MAX {
        let words = format!("a unit of more than {NAME_BYTES_MAX} bytes");
        faults.push(Fault::new(table.key_at("unit"), words));
    }
    (unit.to_owned(), 1)
}
