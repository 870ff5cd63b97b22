//! What is asked of dimension sets `s` and cells `c`, in SQL. Names are looked up within the statement, so that its answer is of
//! one moment.

use ping::{SubmissionDate, UNKNOWN};
use tokio_postgres::types::Type;

use super::given::Given;
use super::ids::column;
use super::sets::pair;
use crate::dimensions::{LINUX, LINUX_VERSION_CHARS};
use crate::{
    AggregateError, CellQuery, Dimension, Filter, LIST_SEPARATOR, Source, Wanted, original_os_version,
};

/// The sets of a source of which all of these hold.
pub(super) fn of_sets(
    given: &mut Given,
    source: &Source,
    filters: &[Filter],
) -> Result<String, AggregateError> {
    let mut sql = format!("s.source = {}", source_id(given, source)?);
    for filter in filters {
        let dimension = filter.dimension.as_str();
        let holds = match &filter.wanted {
            Wanted::AnyOf(values) => any_of(given, dimension, values)?,
            Wanted::Between { from, to } => between(given, dimension, from.as_deref(), to.as_deref()),
            Wanted::AnyItemOf(items) => any_item_of(given, dimension, items)?,
            Wanted::OriginalOsVersion(version) => with_original_os_version(given, version)?,
        };
        sql.push_str(&format!(" AND ({holds})"));
    }
    Ok(sql)
}

/// The cells of a set that a question asks for.
pub(super) fn of_cells(given: &mut Given, query: &CellQuery) -> String {
    let CellQuery {
        metric,
        label,
        processes,
        source: _,
        filters: _,
        group_by: _,
        by_process: _,
    } = query;
    let mut sql = format!("c.metric = {}", id(given, metric));
    if let Some(label) = label {
        sql.push_str(&format!(" AND c.label = {}", id(given, label)));
    }
    if let Some(processes) = processes {
        if let Some(ids) = known(given, processes.iter().map(String::as_str)) {
            let ids = given.add(ids, Type::INT4_ARRAY);
            sql.push_str(&format!(" AND c.process = ANY ({ids})"));
            return sql;
        }
        let processes = given.texts(processes.iter().map(String::as_str));
        sql.push_str(&format!(
            " AND c.process = ANY (ARRAY(SELECT t.id FROM unnest({processes}) AS i (bytes) \
             JOIN highwater_aggregates.string t ON sha256(t.bytes) = sha256(i.bytes)))"
        ));
    }
    sql
}

/// The ids of texts that were all looked up, less what has none.
fn known<'a>(given: &Given, texts: impl IntoIterator<Item = &'a str>) -> Option<Vec<i32>> {
    let ids: Option<Vec<Option<i32>>> = texts.into_iter().map(|text| given.known(text)).collect();
    Some(ids?.into_iter().flatten().collect())
}

/// The id of a text.
pub(super) fn id(given: &mut Given, text: &str) -> String {
    match given.known(text) {
        Some(Some(id)) => return given.add(id, Type::INT4),
        Some(None) => return "NULL::INTEGER".to_owned(),
        None => {}
    }
    let text = given.text(text);
    format!("(SELECT id FROM highwater_aggregates.string WHERE sha256(bytes) = sha256({text}))")
}

/// The id of a source in its epoch.
pub(super) fn source_id(given: &mut Given, source: &Source) -> Result<String, AggregateError> {
    let name = given.text(source.as_str());
    let epoch = given.add(column(source.epoch())?, Type::INT4);
    Ok(format!(
        "(SELECT id FROM highwater_aggregates.source WHERE sha256(name) = sha256({name}) AND epoch = {epoch})"
    ))
}

/// The text of a set's value of a dimension; NULL where it states none, as of the day of submission.
pub(super) fn value(given: &mut Given, dimension: &str) -> String {
    let dimension = id(given, dimension);
    format!(
        "(SELECT bytes FROM highwater_aggregates.string WHERE id = \
         (SELECT (pair & 4294967295)::INTEGER FROM unnest(s.pairs) AS pair WHERE pair >> 32 = {dimension}))"
    )
}

/// The same, and [`UNKNOWN`] where it states none.
pub(super) fn value_or_unknown(given: &mut Given, dimension: &str) -> String {
    let value = value(given, dimension);
    let unknown = given.text(UNKNOWN);
    format!("COALESCE({value}, {unknown})")
}

fn any_of(given: &mut Given, dimension: &str, values: &[String]) -> Result<String, AggregateError> {
    if dimension == Dimension::SUBMISSION_DATE {
        let days = values
            .iter()
            .filter_map(|text| text.parse::<SubmissionDate>().ok());
        let days = days.map(|day| column(day.as_yyyymmdd()));
        let days = days.collect::<Result<Vec<i32>, AggregateError>>()?;
        return Ok(format!(
            "s.submission_date = ANY ({})",
            given.add(days, Type::INT4_ARRAY)
        ));
    }
    let stated = values
        .iter()
        .map(String::as_str)
        .filter(|value| *value != UNKNOWN);
    let stated: Vec<&str> = stated.collect();
    Ok(match (stated.is_empty(), stated.len() < values.len()) {
        (false, false) => bearing(given, dimension, stated),
        (false, true) => {
            let bearing = bearing(given, dimension, stated);
            format!("{bearing} OR {}", silent(given, dimension))
        }
        (true, true) => silent(given, dimension),
        (true, false) => "FALSE".to_owned(),
    })
}

/// The sets that state one of these values: what the index of pairs finds.
fn bearing<'a>(given: &mut Given, dimension: &str, values: impl IntoIterator<Item = &'a str>) -> String {
    let values: Vec<&str> = values.into_iter().collect();
    if let (Some(dimension), Some(values)) = (known(given, [dimension]), known(given, values.iter().copied()))
    {
        let dimension = dimension.first().copied();
        let pairs = dimension.map(|dimension| values.iter().map(|value| pair(dimension, *value)).collect());
        let pairs: Vec<i64> = pairs.unwrap_or_default();
        return format!("s.pairs && {}", given.add(pairs, Type::INT8_ARRAY));
    }
    let (dimension, values) = (given.text(dimension), given.texts(values));
    format!(
        "s.pairs && ARRAY(SELECT (name.id::BIGINT << 32) + value.id FROM highwater_aggregates.string name \
         CROSS JOIN unnest({values}) AS i (bytes) \
         JOIN highwater_aggregates.string value ON sha256(value.bytes) = sha256(i.bytes) \
         WHERE sha256(name.bytes) = sha256({dimension}))"
    )
}

/// The sets that state a list with one of these items.
fn any_item_of(given: &mut Given, dimension: &str, items: &[String]) -> Result<String, AggregateError> {
    let mut any = vec!["FALSE".to_owned()];
    for item in items {
        if item == UNKNOWN {
            any.push(silent(given, dimension));
        }
        // No item has the separator: with one it would be found where two stand side by side.
        if item.contains(LIST_SEPARATOR) {
            continue;
        }
        let list = value(given, dimension);
        let separator = given.text(LIST_SEPARATOR);
        let item = given.text(item);
        any.push(format!(
            "position({separator} || {item} || {separator} IN {separator} || {list} || {separator}) > 0"
        ));
    }
    Ok(any.join(" OR "))
}

/// The sets that state a value of this range: texts are compared by their bytes.
fn between(given: &mut Given, dimension: &str, from: Option<&str>, to: Option<&str>) -> String {
    let value = match dimension {
        Dimension::SUBMISSION_DATE => "convert_to(s.submission_date::TEXT, 'UTF8')".to_owned(),
        _ => value(given, dimension),
    };
    let mut holds = vec![format!("{value} IS NOT NULL")];
    if let Some(from) = from {
        holds.push(format!("{value} >= {}", given.text(from)));
    }
    if let Some(to) = to {
        holds.push(format!("{value} <= {}", given.text(to)));
    }
    holds.join(" AND ")
}

/// The sets that state no value. A dimension that has no id is stated by none.
fn silent(given: &mut Given, dimension: &str) -> String {
    let dimension = id(given, dimension);
    format!("NOT EXISTS (SELECT FROM unnest(s.pairs) AS pair WHERE pair >> 32 = {dimension})")
}

/// The sets that have this version of their operating system, as the original counted it.
fn with_original_os_version(given: &mut Given, wanted: &str) -> Result<String, AggregateError> {
    let exact = any_of(given, Dimension::OS_VERSION, &[wanted.to_owned()])?;
    let linux = bearing(given, Dimension::OS, [LINUX]);
    let mut of_linux = vec!["FALSE".to_owned()];
    match wanted.chars().count() {
        ..LINUX_VERSION_CHARS => of_linux.push(exact.clone()),
        LINUX_VERSION_CHARS => {
            // Every text is UTF-8: it begins with these characters if it begins with their bytes.
            let (value, beginning) = (value(given, Dimension::OS_VERSION), given.text(wanted));
            of_linux.push(format!(
                "substring({value} FROM 1 FOR octet_length({beginning})) = {beginning}"
            ));
        }
        _ => {}
    }
    if original_os_version(LINUX, UNKNOWN) == wanted {
        of_linux.push(silent(given, Dimension::OS_VERSION));
    }
    Ok(format!(
        "CASE WHEN {linux} THEN {} ELSE {exact} END",
        of_linux.join(" OR ")
    ))
}
