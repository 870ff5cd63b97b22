//! A sink that writes down what it is told, and holds a reader to its promises.

use super::told::Told;
use crate::declared::Reader;
use crate::values::{Contribution, Name, Note, Subject, Values};

/// What was told of one ping.
#[derive(Debug)]
pub struct Recorder<'a> {
    reader: &'a Reader,
    /// What was told.
    pub told: Told,
}

impl<'a> Recorder<'a> {
    /// Of a ping that this reader reads.
    #[must_use]
    pub fn of(reader: &'a Reader) -> Self {
        Self {
            reader,
            told: Told::default(),
        }
    }

    fn metric(&self, name: Name<'_>) -> String {
        match name {
            Name::Listed(place) => self.reader.metrics()[place as usize].name.clone(),
            Name::Sent(name) => panic!("a declared metric is listed: {name}"),
        }
    }
}

impl Values for Recorder<'_> {
    fn client(&mut self, sent: &str) {
        assert!(self.told.client.is_none(), "told twice");
        self.told.client = Some(sent.to_owned());
    }

    fn dimension(&mut self, dimension: u32, value: &str) {
        assert!(!value.is_empty());
        let name = self.reader.dimensions()[dimension as usize].name.clone();
        let before = self.told.dimensions.insert(name, value.to_owned());
        assert!(before.is_none(), "told twice");
    }

    fn contribution(&mut self, told: Contribution<'_>) {
        let name = self.metric(told.metric);
        let bins: std::collections::BTreeMap<i64, i64> = told.bins.iter().copied().collect();
        assert_eq!(bins.len(), told.bins.len(), "each bin once");
        assert!(!bins.is_empty() && bins.values().all(|samples| *samples > 0));
        let key = (name, told.label.map(str::to_owned), told.kind, told.layout);
        let before = self.told.numbers.insert(key, (told.sum, bins));
        assert!(before.is_none(), "told twice");
    }

    fn category(&mut self, metric: Name<'_>, label: Option<&str>, value: &str, times: i64) {
        let key = (self.metric(metric), label.map(str::to_owned), value.to_owned());
        let before = self.told.categories.insert(key, times);
        assert!(before.is_none(), "told twice");
    }

    fn note(&mut self, note: Note<'_>) {
        let subject = match note.subject {
            Subject::Client => "client".to_owned(),
            Subject::Dimension(place) => self.reader.dimensions()[place as usize].name.clone(),
            // A note on a part of a rate is one on the rate.
            Subject::Metric(name) => self.metric(name).split(':').next().unwrap_or_default().to_owned(),
            Subject::Body => "body".to_owned(),
        };
        self.told.note(&subject, note.rule);
    }
}
