//! What Glean's pings count, rule by rule, recorded, random and broken.

mod dice;
mod events;
mod information;
mod malformed;
mod random;
mod recorded;
mod sections;

use ping::SubmissionDate;
use sketch::Layout;

use super::oracle::Totals;
use super::{CustomLayouts, GleanError, GleanReader, Received};

/// A ping of `acme/usage`, received on 28 November 2026.
fn received() -> Received<'static> {
    Received {
        namespace: "acme",
        document_type: "usage",
        date: day("20261128"),
        source_tags: None,
        is_declared: true,
    }
}

fn day(text: &str) -> SubmissionDate {
    text.parse().expect("a date")
}

/// What is declared in these tests: two custom distributions.
fn declared() -> CustomLayouts {
    let layouts = [
        ("ui.depth", Layout::glean_linear(1, 100, 12)),
        ("ui.lines", Layout::exponential(1, 60_000, 50)),
    ];
    layouts
        .map(|(metric, layout)| (metric.to_owned(), layout))
        .into_iter()
        .collect()
}

fn read_as(body: &[u8], received: &Received<'_>) -> Result<Totals, GleanError> {
    let mut totals = Totals::default();
    let read = GleanReader::default().read(body, received, &declared(), &mut totals);
    read.map(|()| totals)
}

/// What a body counts.
fn read(body: &str) -> Totals {
    read_as(body.as_bytes(), &received()).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// What one section of metrics counts.
fn section(section: &str, metrics: &str) -> Totals {
    read(&format!(r#"{{"metrics":{{"{section}":{metrics}}}}}"#))
}

impl Totals {
    /// The numbers and distributions, a line each: metric, label in brackets, layout, sum, bins.
    fn lines(&self) -> Vec<String> {
        let cells = self.cells.iter().map(|((metric, label, layout), sums)| {
            let label = label
                .as_ref()
                .map_or_else(String::new, |label| format!("[{label}]"));
            let bins: Vec<String> = sums
                .bins
                .iter()
                .map(|(bound, samples)| format!("{bound}:{samples}"))
                .collect();
            format!("{metric}{label} {layout} {} {}", sums.sum, bins.join(" "))
        });
        let categories = self.categories.iter().map(|((metric, label), values)| {
            let label = label
                .as_ref()
                .map_or_else(String::new, |label| format!("[{label}]"));
            let values: Vec<String> = values
                .iter()
                .map(|(value, times)| format!("{value}:{times}"))
                .collect();
            format!("{metric}{label} {}", values.join(" "))
        });
        cells.chain(categories).collect()
    }

    /// The notes, a line each: rule, subject, times.
    fn told(&self) -> Vec<String> {
        let notes = self.notes.iter();
        notes
            .map(|((rule, subject), times)| format!("{} {subject} {times}", rule.word()))
            .collect()
    }
}
