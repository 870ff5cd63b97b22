//! YAML as a tree in which every key and every value knows its line and column.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::fault::{Fault, Position};
use super::limits::{DEPTH_MAX, FILE_BYTES_MAX, NODES_MAX};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) value: Value,
}

/// What YAML can say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Whole(i64),
    Fraction(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Word, Node)>),
}

/// A text and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) at: Position,
    pub(crate) text: String,
}

impl Node {
    /// Reads the text of a declaration.
    pub(crate) fn read(text: &str) -> Result<Self, Fault> {
        Self::decode(text, FILE_BYTES_MAX, NODES_MAX, true)
    }

    /// Reads a text of at most so many bytes, keys and values, by the rules of YAML 1.1, as Glean's tools do: `yes` is true.
    pub(crate) fn within(text: &str, bytes_max: usize, nodes_max: usize) -> Result<Self, Fault> {
        Self::decode(text, bytes_max, nodes_max, false)
    }

    /// Unless `yes` is true, only `true` and `false` are no texts: the list of countries `[DE, NO]` names Norway.
    fn decode(text: &str, bytes_max: usize, nodes_max: usize, strict_booleans: bool) -> Result<Self, Fault> {
        let begin = Position { line: 1, column: 1 };
        if text.len() > bytes_max {
            return Err(Fault::new(
                begin,
                format!("the file has more than {bytes_max} bytes: give it in parts"),
            ));
        }
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_depth: DEPTH_MAX, max_nodes: nodes_max },
            with_snippet: false,
            strict_booleans: strict_booleans,
        };
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let at = error.location().map_or(begin, Position::of);
            Fault::new(at, own_words(&error.to_string()))
        })
    }

    /// The kind of value, in words.
    pub(crate) const fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Whole(_) | Value::Fraction(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a table of keys",
        }
    }

    /// As JSON: what the body of an example is.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Whole(value) => (*value).into(),
            Value::Fraction(value) => (*value).into(),
            Value::Text(value) => value.as_str().into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => {
                let members = entries.iter();
                members
                    .map(|(key, value)| (key.text.clone(), value.to_json()))
                    .collect()
            }
        }
    }
}

/// What the decoder says, without what it advises programs to do.
fn own_words(said: &str) -> String {
    let said = said.lines().next().unwrap_or_default();
    let said = said.split(" at line ").next().unwrap_or_default();
    if let Some(key) = said.strip_prefix("duplicate mapping key: ") {
        let key = key.split(", set ").next().unwrap_or_default();
        return format!("`{key}` stands here twice");
    }
    said.split("; use ").next().unwrap_or_default().to_owned()
}

impl Position {
    fn of(location: Location) -> Self {
        Self {
            line: location.line(),
            column: location.column(),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned {
            value, referenced, ..
        } = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self {
            at: Position::of(referenced),
            value,
        })
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned {
            value, referenced, ..
        } = Spanned::<String>::deserialize(deserializer)?;
        Ok(Self {
            at: Position::of(referenced),
            text: value,
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Whole(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        let value = i64::try_from(value).map_err(|_| E::custom("a number beyond 63 bits"))?;
        Ok(Value::Whole(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Fraction(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map: Vec<(Word, Node)> = Vec::new();
        while let Some((key, value)) = entries.next_entry::<Word, Node>()? {
            if map.iter().any(|(known, _)| known.text == key.text) {
                return Err(A::Error::custom(format!("`{}` stands here twice", key.text)));
            }
            map.push((key, value));
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_value_knows_its_line_and_column() {
        let text = "a: 1\nb:\n  - x\n  - {c: \"y\", d: [true, 2.5]}\ne:\n";
        let node = Node::read(text).expect("YAML");
        let mut seen = Vec::new();
        walk(&node, &mut seen);
        assert_eq!(
            seen,
            [
                "1:1 a",
                "1:4 1",
                "2:1 b",
                "3:5 x",
                "4:6 c",
                "4:9 y",
                "4:14 d",
                "4:18 true",
                "4:24 2.5",
                "5:1 e",
            ]
        );
    }

    fn walk(node: &Node, seen: &mut Vec<String>) {
        let at = |at: Position| format!("{}:{}", at.line, at.column);
        match &node.value {
            Value::Null => {}
            Value::Bool(value) => seen.push(format!("{} {value}", at(node.at))),
            Value::Whole(value) => seen.push(format!("{} {value}", at(node.at))),
            Value::Fraction(value) => seen.push(format!("{} {value}", at(node.at))),
            Value::Text(value) => seen.push(format!("{} {value}", at(node.at))),
            Value::List(items) => items.iter().for_each(|item| walk(item, seen)),
            Value::Map(entries) => {
                for (key, value) in entries {
                    seen.push(format!("{} {}", at(key.at), key.text));
                    walk(value, seen);
                }
            }
        }
    }

    #[test]
    fn words_that_older_yaml_takes_for_true_or_false_are_texts_in_a_declaration() {
        let list = "[NO, yes, on, Off, y, N, true, \"false\", false]";
        let values = |node: Node| match node.value {
            Value::List(items) => items.into_iter().map(|item| item.value).collect::<Vec<_>>(),
            other => vec![other],
        };
        let text = |text: &str| Value::Text(text.to_owned());
        let expected = ["NO", "yes", "on", "Off", "y", "N"].map(text).to_vec();
        let expected = [
            expected,
            vec![Value::Bool(true), text("false"), Value::Bool(false)],
        ]
        .concat();
        assert_eq!(values(Node::read(list).expect("YAML")), expected);
        let lenient = Node::within(list, 1_000, 100).expect("YAML");
        assert_eq!(values(lenient)[..2], [Value::Bool(false), Value::Bool(true)]);
    }

    #[test]
    fn what_is_no_yaml_is_told_with_its_line() {
        for (text, line) in [
            ("a: 1\na: 2\n", 2),
            ("a: [1\n", 1),
            ("a: b: c\n", 1),
            ("x: 1\ny: {z: *nobody}\n", 2),
        ] {
            let fault = Node::read(text).expect_err(text);
            assert_eq!(fault.at.line, line, "{text}: {fault}");
        }
    }

    #[test]
    fn the_decoders_advice_to_programs_is_left_out() {
        let said = |text: &str| Node::read(text).expect_err(text).words;
        assert_eq!(said("a: 1\na: 2\n"), "`a` stands here twice");
        assert_eq!(said("---\na: 1\n---\nb: 1\n"), "multiple YAML documents detected");
    }

    #[test]
    fn depth_and_size_are_bounded() {
        assert!(Node::read(&"[".repeat(5_000)).is_err());
        assert!(Node::read(&" ".repeat(FILE_BYTES_MAX + 1)).is_err());
        let bomb = "a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n";
        assert!(Node::read(bomb).is_err());
    }
}
