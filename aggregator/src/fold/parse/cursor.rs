//! Walks over JSON text without building anything: no `unsafe`, no tree.
//!
//! What is plain (short integers, texts without escapes) is read here; every other number or text is cut out and judged
//! by `serde_json`. So a body is JSON here exactly if it is for `serde_json::Value`: depth, number range, escapes.

use std::borrow::Cow;

use super::fields::Fields;
use super::leaf::{Ignored, Leaf};
use super::scan;
use crate::fold::ping_error::PingError;

/// Arrays and objects in each other beyond this depth are an error: that of `serde_json`.
const DEPTH_MAX: u32 = 127;

/// A place in a text. After an error it is of no use.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'de> {
    text: &'de str,
    at: usize,
    depth: u32,
}

impl<'de> Cursor<'de> {
    pub(super) const fn new(text: &'de str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// Reads a value by the rules of its [`Fields`].
    pub(super) fn value<F: Fields>(&mut self, mut fields: F) -> Result<F::Done, PingError> {
        match self.peek()? {
            b'{' => {
                self.enter()?;
                if !self.closes(b'}')? {
                    self.members(&mut fields)?;
                }
                Ok(fields.end())
            }
            b'[' => {
                self.enter()?;
                fields.list(self)
            }
            _ => Ok(fields.other(self.plain()?)),
        }
    }

    /// Reads an object's further members, and its end: the cursor stands before a key.
    pub(super) fn members<F: Fields>(&mut self, fields: &mut F) -> Result<(), PingError> {
        loop {
            let key = self.key()?;
            fields.entry(&key, self)?;
            if !self.goes_on(b'}')? {
                return Ok(());
            }
        }
    }

    /// Reads the elements of an array that was entered, each by `element`.
    pub(super) fn elements(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), PingError>,
    ) -> Result<(), PingError> {
        if self.closes(b']')? {
            return Ok(());
        }
        loop {
            element(self)?;
            if !self.goes_on(b']')? {
                return Ok(());
            }
        }
    }

    /// Reads a value's kind, and its number; what lies inside arrays and objects is checked and skipped.
    pub(super) fn leaf(&mut self) -> Result<Leaf, PingError> {
        match self.peek()? {
            b'{' | b'[' => self.value(Ignored),
            _ => self.plain(),
        }
    }

    /// Checks a value and drops it.
    pub(super) fn skip(&mut self) -> Result<(), PingError> {
        self.leaf().map(|_| ())
    }

    /// Reads a text into a buffer; anything but a text leaves it empty.
    pub(super) fn text_into(&mut self, text: &mut String) -> Result<(), PingError> {
        text.clear();
        if self.peek()? == b'"' {
            text.push_str(&self.string()?);
            return Ok(());
        }
        self.skip()
    }

    /// The text must end here.
    pub(super) fn end(&mut self) -> Result<(), PingError> {
        self.peek().map_or(Ok(()), |_| Err(PingError::NotJson))
    }

    /// Enters an object. False when something else stands here.
    pub(super) fn enter_object(&mut self) -> Result<bool, PingError> {
        let object = self.peek()? == b'{';
        if object {
            self.enter()?;
        }
        Ok(object)
    }

    /// Whether what was entered ends at once; then it is left.
    pub(super) fn closes(&mut self, bracket: u8) -> Result<bool, PingError> {
        let closes = self.peek()? == bracket;
        if closes {
            self.leave();
        }
        Ok(closes)
    }

    /// Whether another entry follows a comma; if the bracket stands there, it is left.
    pub(super) fn goes_on(&mut self, bracket: u8) -> Result<bool, PingError> {
        match self.peek()? {
            b',' => {
                self.at += 1;
                Ok(true)
            }
            byte if byte == bracket => {
                self.leave();
                Ok(false)
            }
            _ => Err(PingError::NotJson),
        }
    }

    /// Where the cursor stands.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// The text that was passed since the cursor stood at `start`.
    pub(super) fn since(&self, start: usize) -> &'de str {
        &self.text[start..self.at]
    }

    /// Passes exactly this text. False, and nothing passed, when another stands here.
    pub(super) fn pass(&mut self, text: &str) -> bool {
        let passes = self.rest().starts_with(text.as_bytes());
        if passes {
            self.at += text.len();
        }
        passes
    }

    /// Reads `"bound":samples` if it is written as programs write it: digits without leading zeros, no white space,
    /// then a comma or a closing brace, which is not passed. Otherwise nothing is passed.
    pub(super) fn plain_bin(&mut self) -> Option<(i64, i64)> {
        let bytes = self.rest();
        let (b'"', rest) = bytes.split_first().map(|(quote, rest)| (*quote, rest))? else {
            return None;
        };
        let (bound, digits) = scan::digits(rest)?;
        let rest = rest[digits..].strip_prefix(b"\":")?;
        let (samples, more) = scan::digits(rest)?;
        matches!(rest.get(more), Some(b',' | b'}')).then(|| {
            self.at += 3 + digits + more;
            (bound, samples)
        })
    }

    /// A key and its colon.
    pub(super) fn key(&mut self) -> Result<Cow<'de, str>, PingError> {
        if self.peek()? != b'"' {
            return Err(PingError::NotJson);
        }
        let key = self.string()?;
        if self.peek()? != b':' {
            return Err(PingError::NotJson);
        }
        self.at += 1;
        Ok(key)
    }

    fn rest(&self) -> &'de [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// The next byte that is no white space; it is not passed.
    fn peek(&mut self) -> Result<u8, PingError> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                Some(&byte) => return Ok(byte),
                None => return Err(PingError::NotJson),
            }
        }
    }

    /// Passes an opening bracket.
    fn enter(&mut self) -> Result<(), PingError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(PingError::TooDeep);
        }
        self.at += 1;
        Ok(())
    }

    /// Passes a closing bracket.
    fn leave(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    /// Reads a value that is neither array nor object.
    fn plain(&mut self) -> Result<Leaf, PingError> {
        match self.peek()? {
            b'0'..=b'9' | b'-' => self.number(),
            b'"' => self.string().map(|_| Leaf::Text),
            b't' => self.word("true", Leaf::Bool(true)),
            b'f' => self.word("false", Leaf::Bool(false)),
            b'n' => self.word("null", Leaf::Null),
            _ => Err(PingError::NotJson),
        }
    }

    fn word(&mut self, word: &str, leaf: Leaf) -> Result<Leaf, PingError> {
        self.pass(word).then_some(leaf).ok_or(PingError::NotJson)
    }

    /// Reads a text; the cursor stands before its quote.
    fn string(&mut self) -> Result<Cow<'de, str>, PingError> {
        let inside = &self.rest()[1..];
        let plain = scan::plain_bytes(inside);
        let start = self.at();
        if inside.get(plain) == Some(&b'"') {
            self.at += plain + 2;
            return Ok(Cow::Borrowed(&self.text[start + 1..start + 1 + plain]));
        }
        let length = plain + scan::closing_quote(&inside[plain..]).ok_or(PingError::NotJson)?;
        self.at += length + 2;
        let read: Result<String, _> = serde_json::from_str(self.since(start));
        read.map(Cow::Owned).map_err(|_| PingError::NotJson)
    }

    /// Reads a number.
    fn number(&mut self) -> Result<Leaf, PingError> {
        let bytes = self.rest();
        if let Some((number, digits)) = scan::digits(bytes)
            && !bytes.get(digits).is_some_and(|byte| scan::in_number(*byte))
        {
            self.at += digits;
            return Ok(Leaf::Whole(number));
        }
        let start = self.at;
        let length = bytes.iter().take_while(|byte| scan::in_number(**byte)).count();
        self.at += length;
        let number: serde_json::Number =
            serde_json::from_str(self.since(start)).map_err(|_| PingError::NotJson)?;
        Ok(Leaf::of(&number))
    }
}
