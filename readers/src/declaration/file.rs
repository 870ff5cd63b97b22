//! How a whole declaration is read.

use super::contradictions;
use super::dimension;
use super::example::{self, Example, Known};
use super::fault::{Fault, Position};
use super::limits::{DESCRIPTION_BYTES_MAX, EXAMPLES_MAX, SOURCES_MAX};
use super::metric::{self, Metric};
use super::node::Node;
use super::places;
use super::privacy;
use super::product::Declaration;
use super::reach;
use super::source::Source;
use super::table::{self, Faults, Table};

/// The form of a declaration that this program reads.
const FORM: &str = "product/1";

/// Pings that a row of the public summary needs, where nothing else is said.
const PUBLIC_FLOOR_DEFAULT: i64 = 20;

impl Declaration {
    /// Reads a file's text.
    ///
    /// # Errors
    /// All that is wrong with it, in the order of the file.
    pub fn read(text: &str) -> Result<Self, Vec<Fault>> {
        Self::read_by(text, true)
    }

    /// Reads the text of a declaration that is in force: an earlier program may have accepted in it what is refused today, as a value
    /// that nothing becomes, and goes on to be read as it was.
    ///
    /// # Errors
    /// As of [`read`](Self::read).
    pub fn in_force(text: &str) -> Result<Self, Vec<Fault>> {
        Self::read_by(text, false)
    }

    fn read_by(text: &str, is_new: bool) -> Result<Self, Vec<Fault>> {
        let node = Node::read(text).map_err(|fault| vec![fault])?;
        let mut faults = Vec::new();
        let read = Self::of(&node, is_new, &mut faults);
        faults.sort_by_key(|fault| fault.at);
        faults.dedup();
        read.filter(|_| faults.is_empty()).ok_or(faults)
    }

    fn of(node: &Node, is_new: bool, faults: &mut Faults) -> Option<Self> {
        let keys = [
            "$highwater",
            "sources",
            "description",
            "client_id",
            "dimensions",
            "metrics",
            "ignore",
            "examples",
            "since",
            "public",
            "public_floor",
            "keep",
            "clients",
            "drop",
            "by_source",
        ];
        let table = Table::with_keys(node, "a declaration", &keys, faults)?;
        check_form(table, faults);
        let (sources, sources_at) = read_sources(table, faults);
        let description = table
            .get("description")
            .and_then(|node| table::text(node, "`description`", faults))
            .unwrap_or_default();
        if description.len() > DESCRIPTION_BYTES_MAX {
            let words = format!("a description of more than {DESCRIPTION_BYTES_MAX} bytes");
            faults.push(Fault::new(table.key_at("description"), words));
        }
        let client_id = table.get("client_id").and_then(|node| {
            let table = Table::with_keys(node, "`client_id`", &["path"], faults)?;
            let node = table.need("path", "`client_id`", faults)?;
            table::single_path(node, "the client's id", faults)
        });
        let dimensions = table
            .get("dimensions")
            .map_or_else(Vec::new, |node| dimension::read_all(node, faults));
        let metrics = table
            .get("metrics")
            .map_or_else(Vec::new, |node| metric::read_all(node, &sources, faults));
        let ignore = table
            .get("ignore")
            .map_or_else(Vec::new, |node| privacy::read_paths(node, "`ignore`", faults));
        let privacy = privacy::read_all(table, &sources, faults);
        let (public, public_floor) = read_public(table, faults);
        let mut declaration = Self {
            sources,
            sources_at,
            description: description.to_owned(),
            since: table.get("since").and_then(|node| example::date(node, faults)),
            public,
            public_floor,
            client_id,
            dimensions,
            metrics,
            ignore,
            examples: Vec::new(),
            privacy,
        };
        contradictions::within(&declaration, table, faults);
        if is_new {
            reach::check(&declaration, table, faults);
            places::check(&declaration, table, faults);
        }
        // What is left out for a fault would be missing in every example.
        if faults.is_empty() {
            declaration.examples = declaration.read_examples(table, faults);
        }
        Some(declaration)
    }

    fn read_examples(&self, table: Table<'_>, faults: &mut Faults) -> Vec<Example> {
        let Some(node) = table.get("examples") else {
            return Vec::new();
        };
        let known = Known {
            sources: &self.sources,
            dimensions: self.dimensions.iter().map(|known| known.name.as_str()).collect(),
            metrics: self.metrics.iter().flat_map(Metric::parts).collect(),
        };
        let items = table::list(node, "`examples`", EXAMPLES_MAX, faults).iter();
        items
            .filter_map(|item| Example::read(item, &known, faults))
            .collect()
    }
}

fn check_form(table: Table<'_>, faults: &mut Faults) {
    let Some(node) = table.need("$highwater", "a declaration", faults) else {
        return;
    };
    let form = table::text(node, "`$highwater`", faults);
    if form.is_some_and(|form| form != FORM) {
        let words = format!("this program reads the form `{FORM}`");
        faults.push(Fault::new(node.at, words));
    }
}

fn read_sources(table: Table<'_>, faults: &mut Faults) -> (Vec<Source>, Vec<Position>) {
    let (mut sources, mut places) = (Vec::new(), Vec::new());
    let Some(node) = table.need("sources", "a declaration", faults) else {
        return (sources, places);
    };
    let before = faults.len();
    for item in table::list(node, "`sources`", SOURCES_MAX, faults) {
        let Some(word) = table::text(item, "a source", faults) else {
            continue;
        };
        match Source::parse(word, item.at) {
            Err(fault) => faults.push(fault),
            Ok(source) if sources.contains(&source) => {
                faults.push(Fault::new(
                    item.at,
                    format!("`{source}` stands in `sources` twice"),
                ));
            }
            Ok(source) => {
                sources.push(source);
                places.push(item.at);
            }
        }
    }
    if sources.is_empty() && faults.len() == before {
        faults.push(Fault::new(node.at, "`sources` names none"));
    }
    (sources, places)
}

fn read_public(table: Table<'_>, faults: &mut Faults) -> (bool, i64) {
    let public = table
        .get("public")
        .and_then(|node| table::boolean(node, "`public`", faults));
    let floor = table
        .get("public_floor")
        .and_then(|node| table::whole(node, "`public_floor`", 1..=i64::MAX, faults));
    (public.unwrap_or_default(), floor.unwrap_or(PUBLIC_FLOOR_DEFAULT))
}
