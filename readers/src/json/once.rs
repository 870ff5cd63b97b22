//! Which keys of an object stood there before.

/// Which of an object's fixed keys stood there before. Keys that a reader does not read are not asked: they answer
/// nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Once(u16);

impl Once {
    /// These fields, each once.
    #[must_use]
    pub fn of(fields: &[usize]) -> Self {
        Self(fields.iter().fold(0, |bits, field| bits | 1 << field))
    }

    /// Notes the key numbered `field` (below 16). Whether it stood there before.
    #[inline]
    #[must_use]
    pub fn again(&mut self, field: usize) -> bool {
        let again = self.0 & (1 << field) != 0;
        self.0 |= 1 << field;
        again
    }
}
