//! A whole declaration: one product.

use ping::SubmissionDate;

use super::dimension::Dimension;
use super::example::Example;
use super::fault::Position;
use super::metric::Metric;
use super::path::Path;
use super::privacy::Privacy;
use super::source::Source;

/// A product, as its team declared it, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// Where its pings come from.
    pub sources: Vec<Source>,
    /// Where each of them stands in the file.
    pub(super) sources_at: Vec<Position>,
    /// What it is.
    pub description: String,
    /// From which day on a change counts.
    pub since: Option<SubmissionDate>,
    /// Whether it is in the public summary.
    pub public: bool,
    /// Pings that a row of the public summary needs.
    pub public_floor: i64,
    /// Where the client's id is; users are not counted, if there is none.
    pub client_id: Option<Path>,
    /// Its dimensions.
    pub dimensions: Vec<Dimension>,
    /// Its metrics, of all document types.
    pub metrics: Vec<Metric>,
    /// What is known, and not counted.
    pub ignore: Vec<Path>,
    /// Pings, and what must become of them.
    pub examples: Vec<Example>,
    /// What is promised to the users of each source, in the order of [`Self::sources`].
    pub privacy: Vec<Privacy>,
}

impl Declaration {
    /// The place of a source in [`Self::sources`].
    #[must_use]
    pub fn place_of(&self, source: &Source) -> Option<usize> {
        self.sources.iter().position(|known| known == source)
    }
}
