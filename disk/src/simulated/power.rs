//! Crash points: operations are counted, and from a chosen one on nothing works any more.

use std::io;

/// Whether the operation at a crash point still takes effect. Its caller gets an error either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The power goes before it does.
    Before,
    /// The power goes after it did.
    After,
}

#[derive(Debug, Default)]
pub(super) struct Power {
    operations: u64,
    cut: Option<(u64, Moment)>,
    off: bool,
}

impl Power {
    pub(super) const fn operations(&self) -> u64 {
        self.operations
    }

    pub(super) const fn is_off(&self) -> bool {
        self.off
    }

    pub(super) const fn turn_off(&mut self) {
        self.off = true;
    }

    pub(super) const fn cut_at(&mut self, operation: u64, moment: Moment) {
        self.cut = Some((operation, moment));
    }

    /// Fails when the power is off.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.off {
            return Err(io::Error::other("power cut"));
        }
        Ok(())
    }

    /// Counts an operation that is about to take effect.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        self.check()?;
        self.operations += 1;
        self.off = self
            .cut
            .is_some_and(|(operation, moment)| self.operations >= operation && moment == Moment::Before);
        self.check()
    }

    /// Tells the caller of an operation how it went, unless the power has gone.
    pub(super) fn end<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.off = self
            .cut
            .is_some_and(|(operation, _)| self.operations >= operation);
        self.check()?;
        result
    }
}
