//! JSON as it stands in a body whose texts are marked: keys in order, repeated ones included.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::texts::Text;

/// A JSON value that forgets nothing.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    Null,
    Bool(bool),
    Integer(i128),
    Fraction(f64),
    Text(Text),
    List(Vec<Self>),
    Object(Vec<(Text, Self)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Fraction(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(Text::of(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, Tree>()? {
            entries.push((Text::of(&key), value));
        }
        Ok(Tree::Object(entries))
    }
}

/// An object's entries in order.
pub(super) type Entries = [(Text, Tree)];

/// What stands under a key, the first time.
pub(super) fn get<'t>(object: &'t Entries, key: &str) -> Option<&'t Tree> {
    object
        .iter()
        .find(|(name, _)| name.text == key)
        .map(|(_, value)| value)
}

/// What stands at the end of a path of keys.
pub(super) fn path<'t>(object: &'t Entries, keys: &[&str]) -> Option<&'t Tree> {
    let value = get(object, keys[0])?;
    match (value, &keys[1..]) {
        (value, []) => Some(value),
        (Tree::Object(inner), rest) => path(inner, rest),
        _ => None,
    }
}
