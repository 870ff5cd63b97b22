//! A line that is a JSON object, its members found but not read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ping::LooseText;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::outline::{Member, members};

/// A line and its members.
pub(super) struct Object {
    line: Bytes,
    members: Vec<(String, Member)>,
}

impl Object {
    /// The object that a line is.
    pub(super) fn of(line: &Bytes) -> Option<Self> {
        let members = members(line)?.into_iter();
        let named = members.map(|member| {
            let name = LooseText::read(&line[member.name.clone()]).text;
            (name, member)
        });
        Some(Self {
            members: named.collect(),
            line: line.clone(),
        })
    }

    /// Names as they are read, names as they are spelled, and values, in their order.
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &[u8], &[u8])> {
        self.members.iter().map(|(name, member)| {
            let spelled = &self.line[member.name.clone()];
            (name.as_str(), spelled, &self.line[member.value.clone()])
        })
    }

    /// The bytes of a member's value, if it is there. What stands twice is an error.
    pub(super) fn value(&self, name: &str) -> Result<Option<Bytes>, String> {
        let mut found = self.members.iter().filter(|(named, _)| named == name);
        let first = found.next();
        if found.next().is_some() {
            return Err(format!("\"{name}\" stands twice"));
        }
        Ok(first.map(|(_, member)| self.line.slice(member.value.clone())))
    }

    /// A member's value as something; `what` says what it should be.
    pub(super) fn read<T: DeserializeOwned>(&self, name: &str, what: &str) -> Result<T, String> {
        let value = self
            .value(name)?
            .ok_or_else(|| format!("\"{name}\" is missing"))?;
        serde_json::from_slice(&value).map_err(|_| format!("\"{name}\" is not {what}"))
    }

    /// A member's value, a text.
    pub(super) fn text(&self, name: &str) -> Result<String, String> {
        self.read(name, "a text")
    }

    /// What a member's value says in base64.
    pub(super) fn base64(&self, name: &str) -> Result<Bytes, String> {
        decoded(name, &self.text(name)?)
    }

    /// Every member but these must be JSON.
    pub(super) fn check_others(&self, read: &[&str]) -> Result<(), String> {
        for (name, _, value) in self.members() {
            if !read.contains(&name) && !is_json(value) {
                return Err(format!("what stands under {name:?} is no JSON"));
            }
        }
        Ok(())
    }
}

/// The bytes that a text says in base64.
pub(super) fn decoded(name: &str, text: &str) -> Result<Bytes, String> {
    let bytes = STANDARD.decode(text);
    bytes
        .map(Bytes::from)
        .map_err(|error| format!("\"{name}\" is no base64: {error}"))
}

pub(super) fn is_json(value: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(value).is_ok()
}
