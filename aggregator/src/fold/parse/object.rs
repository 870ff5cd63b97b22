//! How one JSON object (or whatever stands in its place) is read, field by field.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::leaf::{Leaf, Skip};
use crate::fold::ping_error::PingError;
use crate::fold::staged::Stage;

/// What reads one object. `'de` is the body's lifetime.
pub(super) trait Fields<'de>: Sized {
    /// What reading it gives.
    type Done;

    /// Reads one key and its value. False when there was no further key.
    fn entry<A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<bool, A::Error>;

    /// The object ended.
    fn end(self) -> Self::Done;

    /// Something else stood there.
    fn other(self, leaf: Leaf) -> Self::Done;

    /// An array stood there. Unless it is of use, it is skipped.
    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Done, A::Error> {
        while list.next_element_seed(Skip)?.is_some() {}
        Ok(self.other(Leaf::List))
    }
}

/// Reads any value by the rules of its [`Fields`].
pub(super) struct Object<F>(pub(super) F);

impl<'de, F: Fields<'de>> DeserializeSeed<'de> for Object<F> {
    type Value = F::Done;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<F::Done, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: Fields<'de>> Visitor<'de> for Object<F> {
    type Value = F::Done;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<F::Done, A::Error> {
        while self.0.entry(&mut map)? {}
        Ok(self.0.end())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<F::Done, A::Error> {
        self.0.list(list)
    }

    fn visit_unit<E>(self) -> Result<F::Done, E> {
        Ok(self.0.other(Leaf::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<F::Done, E> {
        Ok(self.0.other(Leaf::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<F::Done, E> {
        Ok(self.0.other(Leaf::Whole(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<F::Done, E> {
        Ok(self
            .0
            .other(i64::try_from(value).map_or(Leaf::Beyond, Leaf::Whole)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<F::Done, E> {
        Ok(self.0.other(Leaf::Fraction(value)))
    }

    fn visit_str<E>(self, _text: &str) -> Result<F::Done, E> {
        Ok(self.0.other(Leaf::Text))
    }
}

/// Hands a key's text to a function, without keeping it.
pub(super) struct Key<F, T>(F, PhantomData<T>);

impl<F: FnOnce(&str) -> T, T> Key<F, T> {
    pub(super) fn new(take: F) -> Self {
        Self(take, PhantomData)
    }
}

impl<'de, F: FnOnce(&str) -> T, T> DeserializeSeed<'de> for Key<F, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<F: FnOnce(&str) -> T, T> Visitor<'_> for Key<F, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok((self.0)(text))
    }
}

/// Which of an object's fixed keys stood there before. Keys that the fold does not read are not asked: they answer
/// nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Once(u16);

impl Once {
    /// Notes the key numbered `field` (below 16); a second time makes the ping an errored one.
    pub(super) fn note(&mut self, field: usize, stage: &mut Stage) {
        if self.0 & (1 << field) != 0 {
            stage.fail(PingError::DuplicateKey);
        }
        self.0 |= 1 << field;
    }
}
