//! What a histogram states before its bins: type, range, number of bins. A metric sends the same text almost always, so
//! the last one is kept and compared instead of read.

use readers::json::Leaf;

/// Longer texts are not kept: programs write about 80 bytes.
pub(super) const HEADER_BYTES_MAX: usize = 128;

/// Text that stands between a histogram's brace and its bins, and what it says: type, range and number of bins each
/// once, and nothing else. So the same text says the same wherever it stands, and whatever follows it.
#[derive(Clone, Debug)]
pub(in crate::fold) struct Header {
    pub(super) text: Box<[u8]>,
    pub(super) kind: i64,
    pub(super) range: (i64, i64),
    pub(super) bin_count: i64,
}

impl Header {
    /// A text that was read as this; none if it is none to keep.
    pub(super) fn of(
        text: &[u8],
        kind: Option<Leaf>,
        range: Option<(i64, i64)>,
        bin_count: Option<Leaf>,
    ) -> Option<Self> {
        match (kind, range, bin_count) {
            (Some(Leaf::Whole(kind)), Some(range), Some(Leaf::Whole(bin_count)))
                if text.len() <= HEADER_BYTES_MAX =>
            {
                Some(Self {
                    text: text.into(),
                    kind,
                    range,
                    bin_count,
                })
            }
            _ => None,
        }
    }
}

/// The last header of each metric, by the id of its key.
#[derive(Debug, Default)]
pub(in crate::fold) struct Headers {
    known: Vec<Option<Header>>,
}

impl Headers {
    pub(super) fn get(&self, key: u32) -> Option<&Header> {
        self.known.get(key as usize)?.as_ref()
    }

    pub(super) fn keep(&mut self, key: u32, header: Header) {
        let at = key as usize;
        if at >= self.known.len() {
            self.known.resize(at + 1, None);
        }
        self.known[at] = Some(header);
    }

    /// About how much memory they take, at most.
    pub(in crate::fold) const fn bytes(&self) -> usize {
        self.known.len() * (size_of::<Option<Header>>() + HEADER_BYTES_MAX)
    }
}
