//! Which keys of an object stood there before.

use crate::fold::ping_error::PingError;
use crate::fold::staged::Stage;

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
