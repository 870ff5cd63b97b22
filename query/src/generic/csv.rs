//! An answer as a table: one row a bin.

use std::fmt::Write as _;

use super::answer::Answer;
use super::form::Edges;
use super::group::{Bins, Row};
use super::question::By;

/// The columns after those that are grouped by.
const COLUMNS: [&str; 8] = [
    "kind", "layout", "pings", "samples", "sum", "bin", "high", "count",
];

/// The table, with a line of names; `None` when it would have more than so many bytes.
pub(crate) fn csv(answer: &Answer, bytes_max: usize) -> Option<String> {
    let by = answer.question.by.iter().map(By::name);
    let mut table = String::new();
    line(&mut table, by.chain(COLUMNS));
    for row in &answer.rows {
        lines(&mut table, row, bytes_max);
        if table.len() > bytes_max {
            return None;
        }
    }
    if let Some(rest) = &answer.rest {
        let groups = answer.question.by.iter().map(|_| String::new());
        let number = |number: Option<String>| number.unwrap_or_default();
        let fields = [
            "rest".to_owned(),
            String::new(),
            number(rest.pings.map(|pings| pings.to_string())),
            rest.samples.to_string(),
            number(rest.sum.map(|sum| sum.to_string())),
            String::new(),
            String::new(),
            String::new(),
        ];
        let fields: Vec<String> = groups.chain(fields).collect();
        line(&mut table, fields.iter().map(String::as_str));
    }
    (table.len() <= bytes_max).then_some(table)
}

/// The lines of a row, until there are too many bytes.
fn lines(table: &mut String, row: &Row, bytes_max: usize) {
    let sum = match &row.bins {
        Bins::Bounds(_) => row.sum.to_string(),
        Bins::Names(_) => String::new(),
    };
    let about = [
        row.form.name().to_owned(),
        row.layout.to_string(),
        row.pings.to_string(),
        row.samples().to_string(),
        sum,
    ];
    let mut bin = |low: &str, high: &str, count: i128| {
        if table.len() <= bytes_max {
            let count = count.to_string();
            let fields = row.group.iter().chain(&about).map(String::as_str);
            line(table, fields.chain([low, high, &count]));
        }
    };
    match &row.bins {
        Bins::Bounds(bins) => {
            let edges = Edges::of(&row.layout);
            for (low, count) in bins {
                let high = edges.after(*low).map(|high| high.to_string()).unwrap_or_default();
                bin(&low.to_string(), &high, *count);
            }
        }
        Bins::Names(bins) => bins.iter().for_each(|(name, count)| bin(name, "", *count)),
    }
}

/// Fields with commas between them; one with a comma, a quote or a line's end stands in quotes.
fn line<'a>(table: &mut String, fields: impl IntoIterator<Item = &'a str>) {
    for (at, field) in fields.into_iter().enumerate() {
        if at > 0 {
            table.push(',');
        }
        let _ = match field.contains([',', '"', '\r', '\n']) {
            true => write!(table, "\"{}\"", field.replace('"', "\"\"")),
            false => write!(table, "{field}"),
        };
    }
    table.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_would_break_a_line_is_quoted() {
        let mut table = String::new();
        line(&mut table, ["a", "b,c", "d\"e", "f\ng", ""]);
        assert_eq!(table, "a,\"b,c\",\"d\"\"e\",\"f\ng\",\r\n");
    }
}
