//! The sink of every reader.

use sketch::Layout;

use super::rule::{Fate, Rule};

/// What takes up the values of one ping while its body is read.
///
/// What a reader promises:
/// - Nothing told counts before the reader has returned `Ok`: after an error the sink forgets all of it.
/// - [`dimension`](Self::dimension) is called at most once for each dimension of the reader's list. One that is not told is
///   [`ping::UNKNOWN`]; a value is never empty, and [`ping::OTHER`] where the one sent is not taken.
/// - A metric, label and layout come at most once a ping, in one [`contribution`](Self::contribution), so that a cell counts
///   pings; [`category`](Self::category) at most once for each value of a metric and label, those of one after the other.
/// - Texts are bounded: those of labels and values by the reader's limits, names by its list or its own rules.
/// - Calls come in no promised order, but in the same one for the same body. No call allocates on the reader's side.
pub trait Values {
    /// The client's id, as sent: whether it is one is for the sink to say.
    fn client(&mut self, sent: &str);

    /// A dimension's value; the dimension by its place in the reader's list.
    fn dimension(&mut self, dimension: u32, value: &str);

    /// A histogram, or a number as one sample.
    fn contribution(&mut self, contribution: Contribution<'_>);

    /// A value that has a name, and how many times it stands in the ping. Its layout is that of categories; where it is stored
    /// is for the sink to say.
    fn category(&mut self, metric: Name<'_>, label: Option<&str>, value: &str, times: i64);

    /// What is left out, or counts otherwise than it was sent.
    fn note(&mut self, note: Note<'_>);

    /// One value of a dimension that is a list, such as the tags of a source; each value once. By default it is dropped: only
    /// Glean has such dimensions.
    fn listed(&mut self, dimension: u32, value: &str) {
        let _ = (dimension, value);
    }

    /// A metric that stays in the ping and is in no number. By default it is dropped.
    fn stored(&mut self, metric: Name<'_>) {
        let _ = metric;
    }

    /// At which rates the sessions were sampled in which the metric's events happened. Its contribution counts what was
    /// sent. By default it is dropped: only Glean thins events.
    fn sampled(&mut self, metric: Name<'_>, rates: Rates) {
        let _ = (metric, rates);
    }
}

/// Between which rates sessions were sampled: above 0, up to 1. Both are 1 where nothing was thinned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// The lowest.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
}

/// A metric's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name<'a> {
    /// Its place in the reader's list of metrics, the same for every ping: what belongs to it can be kept by place.
    Listed(u32),
    /// A name that came with the ping.
    Sent(&'a str),
}

/// What bins of a metric are a distribution of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A histogram that the client made.
    Distribution,
    /// One number a ping: the distribution is over pings.
    Number,
    /// Values with names.
    Category,
}

impl Kind {
    /// The kind's word in answers.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Distribution => "distribution",
            Self::Number => "number",
            Self::Category => "category",
        }
    }
}

/// All samples of one metric and label in one ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contribution<'a> {
    /// Whose samples these are.
    pub metric: Name<'a>,
    /// Under which label; none for a metric without labels.
    pub label: Option<&'a str>,
    /// What they are.
    pub kind: Kind,
    /// In which bins they lie.
    pub layout: Layout,
    /// Their exact sum, in the metric's unit.
    pub sum: i64,
    /// (lower bound, samples), in any order; a bound that stands there twice adds up. For a number: its bin, and one sample.
    pub bins: &'a [(i64, i64)],
}

/// Something left out, or counted otherwise than it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note<'a> {
    /// Why.
    pub rule: Rule,
    /// Of what.
    pub subject: Subject<'a>,
    /// Where the value stands in the body; none when it stands elsewhere, as in a header.
    pub place: Option<Place>,
}

impl Note<'_> {
    /// What became of the value.
    #[must_use]
    pub const fn fate(&self) -> Fate {
        match (self.rule, self.subject) {
            (Rule::TextRepaired, _) => Fate::Repaired,
            (_, Subject::Client) => Fate::LeftOut,
            (Rule::NotAnEdge, _) => Fate::Keys,
            (
                Rule::TextTooLong
                | Rule::ValueNotDeclared
                | Rule::TooManyLabels
                | Rule::LabelTooLong
                | Rule::TooManyValues
                | Rule::LooksLikeAnId,
                _,
            ) => Fate::Other,
            (_, Subject::Dimension(_)) => Fate::Unknown,
            _ => Fate::LeftOut,
        }
    }
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject<'a> {
    /// The client's id.
    Client,
    /// A dimension, by its place in the reader's list.
    Dimension(u32),
    /// A metric.
    Metric(Name<'a>),
    /// What belongs to nothing that has a name.
    Body,
}

/// Bytes of a body: the path and the short form of a value are made from these where somebody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Where the value begins.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
}
