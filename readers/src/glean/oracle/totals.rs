//! All that a sink was told of one ping or of several, in maps; as a sink it holds the reader to its promises.

use std::collections::{BTreeMap, BTreeSet};

use sketch::Layout;

use crate::values::{Contribution, Kind, Name, Note, Rates, Rule, Subject, Values};

/// What was told of one metric and label in one layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums {
    /// What the samples are.
    pub kind: Kind,
    /// Pings.
    pub pings: i64,
    /// Their sum.
    pub sum: i128,
    /// Samples by lower bound.
    pub bins: BTreeMap<i64, i128>,
}

/// All that was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The client, as sent.
    pub client: Option<String>,
    /// Dimensions, by place.
    pub dimensions: BTreeMap<u32, String>,
    /// Values of dimensions that are lists.
    pub lists: BTreeSet<(u32, String)>,
    /// Numbers and distributions, by metric, label and layout.
    pub cells: BTreeMap<(String, Option<String>, Layout), Sums>,
    /// Values that count by their names, by metric and label.
    pub categories: BTreeMap<(String, Option<String>), BTreeMap<String, i64>>,
    /// Metrics that are stored only, and how often they were told.
    pub stored: BTreeMap<String, i64>,
    /// The lowest and the highest rate, as bits, by metric.
    pub sampled: BTreeMap<String, (u64, u64)>,
    /// What was noted: rule, subject, times.
    pub notes: BTreeMap<(Rule, String), i64>,
}

impl Totals {
    /// Notes something, once more.
    pub fn count_note(&mut self, rule: Rule, subject: impl Into<String>) {
        *self.notes.entry((rule, subject.into())).or_default() += 1;
    }
}

fn named(name: Name<'_>) -> String {
    match name {
        Name::Sent(name) => name.to_owned(),
        Name::Listed(place) => format!("listed {place}"),
    }
}

/// The subject of a note, in words.
fn subject(subject: Subject<'_>) -> String {
    match subject {
        Subject::Client => "client".to_owned(),
        Subject::Dimension(place) => format!("dimension {place}"),
        Subject::Metric(name) => named(name),
        Subject::Body => "body".to_owned(),
    }
}

/// Of one ping: promises are asserted.
impl Values for Totals {
    fn client(&mut self, sent: &str) {
        assert_eq!(self.client.replace(sent.to_owned()), None, "one client");
    }

    fn dimension(&mut self, dimension: u32, value: &str) {
        assert!(!value.is_empty(), "dimension {dimension} is not empty");
        let told = self.dimensions.insert(dimension, value.to_owned());
        assert_eq!(told, None, "dimension {dimension} once");
    }

    fn contribution(&mut self, contribution: Contribution<'_>) {
        let Contribution {
            metric,
            label,
            kind,
            layout,
            sum,
            bins,
        } = contribution;
        let mut sums = Sums {
            kind,
            pings: 1,
            sum: sum.into(),
            bins: BTreeMap::new(),
        };
        for (bound, samples) in bins {
            assert!(*samples > 0, "no bin is empty");
            assert!(layout.has_bound(*bound), "{bound} is a bound of {layout}");
            *sums.bins.entry(*bound).or_default() += i128::from(*samples);
        }
        assert!(!bins.is_empty(), "what contributes has samples");
        let key = (named(metric), label.map(str::to_owned), layout);
        assert_eq!(
            self.cells.insert(key, sums),
            None,
            "a metric, label and layout once"
        );
    }

    fn category(&mut self, metric: Name<'_>, label: Option<&str>, value: &str, times: i64) {
        let key = (named(metric), label.map(str::to_owned));
        let values = self.categories.entry(key).or_default();
        assert!(times > 0, "a value stands there");
        assert_eq!(values.insert(value.to_owned(), times), None, "a value once");
    }

    fn note(&mut self, note: Note<'_>) {
        self.count_note(note.rule, subject(note.subject));
    }

    fn listed(&mut self, dimension: u32, value: &str) {
        assert!(self.lists.insert((dimension, value.to_owned())), "a value once");
    }

    fn stored(&mut self, metric: Name<'_>) {
        *self.stored.entry(named(metric)).or_default() += 1;
    }

    fn sampled(&mut self, metric: Name<'_>, rates: Rates) {
        let bits = (rates.lowest.to_bits(), rates.highest.to_bits());
        assert_eq!(self.sampled.insert(named(metric), bits), None, "a metric once");
    }
}
