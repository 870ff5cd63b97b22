//! Walks over JSON text without building anything: no `unsafe`, no tree.
//!
//! What is plain (short integers, texts without escapes) is read here; every other number is cut out and judged by
//! `serde_json`, so depth and number range are those of `serde_json::Value`. Between the quotes of a text any bytes may
//! stand: a text ends at the first quote before which stands no backslash of its own. What of it is looked at is read by
//! [`LooseText`]; what is not looked at is passed.

use std::borrow::Cow;

use ping::LooseText;

use super::error::JsonError;
use super::key::Key;
use super::leaf::Leaf;
use super::scan;

/// Arrays and objects in each other beyond this depth are an error: that of `serde_json`.
const DEPTH_MAX: u32 = 127;

/// A text that was looked at.
#[derive(Clone, Debug)]
pub struct Text<'de> {
    /// The text.
    pub text: Cow<'de, str>,
    is_repaired: bool,
}

impl Text<'_> {
    /// As a key.
    #[inline]
    #[must_use]
    pub fn as_key(&self) -> Key<'_> {
        Key {
            text: &self.text,
            is_repaired: self.is_repaired,
        }
    }
}

/// A place in a body. After an error it is of no use.
#[derive(Clone, Debug)]
pub struct Cursor<'de> {
    body: &'de [u8],
    at: usize,
    depth: u32,
}

impl<'de> Cursor<'de> {
    /// At the beginning of a body.
    #[must_use]
    pub const fn new(body: &'de [u8]) -> Self {
        Self {
            body,
            at: 0,
            depth: 0,
        }
    }

    /// Reads the elements of an array that was entered, each by `element`.
    #[inline]
    pub fn elements(
        &mut self,
        element: impl FnMut(&mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.elements_by(element)
    }

    /// Reads the elements of an array that was entered, each by `element`, which may end the walk for reasons of its own.
    #[inline]
    pub fn elements_by<E: From<JsonError>>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
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
    #[inline]
    pub fn leaf(&mut self) -> Result<Leaf, JsonError> {
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
    fn pass_members(&mut self) -> Result<(), JsonError> {
        if self.closes(b'}')? {
            return Ok(());
        }
        loop {
            if self.peek()? != b'"' {
                return Err(JsonError::NotJson);
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
    #[inline]
    pub fn skip(&mut self) -> Result<(), JsonError> {
        self.leaf().map(|_| ())
    }

    /// Reads a text; of anything else only what it is.
    #[inline]
    pub fn text_or_leaf(&mut self) -> Result<Result<Text<'de>, Leaf>, JsonError> {
        if self.peek()? == b'"' {
            return self.text().map(Ok);
        }
        self.leaf().map(Err)
    }

    /// The body must end here.
    #[inline]
    pub fn end(&mut self) -> Result<(), JsonError> {
        self.peek().map_or(Ok(()), |_| Err(JsonError::NotJson))
    }

    /// Enters an object. False when something else stands here.
    #[inline]
    pub fn enter_object(&mut self) -> Result<bool, JsonError> {
        let object = self.peek()? == b'{';
        if object {
            self.enter()?;
        }
        Ok(object)
    }

    /// Whether what was entered ends at once; then it is left.
    #[inline]
    pub fn closes(&mut self, bracket: u8) -> Result<bool, JsonError> {
        let closes = self.peek()? == bracket;
        if closes {
            self.leave();
        }
        Ok(closes)
    }

    /// Whether another entry follows a comma; if the bracket stands there, it is left.
    #[inline]
    pub fn goes_on(&mut self, bracket: u8) -> Result<bool, JsonError> {
        match self.peek()? {
            b',' => {
                self.at += 1;
                Ok(true)
            }
            byte if byte == bracket => {
                self.leave();
                Ok(false)
            }
            _ => Err(JsonError::NotJson),
        }
    }

    /// Where the cursor stands.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The bytes that were passed since the cursor stood at `start`.
    #[inline]
    #[must_use]
    pub fn since(&self, start: usize) -> &'de [u8] {
        &self.body[start..self.at]
    }

    /// Passes exactly these bytes. False, and nothing passed, when others stand here.
    #[inline]
    pub fn pass(&mut self, bytes: &[u8]) -> bool {
        let passes = self.rest().starts_with(bytes);
        if passes {
            self.at += bytes.len();
        }
        passes
    }

    /// Reads `"bound":samples` if it is written as programs write it: digits without leading zeros, no white space,
    /// then a comma or a closing brace, which is not passed. Otherwise nothing is passed.
    #[inline]
    pub fn plain_bin(&mut self) -> Option<(i64, i64)> {
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

    /// A key and its colon, if the key is ASCII without an escape: the bytes are its text. Otherwise nothing but white space
    /// is passed.
    ///
    /// # Errors
    /// When the text ends here, or no colon stands behind the key.
    #[inline]
    pub fn ascii_key(&mut self) -> Result<Option<&'de [u8]>, JsonError> {
        if self.peek()? != b'"' {
            return Ok(None);
        }
        let inside = &self.rest()[1..];
        let key = &inside[..scan::plain_bytes(inside)];
        if inside.get(key.len()) != Some(&b'"') || !key.is_ascii() {
            return Ok(None);
        }
        self.at += key.len() + 2;
        self.colon()?;
        Ok(Some(key))
    }

    /// A key and its colon.
    #[inline]
    pub fn key(&mut self) -> Result<Text<'de>, JsonError> {
        if self.peek()? != b'"' {
            return Err(JsonError::NotJson);
        }
        let key = self.text()?;
        self.colon()?;
        Ok(key)
    }

    #[inline]
    fn colon(&mut self) -> Result<(), JsonError> {
        if self.peek()? != b':' {
            return Err(JsonError::NotJson);
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn rest(&self) -> &'de [u8] {
        &self.body[self.at..]
    }

    /// The next byte that is no white space; it is not passed.
    #[inline]
    pub fn peek(&mut self) -> Result<u8, JsonError> {
        loop {
            match self.body.get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                Some(&byte) => return Ok(byte),
                None => return Err(JsonError::NotJson),
            }
        }
    }

    /// Passes an opening bracket.
    #[inline]
    pub fn enter(&mut self) -> Result<(), JsonError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(JsonError::TooDeep);
        }
        self.at += 1;
        Ok(())
    }

    /// Passes a closing bracket.
    #[inline]
    fn leave(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    /// Reads a value that is neither array nor object.
    #[inline]
    pub fn plain(&mut self) -> Result<Leaf, JsonError> {
        match self.peek()? {
            b'0'..=b'9' | b'-' => self.number(),
            b'"' => self.pass_text().map(|_| Leaf::Text),
            b't' => self.word("true", Leaf::Bool(true)),
            b'f' => self.word("false", Leaf::Bool(false)),
            b'n' => self.word("null", Leaf::Null),
            _ => Err(JsonError::NotJson),
        }
    }

    #[inline]
    fn word(&mut self, word: &str, leaf: Leaf) -> Result<Leaf, JsonError> {
        self.pass(word.as_bytes())
            .then_some(leaf)
            .ok_or(JsonError::NotJson)
    }

    /// Passes a text, whatever it holds; the cursor stands before its quote. Answers what stands between the quotes.
    #[inline]
    fn pass_text(&mut self) -> Result<&'de [u8], JsonError> {
        let inside = &self.rest()[1..];
        let mut length = scan::plain_bytes(inside);
        if inside.get(length) != Some(&b'"') {
            length += scan::closing_quote(&inside[length..]).ok_or(JsonError::NotJson)?;
        }
        self.at += length + 2;
        Ok(&inside[..length])
    }

    /// Reads a text that is looked at; the cursor stands before its quote.
    #[inline]
    fn text(&mut self) -> Result<Text<'de>, JsonError> {
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
    #[inline]
    fn number(&mut self) -> Result<Leaf, JsonError> {
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
            serde_json::from_slice(self.since(start)).map_err(|_| JsonError::NotJson)?;
        Ok(Leaf::of(&number))
    }
}
