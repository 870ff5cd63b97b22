//! How one JSON object (or whatever stands in its place) is read, field by field.

use super::cursor::Cursor;
use super::leaf::Leaf;
use crate::fold::names::Key;
use crate::fold::ping_error::PingError;
use crate::fold::staged::Stage;

/// What reads one object.
pub(super) trait Fields: Sized {
    /// What reading it gives.
    type Done;

    /// Reads the value under a key, all of it.
    fn entry(&mut self, key: Key<'_>, json: &mut Cursor<'_>) -> Result<(), PingError>;

    /// The object ended.
    fn end(self) -> Self::Done;

    /// Something else stood there.
    fn other(self, leaf: Leaf) -> Self::Done;

    /// An array was entered there; reads all of it. Unless it is of use, it is skipped.
    fn list(self, json: &mut Cursor<'_>) -> Result<Self::Done, PingError> {
        json.elements(Cursor::skip)?;
        Ok(self.other(Leaf::List))
    }
}

/// Which of an object's fixed keys stood there before. Keys that the fold does not read are not asked: they answer
/// nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Once(u16);

impl Once {
    /// These fields, each once.
    pub(super) fn of(fields: &[usize]) -> Self {
        Self(fields.iter().fold(0, |bits, field| bits | 1 << field))
    }

    /// Notes the key numbered `field` (below 16); a second time makes the ping an errored one.
    pub(super) fn note(&mut self, field: usize, stage: &mut Stage) {
        if self.0 & (1 << field) != 0 {
            stage.fail(PingError::DuplicateKey);
        }
        self.0 |= 1 << field;
    }
}
