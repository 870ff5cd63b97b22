//! Where a declaration contradicts itself, or another one.

use std::collections::BTreeMap;

use super::dimension::From;
use super::fault::Fault;
use super::limits::READERS_PER_PATH_MAX;
use super::metric::Metric;
use super::path::Path;
use super::privacy::Clients;
use super::product::Declaration;
use super::table::{Faults, Table};
use crate::definitions::Definitions;

/// Two files, and where they contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The place of the file that is refused, in the order given.
    pub file: usize,
    /// The place of the file that it contradicts.
    pub other: usize,
    /// Where in the former, and how.
    pub fault: Fault,
}

/// Where a declaration contradicts itself.
pub(super) fn within(declaration: &Declaration, table: Table<'_>, faults: &mut Faults) {
    types(declaration, faults);
    crowds(declaration, table, faults);
    ignored(declaration, table, faults);
    private(declaration, table, faults);
}

/// Where declarations contradict each other: two of one source, two metrics of one name that are not alike. The later one is
/// refused.
#[must_use]
pub fn between(declarations: &[&Declaration]) -> Vec<Contradiction> {
    let mut found = Vec::new();
    for (file, mine) in declarations.iter().enumerate() {
        for (other, theirs) in declarations.iter().enumerate().take(file) {
            let faults = clashes(mine, theirs);
            found.extend(
                faults
                    .into_iter()
                    .map(|fault| Contradiction { file, other, fault }),
            );
        }
    }
    found
}

/// Where a declaration contradicts definitions of Glean: a metric of one name and another type, or another unit.
#[must_use]
pub fn beside_glean(declaration: &Declaration, definitions: &Definitions) -> Vec<Fault> {
    let faults = declaration.metrics.iter().filter_map(|metric| {
        let theirs = definitions.metrics.get(&metric.name)?;
        let (their_type, my_type) = (theirs.metric_type.word(), metric.type_word());
        let words = if their_type != my_type {
            format!("is a `{their_type}` in Glean's definitions, and a `{my_type}` here")
        } else {
            // Units that are converted are the same ones in the end.
            let is_free = metric.kind.units().is_none() && !metric.unit.is_empty();
            let unit = theirs
                .unit
                .as_ref()
                .filter(|unit| is_free && **unit != metric.unit)?;
            format!(
                "is in `{unit}` in Glean's definitions, and in `{}` here",
                metric.unit
            )
        };
        Some(Fault::new(metric.at, format!("`{}` {words}", metric.name)))
    });
    faults.collect()
}

fn clashes(mine: &Declaration, theirs: &Declaration) -> Faults {
    let mut faults = Vec::new();
    for (source, at) in mine.sources.iter().zip(&mine.sources_at) {
        if theirs.sources.contains(source) {
            faults.push(Fault::new(*at, format!("`{source}` is declared by another file")));
        }
    }
    let shares_namespace = mine.sources.iter().any(|mine| {
        theirs
            .sources
            .iter()
            .any(|their| their.namespace == mine.namespace)
    });
    if !shares_namespace {
        return faults;
    }
    for metric in &mine.metrics {
        let namesake = theirs.metrics.iter().find(|known| known.name == metric.name);
        faults.extend(namesake.and_then(|known| unlike(metric, known)));
    }
    faults
}

/// What tells two metrics of one name apart, if something does.
fn unlike(metric: &Metric, known: &Metric) -> Option<Fault> {
    let words = if metric.type_word() != known.type_word() {
        format!("`{}` there, `{}` here", known.type_word(), metric.type_word())
    } else if metric.unit != known.unit {
        format!("in `{}` there, in `{}` here", known.unit, metric.unit)
    } else if metric.layout != known.layout {
        format!("bins {} there, {} here", known.layout, metric.layout)
    } else {
        return None;
    };
    let name = &metric.name;
    Some(Fault::new(
        metric.at,
        format!("`{name}` is declared elsewhere with another meaning: {words}"),
    ))
}

/// Metrics of one name that are not alike: `a.b` below `x`, and `b` below `x.a`.
fn types(declaration: &Declaration, faults: &mut Faults) {
    let mut known: BTreeMap<&str, &Metric> = BTreeMap::new();
    for metric in &declaration.metrics {
        if let Some(known) = known.insert(&metric.name, metric) {
            let words = format!("`{}` is declared twice", metric.name);
            faults.push(unlike(metric, known).unwrap_or_else(|| Fault::new(metric.at, words)));
        }
    }
}

/// The paths that are read, and by what.
fn read_paths(declaration: &Declaration) -> Vec<(&Path, String)> {
    let dimensions = declaration.dimensions.iter();
    let dimensions = dimensions.filter_map(|dimension| match &dimension.from {
        From::Path(path) => Some((path, format!("the dimension `{}`", dimension.name))),
        From::Header(_) | From::Uri(_) => None,
    });
    let metrics = declaration.metrics.iter();
    let metrics = metrics.map(|metric| (&metric.path, format!("the metric `{}`", metric.name)));
    dimensions.chain(metrics).collect()
}

fn crowds(declaration: &Declaration, table: Table<'_>, faults: &mut Faults) {
    let mut readers: BTreeMap<&Path, usize> = BTreeMap::new();
    for (path, _) in read_paths(declaration) {
        let readers = readers.entry(path).or_default();
        *readers += 1;
        if *readers == READERS_PER_PATH_MAX + 1 {
            let words =
                format!("`{path}` is read by more than {READERS_PER_PATH_MAX} dimensions and metrics");
            faults.push(Fault::new(table.key_at("metrics"), words));
        }
    }
}

fn ignored(declaration: &Declaration, table: Table<'_>, faults: &mut Faults) {
    let read = read_paths(declaration);
    for ignored in &declaration.ignore {
        let client = declaration
            .client_id
            .iter()
            .map(|path| (path, "the client's id".to_owned()));
        for (path, reader) in read.iter().cloned().chain(client) {
            if ignored.covers(path) {
                let words = format!("`{ignored}` is ignored, and {reader} is read from `{path}`");
                faults.push(Fault::new(table.key_at("ignore"), words));
            }
        }
    }
}

fn private(declaration: &Declaration, table: Table<'_>, faults: &mut Faults) {
    let read = read_paths(declaration);
    for (source, privacy) in declaration.sources.iter().zip(&declaration.privacy) {
        let at = ["drop", "by_source"].map(|key| table.key_at(key));
        let at = if table.get("by_source").is_some() {
            at[1]
        } else {
            at[0]
        };
        for dropped in &privacy.taken_out(declaration.client_id.as_ref()) {
            for (path, reader) in &read {
                if dropped.covers(path) {
                    let words = format!(
                        "`{dropped}` is taken out of what is stored of {source}, so {reader} could not be read from `{path}`"
                    );
                    faults.push(Fault::new(at, words));
                }
            }
        }
        if privacy.clients == Clients::Daily && declaration.client_id.is_none() {
            let words = "`clients: daily` without a `client_id`: there is nothing to hash";
            let key = if table.get("clients").is_some() {
                "clients"
            } else {
                "by_source"
            };
            faults.push(Fault::new(table.key_at(key), words));
        }
    }
}
