//! What is used again from ping to ping, so that no value costs an allocation.

use ping::OTHER;

/// A stretch of a text, or of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) from: u32,
    pub(super) to: u32,
}

impl Span {
    /// No text at all.
    pub(super) const NONE: Self = Self {
        from: u32::MAX,
        to: u32::MAX,
    };

    /// `OTHER`, with which [`Room::texts`] begins.
    pub(super) const OTHER: Self = Self {
        from: 0,
        to: OTHER.len() as u32,
    };

    pub(super) fn of(from: usize, to: usize) -> Self {
        let short = |place| u32::try_from(place).unwrap_or(u32::MAX);
        Self {
            from: short(from),
            to: short(to),
        }
    }
}

/// A node of the trie that the walk stands at, and the label it came by.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) node: u32,
    /// In [`Room::path`].
    pub(super) label: Span,
    /// Whether keys are joined.
    pub(super) joins: bool,
    /// Whether the label is too long to be one.
    pub(super) too_long: bool,
}

/// Samples of a metric that may have several, all in one bin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) metric: u32,
    /// In [`Room::texts`].
    pub(super) label: Span,
    /// The label's beginning: most labels are told apart by it.
    pub(super) begin: u64,
    pub(super) bin: i64,
    pub(super) value: i64,
    pub(super) samples: i64,
    pub(super) place: Span,
}

/// A category of a metric that may have several.
#[derive(Clone, Copy, Debug)]
pub(super) struct Category {
    pub(super) metric: u32,
    /// Both in [`Room::texts`].
    pub(super) label: Span,
    pub(super) value: Span,
    pub(super) place: Span,
}

/// Room for one ping at a time, of whatever reader.
#[derive(Debug, Default)]
pub struct Room {
    pub(super) states: Vec<State>,
    /// The labels of `states`, one behind the other.
    pub(super) path: String,
    /// By node: the object in which it was found last.
    pub(super) stamps: Vec<u64>,
    pub(super) serial: u64,
    pub(super) texts: String,
    pub(super) samples: Vec<Sample>,
    pub(super) categories: Vec<Category>,
    pub(super) bins: Vec<(i64, i64)>,
    /// Bins and counts of a histogram that is given as arrays.
    pub(super) columns: [Vec<crate::json::Leaf>; 2],
    /// A value in another form.
    pub(super) text: String,
    /// The dimensions that the ping states, by bits.
    pub(super) stated: u32,
}

impl Room {
    pub(super) fn clear(&mut self, nodes: usize) {
        self.states.clear();
        self.path.clear();
        if self.stamps.len() < nodes {
            self.stamps.resize(nodes, 0);
        }
        self.texts.clear();
        self.texts.push_str(OTHER);
        self.samples.clear();
        self.categories.clear();
        self.stated = 0;
    }

    /// Keeps a text until the end of the ping.
    pub(super) fn keep(&mut self, text: &str) -> Span {
        let from = self.texts.len();
        self.texts.push_str(text);
        Span::of(from, self.texts.len())
    }

    /// How many samples and categories are kept.
    pub(super) const fn items(&self) -> usize {
        self.samples.len() + self.categories.len()
    }

    /// The first eight bytes of a kept text, as a number of the same order.
    #[inline]
    pub(super) fn begin_of(&self, span: Span) -> u64 {
        let Some(text) = text(&self.texts, span).map(str::as_bytes) else {
            return 0;
        };
        if let Some(begin) = text.first_chunk::<8>() {
            return u64::from_be_bytes(*begin);
        }
        let begin = text.iter().fold(0, |begin, byte| begin << 8 | u64::from(*byte));
        // No text is told from an empty one by whoever compares both.
        if text.is_empty() {
            0
        } else {
            begin << (8 * (8 - text.len()))
        }
    }

    /// About how much memory it takes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.states.capacity() * size_of::<State>()
            + self.path.capacity()
            + self.stamps.capacity() * size_of::<u64>()
            + self.texts.capacity()
            + self.samples.capacity() * size_of::<Sample>()
            + self.categories.capacity() * size_of::<Category>()
            + self.bins.capacity() * size_of::<(i64, i64)>()
            + (self.columns[0].capacity() + self.columns[1].capacity()) * size_of::<crate::json::Leaf>()
    }
}

/// A kept text.
#[inline]
pub(super) fn text(texts: &str, span: Span) -> Option<&str> {
    (span != Span::NONE).then(|| &texts[span.from as usize..span.to as usize])
}

/// The order of two kept texts; no text comes before any.
#[inline]
pub(super) fn compare(texts: &str, a: Span, b: Span) -> std::cmp::Ordering {
    if a == b {
        return std::cmp::Ordering::Equal;
    }
    text(texts, a).cmp(&text(texts, b))
}
