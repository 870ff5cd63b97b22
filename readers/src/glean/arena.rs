//! The texts of one ping that are kept until its end, one behind the other; the room is used again for the next ping.

/// A text in an [`Arena`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    from: usize,
    to: usize,
}

/// Texts, each known by its [`Span`].
#[derive(Debug, Default)]
pub(super) struct Arena(String);

impl Arena {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// For how many bytes there is room.
    pub(super) const fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Keeps a text.
    pub(super) fn push(&mut self, text: &str) -> Span {
        self.write(|all| all.push_str(text))
    }

    /// Keeps what `write` appends.
    pub(super) fn write(&mut self, write: impl FnOnce(&mut String)) -> Span {
        let from = self.0.len();
        write(&mut self.0);
        Span {
            from,
            to: self.0.len(),
        }
    }

    /// Keeps two texts that were kept, joined by what stands between them.
    pub(super) fn join(&mut self, first: Span, between: &str, second: Span) -> Span {
        self.write(|all| {
            all.extend_from_within(first.from..first.to);
            all.push_str(between);
            all.extend_from_within(second.from..second.to);
        })
    }

    #[inline]
    pub(super) fn get(&self, span: Span) -> &str {
        &self.0[span.from..span.to]
    }
}
