//! A selection as SQL. It may find more than the selection can match, never less: whoever runs it asks
//! [`Selection::can_match`] of each row.

use ping::{Dimension, OTHER, UNKNOWN};
use rusqlite::types::Value;

use super::{row, sql};
use crate::{Condition, Selection};

/// More values than this in one condition are left to [`Selection::can_match`].
const VALUES_MAX: usize = 500;

/// A statement with the values of its placeholders, `$1` first.
#[derive(Debug, PartialEq)]
pub(super) struct Query {
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

/// The rows of a selection behind a key, in byte order of keys.
pub(super) fn query(selection: &Selection, after: Option<&str>, limit: usize) -> Query {
    let mut query = Query {
        text: sql::SELECT.to_owned(),
        values: Vec::new(),
    };
    for (dimension, condition) in &selection.conditions {
        query.add_condition(*dimension, condition);
    }
    if let Some(from) = selection.received_from {
        query.add("c.received_max_us >=", from.as_micros().into());
    }
    if let Some(before) = selection.received_before {
        query.add("c.received_min_us <", before.as_micros().into());
    }
    if let Some(kind) = selection.kind {
        query.add("c.kind =", row::kind_number(kind).into());
    }
    if let Some(after) = after {
        query.add("c.object_key >", text(after));
    }
    let limit = query.bind(i64::try_from(limit).unwrap_or(i64::MAX).into());
    query
        .text
        .push_str(&format!(" ORDER BY c.object_key LIMIT {limit}"));
    query
}

impl Query {
    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn add(&mut self, comparison: &str, value: Value) {
        let placeholder = self.bind(value);
        self.text.push_str(&format!(" AND {comparison} {placeholder}"));
    }

    fn add_condition(&mut self, dimension: Dimension, condition: &Condition) {
        let column = format!("c.{dimension}");
        let wanted = match condition {
            Condition::OneOf(values) if values.len() > VALUES_MAX => return,
            Condition::OneOf(values) => {
                let places: Vec<_> = values.iter().map(|value| self.bind(text(value))).collect();
                format!("{column} IN ({})", places.join(", "))
            }
            Condition::Range { from, to } => {
                let mut ends = Vec::new();
                if let Some(from) = from {
                    ends.push(format!("{column} >= {}", self.bind(text(from))));
                }
                if let Some(above) = to.as_deref().and_then(above_prefix) {
                    ends.push(format!("{column} < {}", self.bind(text(&above))));
                }
                if ends.is_empty() {
                    return;
                }
                format!("({})", ends.join(" AND "))
            }
            Condition::Versions(versions) => {
                let mut one = |version: &String| {
                    let equal = self.bind(text(version));
                    let from = self.bind(text(&format!("{version}.")));
                    let below = self.bind(text(&format!("{version}/")));
                    format!("{column} = {equal} OR ({column} >= {from} AND {column} < {below})")
                };
                let any: Vec<String> = versions.iter().map(&mut one).collect();
                if any.is_empty() {
                    "0".to_owned()
                } else {
                    any.join(" OR ")
                }
            }
        };
        let mut always = format!("'{OTHER}'");
        if condition.can_match(UNKNOWN) {
            always = format!("{always}, '{UNKNOWN}'");
        }
        // A submission date is never OTHER: without the alternative the index can be walked.
        if dimension == Dimension::SubmissionDate {
            self.text.push_str(&format!(" AND ({wanted})"));
        } else {
            self.text
                .push_str(&format!(" AND ({column} IN ({always}) OR {wanted})"));
        }
    }
}

/// The lowest text above all that begin with `prefix`; `None` when there is none.
fn above_prefix(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            other => char::from_u32(other as u32 + 1),
        };
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_that_is_below_the_next_prefix_is_below_or_begins_with_it(prefix in "[a\u{d7ff}\u{10ffff}\\PC]{0,3}", value in "[a\u{d7ff}\u{e000}\u{10ffff}\\PC]{0,5}", tail: String) {
            for value in [value.clone(), format!("{prefix}{tail}"), format!("{prefix}{value}")] {
                let wanted = value <= prefix || value.starts_with(&prefix);
                let below = above_prefix(&prefix).is_none_or(|above| value < above);
                prop_assert_eq!(below, wanted);
            }
        }
    }
}
