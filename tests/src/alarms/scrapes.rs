//! What was scraped: every series with its points, as Prometheus keeps it.

use std::collections::BTreeMap;

/// Labels of a series; its name stands under `__name__`.
pub type Labels = BTreeMap<String, String>;

/// The key of a series' name.
pub(super) const NAME: &str = "__name__";

/// A time and a value.
pub(super) type Point = (f64, f64);

/// Series by their labels, of one instance.
#[derive(Debug, Default)]
pub struct Scrapes {
    series: BTreeMap<Labels, Vec<Point>>,
    last: f64,
}

impl Scrapes {
    /// Adds an answer of `/metrics`, or that there was none. Times are in Unix seconds, and ascend.
    ///
    /// # Panics
    /// When the answer cannot be read.
    pub fn add(&mut self, at: f64, answer: Option<&str>) {
        assert!(at > self.last, "{at} is not after {}", self.last);
        self.last = at;
        let is_up = if answer.is_some() { 1.0 } else { 0.0 };
        self.push("up", at, is_up);
        let lines = answer.unwrap_or_default().lines();
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').expect("a value behind the last space");
            self.push(series, at, value.parse().expect("a number"));
        }
    }

    fn push(&mut self, series: &str, at: f64, value: f64) {
        let mut labels = labels_of(series);
        for (name, value) in [("job", "highwater"), ("instance", "tested")] {
            labels.insert(name.to_owned(), value.to_owned());
        }
        self.series.entry(labels).or_default().push((at, value));
    }

    /// When it was scraped last.
    pub(super) fn last(&self) -> f64 {
        self.last
    }

    pub(super) fn series(&self) -> impl Iterator<Item = (&Labels, &[Point])> {
        self.series
            .iter()
            .map(|(labels, points)| (labels, points.as_slice()))
    }
}

/// The labels of `name` or `name{key="value",...}`.
fn labels_of(series: &str) -> Labels {
    let (name, mut rest) = series.split_once('{').unwrap_or((series, "}"));
    let mut labels = Labels::from([(NAME.to_owned(), name.to_owned())]);
    while let Some((key, behind)) = rest.split_once("=\"") {
        let mut value = String::new();
        let mut characters = behind.char_indices();
        let end = loop {
            match characters.next().expect("a quote at the value's end") {
                (at, '"') => break at,
                (_, '\\') => match characters.next().expect("what is escaped").1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, other) => value.push(other),
            }
        };
        labels.insert(key.to_owned(), value);
        rest = behind[end + 1..].trim_start_matches(',');
    }
    assert_eq!(rest, "}", "{series}");
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_with_what_is_escaped_in_them() {
        let read = labels_of("a{b=\"c, d=}\",e=\"\\\"\\\\\\n\"}");
        let read: Vec<(&str, &str)> = read
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(read, [(NAME, "a"), ("b", "c, d=}"), ("e", "\"\\\n")]);
        assert_eq!(labels_of("a").len(), 1);
    }
}
