//! How a table of keys is read: each key known, each value of its kind; what is not is told, and the rest is read on.

use super::fault::{Fault, Position, short};
use super::node::{Node, Value, Word};
use super::path::Path;

/// All that is wrong, in the order in which it was found.
pub(crate) type Faults = Vec<Fault>;

/// A table of keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<'a> {
    pub(crate) at: Position,
    pub(crate) entries: &'a [(Word, Node)],
}

impl<'a> Table<'a> {
    /// The table that a value is.
    pub(crate) fn of(node: &'a Node, what: &str, faults: &mut Faults) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            expected(node, what, "a table of keys", faults);
            return None;
        };
        Some(Self { at: node.at, entries })
    }

    /// The table that a value is, of which these keys are known.
    pub(crate) fn with_keys(node: &'a Node, what: &str, keys: &[&str], faults: &mut Faults) -> Option<Self> {
        let table = Self::of(node, what, faults)?;
        for (key, _) in table.entries {
            if !keys.contains(&key.text.as_str()) {
                let known = keys.iter().copied();
                faults.push(Fault::unknown(
                    key.at,
                    &format!("key of {what}"),
                    &key.text,
                    known,
                ));
            }
        }
        Some(table)
    }

    /// What stands under a key; nothing if that is empty.
    pub(crate) fn get(self, key: &str) -> Option<&'a Node> {
        let found = self.entries.iter().find(|(word, _)| word.text == key)?;
        (found.1.value != Value::Null).then_some(&found.1)
    }

    /// Where a key stands.
    pub(crate) fn key_at(self, key: &str) -> Position {
        let found = self.entries.iter().find(|(word, _)| word.text == key);
        found.map_or(self.at, |(word, _)| word.at)
    }

    /// What stands under a key that must be there.
    pub(crate) fn need(self, key: &str, what: &str, faults: &mut Faults) -> Option<&'a Node> {
        let found = self.get(key);
        if found.is_none() {
            faults.push(Fault::new(self.at, format!("{what} has no `{key}`")));
        }
        found
    }
}

/// Tells that a value is of another kind.
pub(crate) fn expected(node: &Node, what: &str, kind: &str, faults: &mut Faults) {
    faults.push(Fault::new(
        node.at,
        format!("{what} is {}, and should be {kind}", node.kind()),
    ));
}

/// A text.
pub(crate) fn text<'a>(node: &'a Node, what: &str, faults: &mut Faults) -> Option<&'a str> {
    let Value::Text(text) = &node.value else {
        expected(node, what, "a text", faults);
        return None;
    };
    Some(text)
}

/// A text, for which a whole number, true and false may stand.
pub(crate) fn plain(node: &Node, what: &str, faults: &mut Faults) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Whole(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Fraction(_) => {
            expected(node, what, "a text: write it in quotes", faults);
            None
        }
        _ => {
            expected(node, what, "a text", faults);
            None
        }
    }
}

/// A whole number within bounds.
pub(crate) fn whole(
    node: &Node,
    what: &str,
    bounds: std::ops::RangeInclusive<i64>,
    faults: &mut Faults,
) -> Option<i64> {
    match node.value {
        Value::Whole(number) if bounds.contains(&number) => Some(number),
        Value::Whole(number) => {
            faults.push(Fault::new(
                node.at,
                format!(
                    "{what} is {number}, and should be {} to {}",
                    bounds.start(),
                    bounds.end()
                ),
            ));
            None
        }
        _ => {
            expected(node, what, "a whole number", faults);
            None
        }
    }
}

/// True or false.
pub(crate) fn boolean(node: &Node, what: &str, faults: &mut Faults) -> Option<bool> {
    let Value::Bool(value) = node.value else {
        expected(node, what, "true or false", faults);
        return None;
    };
    Some(value)
}

/// A list of at most so many items.
pub(crate) fn list<'a>(node: &'a Node, what: &str, most: usize, faults: &mut Faults) -> &'a [Node] {
    match &node.value {
        Value::List(items) if items.len() <= most => items,
        Value::List(items) => {
            faults.push(Fault::new(
                node.at,
                format!("{what} has {} items, and {most} are the most", items.len()),
            ));
            &[]
        }
        _ => {
            expected(node, what, "a list", faults);
            &[]
        }
    }
}

/// One word of those known.
pub(crate) fn one_of<T: Copy>(
    node: &Node,
    what: &str,
    known: &[(&str, T)],
    faults: &mut Faults,
) -> Option<T> {
    let word = text(node, what, faults)?;
    let found = known.iter().find(|(name, _)| *name == word);
    if found.is_none() {
        let names = known.iter().map(|(name, _)| *name);
        faults.push(Fault::unknown(node.at, what, word, names));
    }
    found.map(|(_, value)| *value)
}

/// A path.
pub(crate) fn path(node: &Node, what: &str, faults: &mut Faults) -> Option<Path> {
    let read = Path::parse(text(node, what, faults)?, node.at);
    read.map_err(|fault| faults.push(fault)).ok()
}

/// A path that leads to one place.
pub(crate) fn single_path(node: &Node, what: &str, faults: &mut Faults) -> Option<Path> {
    let path = path(node, what, faults)?;
    if path.stars() > 0 {
        faults.push(Fault::new(
            node.at,
            format!("{what} is one value a ping: `*` leads to many"),
        ));
        return None;
    }
    Some(path)
}

/// A list of texts, each once.
pub(crate) fn distinct(
    node: &Node,
    what: &str,
    most: usize,
    longest: usize,
    faults: &mut Faults,
) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for item in list(node, what, most, faults) {
        let Some(text) = plain(item, what, faults) else {
            continue;
        };
        if text.is_empty() || text.len() > longest {
            faults.push(Fault::new(
                item.at,
                format!("`{}` has not 1 to {longest} bytes", short(&text)),
            ));
        } else if texts.contains(&text) {
            faults.push(Fault::new(item.at, format!("`{text}` stands in {what} twice")));
        } else {
            texts.push(text);
        }
    }
    texts
}
