//! Walks over JSON text without building anything: no `unsafe`, no tree.
//!
//! What is plain (short integers, texts without escapes) is read here; every other number is cut out and judged by
//! `serde_json`, so depth and number range are those of `serde_json::Value`. Between the quotes of a text any bytes may
//! stand: a text ends at the first quote before which stands no backslash of its own. What of it is looked at is read by
//! [`LooseText`]; what is not looked at is passed.

use std::borrow::Cow;

use ping::LooseText;

use super::leaf::Leaf;
use super::scan;
use crate::fold::names::Key;
use crate::fold::ping_error::PingError;

/// Arrays and objects in each other beyond this depth are an error: that of `serde_json`.
const DEPTH_MAX: u32 = 127;

/// A text that was looked at.
#[derive(Clone, Debug)]
pub(super) struct Text<'de> {
    pub(super) text: Cow<'de, str>,
    is_repaired: bool,
}

impl Text<'_> {
    pub(super) fn as_key(&self) -> Key<'_> {
        Key {
            text: &self.text,
            is_repaired: self.is_repaired,
        }
    }
}

/// A place in a body. After an error it is of no use.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'de> {
    body: &'de [u8],
    at: usize,
    depth: u32,
}

impl<'de> Cursor<'de> {
    pub(super) const fn new(body: &'de [u8]) -> Self {
        Self {
            body,
            at: 0,
            depth: 0,
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
            b'{' => {
                self.enter()?;
                self.pass_members()?;
                Ok(Leaf::Object)
            }
            b'[' => {
                self.enter()?;
                self.elements(Self::skip)?;
                Ok(Leaf::List)
            }
            _ => self.plain(),
        }
    }

    /// Passes the members of an object that was entered, and its end.
    fn pass_members(&mut self) -> Result<(), PingError> {
        if self.closes(b'}')? {
            return Ok(());
        }
        loop {
            if self.peek()? != b'"' {
                return Err(PingError::NotJson);
            }
            self.pass_text()?;
            self.colon()?;
            self.skip()?;
            if !self.goes_on(b'}')? {
                return Ok(());
            }
        }
    }

    /// Checks a value and drops it.
    pub(super) fn skip(&mut self) -> Result<(), PingError> {
        self.leaf().map(|_| ())
    }

    /// Reads a text; of anything else only what it is.
    pub(super) fn text_or_leaf(&mut self) -> Result<Result<Text<'de>, Leaf>, PingError> {
        if self.peek()? == b'"' {
            return self.text().map(Ok);
        }
        self.leaf().map(Err)
    }

    /// The body must end here.
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

    /// The bytes that were passed since the cursor stood at `start`.
    pub(super) fn since(&self, start: usize) -> &'de [u8] {
        &self.body[start..self.at]
    }

    /// Passes exactly these bytes. False, and nothing passed, when others stand here.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> bool {
        let passes = self.rest().starts_with(bytes);
        if passes {
            self.at += bytes.len();
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
    pub(super) fn key(&mut self) -> Result<Text<'de>, PingError> {
        if self.peek()? != b'"' {
            return Err(PingError::NotJson);
        }
        let key = self.text()?;
        self.colon()?;
        Ok(key)
    }

    fn colon(&mut self) -> Result<(), PingError> {
        if self.peek()? != b':' {
            return Err(PingError::NotJson);
        }
        self.at += 1;
        Ok(())
    }

    fn rest(&self) -> &'de [u8] {
        &self.body[self.at..]
    }

    /// The next byte that is no white space; it is not passed.
    pub(super) fn peek(&mut self) -> Result<u8, PingError> {
        loop {
            match self.body.get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                Some(&byte) => return Ok(byte),
                None => return Err(PingError::NotJson),
            }
        }
    }

    /// Passes an opening bracket.
    pub(super) fn enter(&mut self) -> Result<(), PingError> {
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
    pub(super) fn plain(&mut self) -> Result<Leaf, PingError> {
        match self.peek()? {
            b'0'..=b'9' | b'-' => self.number(),
            b'"' => self.pass_text().map(|_| Leaf::Text),
            b't' => self.word("true", Leaf::Bool(true)),
            b'f' => self.word("false", Leaf::Bool(false)),
            b'n' => self.word("null", Leaf::Null),
            _ => Err(PingError::NotJson),
        }
    }

    fn word(&mut self, word: &str, leaf: Leaf) -> Result<Leaf, PingError> {
        self.pass(word.as_bytes())
            .then_some(leaf)
            .ok_or(PingError::NotJson)
    }

    /// Passes a text, whatever it holds; the cursor stands before its quote. Answers what stands between the quotes.
    fn pass_text(&mut self) -> Result<&'de [u8], PingError> {
        let inside = &self.rest()[1..];
        let mut length = scan::plain_bytes(inside);
        if inside.get(length) != Some(&b'"') {
            length += scan::closing_quote(&inside[length..]).ok_or(PingError::NotJson)?;
        }
        self.at += length + 2;
        Ok(&inside[..length])
    }

    /// Reads a text that is looked at; the cursor stands before its quote.
    fn text(&mut self) -> Result<Text<'de>, PingError> {
        let inside = &self.rest()[1..];
        let plain = scan::plain_bytes(inside);
        if inside.get(plain) == Some(&b'"')
            && let Ok(text) = std::str::from_utf8(&inside[..plain])
        {
            self.at += plain + 2;
            return Ok(Text {
                text: Cow::Borrowed(text),
                is_repaired: false,
            });
        }
        let LooseText { text, is_repaired } = LooseText::read(self.pass_text()?);
        Ok(Text {
            text: Cow::Owned(text),
            is_repaired,
        })
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
            serde_json::from_slice(self.since(start)).map_err(|_| PingError::NotJson)?;
        Ok(Leaf::of(&number))
    }
}
