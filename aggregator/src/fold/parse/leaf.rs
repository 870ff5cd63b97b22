//! Values read for themselves: a number, a text into a reused buffer, or nothing at all.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::object::{Fields, Key};

/// A value's kind, and its number if it is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Leaf {
    Null,
    Bool(bool),
    /// An integer of 64 bits with sign.
    Whole(i64),
    /// An integer above 2^63 - 1 that has 64 bits.
    Beyond,
    /// Any other number.
    Fraction(f64),
    Text,
    List,
    Object,
}

/// Reads a value as a [`Leaf`]; what lies inside arrays and objects is skipped.
pub(super) struct AnyLeaf;

impl<'de> Fields<'de> for AnyLeaf {
    type Done = Leaf;

    fn entry<A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<bool, A::Error> {
        skip_entry(map)
    }

    fn end(self) -> Leaf {
        Leaf::Object
    }

    fn other(self, leaf: Leaf) -> Leaf {
        leaf
    }
}

/// Reads a key and a value that nobody wants. False when there was no further key.
pub(super) fn skip_entry<'de, A: MapAccess<'de>>(map: &mut A) -> Result<bool, A::Error> {
    let more = map.next_key_seed(Key::new(|_: &str| ()))?.is_some();
    if more {
        map.next_value_seed(Skip)?;
    }
    Ok(more)
}

/// Checks a value and drops it.
pub(super) struct Skip;

impl<'de> DeserializeSeed<'de> for Skip {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(TextInto(None))
    }
}

/// Reads a text into a buffer; anything but a text leaves it empty.
pub(super) struct Text<'a>(pub(super) &'a mut String);

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.clear();
        deserializer.deserialize_any(TextInto(Some(self.0)))
    }
}

struct TextInto<'a>(Option<&'a mut String>);

impl<'de> Visitor<'de> for TextInto<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while skip_entry(&mut map)? {}
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Skip)?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _value: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _value: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _value: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _value: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if let Some(into) = self.0 {
            into.push_str(text);
        }
        Ok(())
    }
}
