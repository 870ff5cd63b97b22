//! How one JSON object (or whatever stands in its place) is read, field by field.

use super::cursor::Cursor;
use super::error::JsonError;
use super::key::Key;
use super::leaf::Leaf;

/// What reads one object.
pub trait Fields: Sized {
    /// What reading it gives.
    type Done;

    /// Reads the value under a key, all of it.
    fn entry(&mut self, key: Key<'_>, json: &mut Cursor<'_>) -> Result<(), JsonError>;

    /// The object ended.
    fn end(self) -> Self::Done;

    /// Something else stood there.
    fn other(self, leaf: Leaf) -> Self::Done;

    /// An array was entered there; reads all of it. Unless it is of use, it is skipped.
    fn list(self, json: &mut Cursor<'_>) -> Result<Self::Done, JsonError> {
        json.elements(Cursor::skip)?;
        Ok(self.other(Leaf::List))
    }
}

impl Cursor<'_> {
    /// Reads a value by the rules of its [`Fields`].
    #[inline]
    pub fn value<F: Fields>(&mut self, mut fields: F) -> Result<F::Done, JsonError> {
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
    #[inline]
    pub fn members<F: Fields>(&mut self, fields: &mut F) -> Result<(), JsonError> {
        loop {
            let key = self.key()?;
            fields.entry(key.as_key(), self)?;
            if !self.goes_on(b'}')? {
                return Ok(());
            }
        }
    }
}
