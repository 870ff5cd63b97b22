//! A selection as SQL that SQLite and PostgreSQL both read, but for their marks of placeholders. It may find more than the selection can match, never less:
//! whoever runs it asks [`Selection::can_match`] of each row.

use ping::{Dimension, OTHER, UNKNOWN};

use crate::{ChunkKind, Condition, Selection};

/// More values than this in one condition are left to [`Selection::can_match`].
const VALUES_MAX: usize = 500;

/// Up to so many entries of a first page are asked for unsorted: sorting them here costs less than the database's own
/// sorting, which moves whole rows; asking in vain, when there are more, costs as much again.
const UNSORTED_MAX: usize = 1_000;

/// A value for a placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
}

/// What a numbered placeholder begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// SQLite's; its `$1` is a name, which is numbered where it stands first.
    #[cfg(feature = "sqlite")]
    Question,
    /// PostgreSQL's.
    #[cfg(feature = "postgres")]
    Dollar,
}

/// A statement with the values of its placeholders, number 1 first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Query {
    mark: Mark,
    pub(crate) text: String,
    pub(crate) values: Vec<Value>,
}

/// The number that stands for a kind in both databases: that of the summary.
pub(crate) const fn kind_number(kind: ChunkKind) -> i64 {
    match kind {
        ChunkKind::Pings => 1,
        ChunkKind::Errors => 2,
    }
}

/// How many of the rows of a selection are asked for, and in which order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Page<'a> {
    /// The first ones behind a key, in byte order of keys.
    Behind(Option<&'a str>, usize),
    /// Any: the database need not sort what is so few that it comes whole.
    Any(usize),
}

impl Page<'_> {
    /// The first page, as it is asked for first.
    pub(crate) const fn first(limit: usize) -> Self {
        if limit <= UNSORTED_MAX {
            Self::Any(limit.saturating_add(1))
        } else {
            Self::Behind(None, limit)
        }
    }
}

/// The rows of a selection. `head` selects columns of the chunks, named `c`, and ends in a condition.
pub(crate) fn query(mark: Mark, head: &str, selection: &Selection, page: Page<'_>) -> Query {
    let mut query = Query {
        mark,
        text: head.to_owned(),
        values: Vec::new(),
    };
    let mut channel = None;
    let mut builds = None;
    for (dimension, condition) in &selection.conditions {
        let Some(alternatives) = query.alternatives(*dimension, condition) else {
            continue;
        };
        match dimension {
            Dimension::AppUpdateChannel if channel.is_none() => channel = Some(alternatives),
            Dimension::AppBuildId if builds.is_none() => builds = Some(alternatives),
            _ => query.add_one_of(&alternatives),
        }
    }
    match (channel, builds) {
        // Each alternative names the channel, so that an index on both is walked by both.
        (Some(channel), Some(builds)) => {
            let channel = channel.join(" OR ");
            let both: Vec<String> = builds
                .iter()
                .map(|build| format!("(({channel}) AND {build})"))
                .collect();
            query.add_one_of(&both);
        }
        (one, other) => one
            .iter()
            .chain(&other)
            .for_each(|alternatives| query.add_one_of(alternatives)),
    }
    if let Some(from) = selection.received_from {
        query.add("c.received_max_us >=", Value::Number(from.as_micros()));
    }
    if let Some(before) = selection.received_before {
        query.add("c.received_min_us <", Value::Number(before.as_micros()));
    }
    if let Some(kind) = selection.kind {
        query.add("c.kind =", Value::Number(kind_number(kind)));
    }
    let (order, limit) = match page {
        Page::Behind(after, limit) => {
            if let Some(after) = after {
                query.add("c.object_key >", lower(after));
            }
            (" ORDER BY c.object_key", limit)
        }
        Page::Any(limit) => ("", limit),
    };
    let limit = query.bind(Value::Number(i64::try_from(limit).unwrap_or(i64::MAX)));
    query.text.push_str(&format!("{order} LIMIT {limit}"));
    query
}

impl Query {
    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        let number = self.values.len();
        match self.mark {
            #[cfg(feature = "sqlite")]
            Mark::Question => format!("?{number}"),
            #[cfg(feature = "postgres")]
            Mark::Dollar => format!("${number}"),
        }
    }

    fn add(&mut self, comparison: &str, value: Value) {
        let placeholder = self.bind(value);
        self.text.push_str(&format!(" AND {comparison} {placeholder}"));
    }

    fn add_one_of(&mut self, alternatives: &[String]) {
        self.text
            .push_str(&format!(" AND ({})", alternatives.join(" OR ")));
    }

    /// A condition as alternatives, of which one must hold; `None` where it is left to [`Selection::can_match`].
    fn alternatives(&mut self, dimension: Dimension, condition: &Condition) -> Option<Vec<String>> {
        let column = format!("c.{dimension}");
        let (mut equal, mut any) = (Vec::new(), Vec::new());
        // A submission date is never OTHER: without the alternative an index can be walked by it.
        if dimension != Dimension::SubmissionDate {
            equal.push(format!("'{OTHER}'"));
            if condition.can_match(UNKNOWN) {
                equal.push(format!("'{UNKNOWN}'"));
            }
        }
        match condition {
            Condition::OneOf(values) if values.len() > VALUES_MAX => return None,
            Condition::OneOf(values) => equal.extend(values.iter().map(|value| self.bind(text(value)))),
            Condition::Range { from, to } => {
                let mut ends = Vec::new();
                if let Some(from) = from {
                    ends.push(format!("{column} >= {}", self.bind(lower(from))));
                }
                if let Some(above) = to.as_deref().and_then(above_prefix) {
                    ends.push(format!("{column} < {}", self.bind(upper(&above))));
                }
                if ends.is_empty() {
                    return None;
                }
                any.push(format!("({})", ends.join(" AND ")));
            }
            Condition::Versions(versions) => {
                for version in versions {
                    equal.push(self.bind(text(version)));
                    let from = self.bind(lower(&format!("{version}.")));
                    let below = self.bind(upper(&format!("{version}/")));
                    any.push(format!("({column} >= {from} AND {column} < {below})"));
                }
            }
        }
        if !equal.is_empty() {
            any.insert(0, format!("{column} IN ({})", equal.join(", ")));
        }
        if any.is_empty() {
            any.push("FALSE".to_owned());
        }
        Some(any)
    }
}

/// A text at which a range begins. PostgreSQL's texts hold no NUL: the range begins a little lower then.
fn lower(value: &str) -> Value {
    text(value.split('\0').next().unwrap_or_default())
}

/// A text below which a range ends; a little higher when there is a NUL in it.
fn upper(value: &str) -> Value {
    match value.split_once('\0') {
        None => text(value),
        Some((front, _)) => text(&format!("{front}\u{1}")),
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
