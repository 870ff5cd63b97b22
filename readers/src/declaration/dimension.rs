//! A declared dimension.

use ping::OTHER;

use super::fault::{Fault, Position, nearest, short};
use super::limits::{DIMENSIONS_MAX, NAME_BYTES_MAX, VALUES_MAX};
use super::node::{Node, Word};
use super::path::Path;
use super::table::{self, Faults, Table};
use super::uri_part::UriPart;

/// A dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimension {
    /// Its name.
    pub name: String,
    /// Where the name stands in the file.
    pub at: Position,
    /// Where its value is.
    pub from: From,
    /// What of it counts.
    pub form: Form,
    /// The values that count; all others are `OTHER`. All, if there are none.
    pub values: Vec<String>,
    /// What a ping that states none has, instead of `UNKNOWN`.
    pub default: Option<String>,
    /// What it is.
    pub description: String,
}

impl Dimension {
    /// Whether any text is one of its values.
    #[must_use]
    pub fn may_be_anything(&self) -> bool {
        self.values.is_empty() && matches!(self.form, Form::Text | Form::Lower)
    }
}

/// Where a dimension's value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// In the body.
    Path(Path),
    /// In a header; its name in lower case.
    Header(String),
    /// In the URI.
    Uri(UriPart),
}

/// What of a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// All of it.
    Text,
    /// Its leading digits.
    Major,
    /// Its first two numbers, with a dot between them.
    MajorMinor,
    /// Its calendar date, as eight digits.
    Date,
    /// All of it in lower case.
    Lower,
    /// The host of a URL.
    Host,
}

/// The words of `as`.
pub(super) const FORMS: [(&str, Form); 6] = [
    ("text", Form::Text),
    ("major", Form::Major),
    ("major_minor", Form::MajorMinor),
    ("date", Form::Date),
    ("lower", Form::Lower),
    ("host", Form::Host),
];

/// Longest value: longer ones are `OTHER`.
pub(crate) const VALUE_BYTES_MAX: usize = 128;

/// Names that mean something else in questions, in answers and in what an example expects.
const RESERVED: [&str; 52] = [
    "after",
    "all",
    "as_of",
    "bins",
    "client",
    "client_id",
    "count",
    "data",
    "date",
    "dau",
    "debug",
    "dimension",
    "edges",
    "er",
    "explain",
    "fields",
    "format",
    "from",
    "group_by",
    "groups",
    "kind",
    "label",
    "lapsed",
    "layout",
    "limit",
    "mau",
    "mean",
    "method",
    "metric",
    "new",
    "open",
    "order",
    "percentiles",
    "period",
    "pings",
    "process",
    "q",
    "rest",
    "resurrected",
    "returning",
    "sample_id",
    "sampled",
    "samples",
    "source",
    "source_tags",
    "submission_date",
    "sum",
    "to",
    "unit",
    "users",
    "value",
    "wau",
];

/// Reads `dimensions`.
pub(super) fn read_all(node: &Node, faults: &mut Faults) -> Vec<Dimension> {
    let Some(table) = Table::of(node, "`dimensions`", faults) else {
        return Vec::new();
    };
    if table.entries.len() > DIMENSIONS_MAX {
        let words = format!("more than {DIMENSIONS_MAX} dimensions");
        faults.push(Fault::new(table.at, words));
        return Vec::new();
    }
    let entries = table.entries.iter();
    entries
        .filter_map(|(name, node)| read(name, node, faults))
        .collect()
}

fn read(name: &Word, node: &Node, faults: &mut Faults) -> Option<Dimension> {
    check_name(name, faults);
    let keys = ["path", "header", "uri", "as", "values", "default", "description"];
    let table = Table::with_keys(node, "a dimension", &keys, faults)?;
    let from = read_from(table, faults);
    let form = table.get("as").map_or(Some(Form::Text), |node| {
        table::one_of(node, "form", &FORMS, faults)
    });
    let values = table.get("values").map_or_else(Vec::new, |node| {
        table::distinct(node, "`values`", VALUES_MAX, VALUE_BYTES_MAX, faults)
    });
    let default = table.get("default").and_then(|node| {
        let default = table::plain(node, "`default`", faults)?;
        check_default(node, &default, &values, faults);
        Some(default)
    });
    let description = table
        .get("description")
        .and_then(|node| table::text(node, "`description`", faults));
    Some(Dimension {
        name: name.text.clone(),
        at: name.at,
        from: from?,
        form: form?,
        values,
        default,
        description: description.unwrap_or_default().to_owned(),
    })
}

fn check_name(name: &Word, faults: &mut Faults) {
    let text = name.text.as_str();
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if RESERVED.contains(&text) {
        let words = format!("`{text}` means something else in questions and answers: choose another name");
        faults.push(Fault::new(name.at, words));
    } else if text.is_empty()
        || text.len() > NAME_BYTES_MAX
        || !text.bytes().all(is_part)
        || !text.as_bytes()[0].is_ascii_lowercase()
    {
        let words = format!(
            "`{}` is no name of a dimension: up to {NAME_BYTES_MAX} lower-case letters, digits and `_`, a letter first",
            short(text)
        );
        faults.push(Fault::new(name.at, words));
    }
}

fn read_from(table: Table<'_>, faults: &mut Faults) -> Option<From> {
    match (table.get("path"), table.get("header"), table.get("uri")) {
        (Some(node), None, None) => table::single_path(node, "a dimension", faults).map(From::Path),
        (None, None, Some(node)) => {
            table::one_of(node, "part of a URI", &UriPart::ALL, faults).map(From::Uri)
        }
        (None, Some(node), None) => {
            let header = table::text(node, "`header`", faults)?;
            let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            if header.is_empty() || header.len() > NAME_BYTES_MAX || !header.bytes().all(is_token) {
                let words = format!("`{}` is no name of a header", short(header));
                faults.push(Fault::new(node.at, words));
                return None;
            }
            Some(From::Header(header.to_ascii_lowercase()))
        }
        (None, None, None) => {
            faults.push(Fault::new(
                table.at,
                "a dimension has no `path`, no `header` and no `uri`",
            ));
            None
        }
        (_, Some(node), _) | (_, None, Some(node)) => {
            faults.push(Fault::new(
                node.at,
                "a dimension has a `path`, a `header` or a `uri`, not two of them",
            ));
            None
        }
    }
}

fn check_default(node: &Node, default: &str, values: &[String], faults: &mut Faults) {
    if default.is_empty() || default.len() > VALUE_BYTES_MAX {
        let words = format!("`default` has not 1 to {VALUE_BYTES_MAX} bytes");
        faults.push(Fault::new(node.at, words));
    } else if !values.is_empty() && default != OTHER && !values.iter().any(|value| value == default) {
        let near = nearest(default, values.iter().map(String::as_str));
        let meant = near.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
        let words = format!(
            "`default` is `{}`, which is none of `values`{meant}",
            short(default)
        );
        faults.push(Fault::new(node.at, words));
    }
}
