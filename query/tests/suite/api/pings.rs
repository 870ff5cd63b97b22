//! Pings of a Glean-like source and of a declared one, the cells that the fold makes of them, and, slowly and obviously, what an
//! answer must say of them.

use std::collections::{BTreeMap, BTreeSet};

use aggregate_store::{CellKey, DimensionSet, Source};
use sketch::{Cell, HistogramKind, Layout};

pub(crate) const GLEAN: &str = "demo-app/metrics";
pub(crate) const DECLARED: &str = "acme-cli/usage";

/// Numbers have the bins of timings, and a number of bins that tells them from these.
pub(crate) const NUMBER: Layout = Layout {
    kind: HistogramKind::Functional,
    min: 2,
    max: 8,
    bin_count: 1,
};

/// One metric of a ping.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// A number, or several under labels.
    Numbers(&'static str, Vec<(&'static str, i64)>),
    /// A histogram that the client made of samples.
    Samples(&'static str, Layout, Vec<i64>),
    /// Values with names, by key.
    Names(&'static str, Vec<(&'static str, &'static str)>),
}

/// A ping.
#[derive(Clone, Debug)]
pub(crate) struct Ping {
    pub(crate) source: &'static str,
    pub(crate) day: &'static str,
    pub(crate) stated: Vec<(&'static str, &'static str)>,
    pub(crate) said: Vec<Said>,
}

impl Ping {
    pub(crate) fn value(&self, dimension: &str) -> String {
        if dimension == "submission_date" {
            return self.day.to_owned();
        }
        let found = self.stated.iter().find(|(name, _)| *name == dimension);
        found.map_or("UNKNOWN", |(_, value)| value).to_owned()
    }
}

/// Many of them, each following from its number.
pub(crate) fn pings() -> Vec<Ping> {
    let pick = |choices: &[&'static str], n: usize| choices[n % choices.len()];
    let one = |n: usize| {
        let mut stated = vec![
            ("os", pick(&["Linux", "Darwin", "Windows_NT"], n + n / 4)),
            ("version", pick(&["9", "54", "100"], n / 3)),
        ];
        if !n.is_multiple_of(4) {
            stated.push(("country", pick(&["DE", "a,b", "c..d"], n / 2)));
        }
        let number = i64::try_from(n).expect("small");
        let mut said = vec![Said::Numbers("a.count", vec![("", number * 7 - 20)])];
        if n % 3 != 1 {
            said.push(Said::Numbers(
                "a.labelled",
                vec![("one", number), (pick(&["two", "a=%b"], n), 2)],
            ));
        }
        said.push(Said::Samples(
            "a.load",
            if n.is_multiple_of(5) {
                Layout::MEMORY
            } else {
                Layout::NUMBER
            },
            vec![number, number * 1_000, 3],
        ));
        said.push(Said::Names("a.flag", vec![("", pick(&["true", "false"], n / 2))]));
        said.push(Said::Names(
            "a.tags",
            vec![("", "x=y"), ("", pick(&["p", "q", "x=y"], n))],
        ));
        said.push(Said::Names(
            "a.keyed",
            vec![("k=%", pick(&["u", "v"], n)), (pick(&["l", "m"], n / 5), "w")],
        ));
        Ping {
            source: if n.is_multiple_of(3) { DECLARED } else { GLEAN },
            day: pick(&["20260101", "20260102", "20260110"], n / 7),
            stated,
            said,
        }
    };
    (0..60).map(one).collect()
}

/// The cells of pings, by the conventions of the fold.
pub(crate) fn cells(pings: &[Ping]) -> Vec<(CellKey, Cell)> {
    let mut cells = Vec::new();
    for ping in pings {
        let set = DimensionSet::stating(
            Source::named(ping.source),
            ping.day.parse().expect("a day"),
            &ping.stated,
        );
        let mut put = |metric: &str, label: String, layout: Layout, cell: Cell| {
            let key = CellKey {
                metric: metric.to_owned(),
                dimensions: set.clone(),
                process: String::new(),
                label,
                layout,
            };
            cells.push((key, cell));
        };
        let marker = || Cell::new(1, 0, []);
        for said in &ping.said {
            match said {
                Said::Numbers(metric, numbers) => {
                    for (label, number) in numbers {
                        let cell = Cell::new(1, i128::from(*number), [(bin(&NUMBER, *number), 1)]);
                        put(metric, (*label).to_owned(), NUMBER, cell);
                    }
                    if numbers.iter().any(|(label, _)| !label.is_empty()) {
                        put(metric, String::new(), Layout::CATEGORIES, marker());
                    }
                }
                Said::Samples(metric, layout, samples) => {
                    let sum = samples.iter().map(|sample| i128::from(*sample)).sum();
                    let bins = samples.iter().map(|sample| (bin(layout, *sample), 1));
                    put(metric, String::new(), *layout, Cell::new(1, sum, bins));
                }
                Said::Names(metric, names) => {
                    let mut times: BTreeMap<(&str, &str), i128> = BTreeMap::new();
                    for (key, value) in names {
                        *times.entry((key, value)).or_default() += 1;
                    }
                    for ((key, value), times) in times {
                        let key = key.replace('%', "%25").replace('=', "%3D");
                        let cell = Cell::new(1, 0, [(0, times)]);
                        put(metric, format!("{key}={value}"), Layout::CATEGORIES, cell);
                    }
                    put(metric, String::new(), Layout::CATEGORIES, marker());
                }
            }
        }
    }
    cells
}

/// The lower bound of a value's bin, looked for among all.
pub(crate) fn bin(layout: &Layout, value: i64) -> i64 {
    let bounds = layout.lower_bounds().into_iter();
    bounds
        .filter(|bound| *bound <= value)
        .max()
        .expect("the lowest bound is below all")
}

/// What a row must say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Expected {
    pub(crate) pings: u64,
    pub(crate) samples: Vec<i64>,
    pub(crate) names: BTreeMap<String, u64>,
}

/// Rows by group and layout, of the pings for which a condition holds; `label` is one that alone is asked for.
pub(crate) fn expected(
    metric: &str,
    by: &[&str],
    label: Option<&str>,
    is_asked: impl Fn(&Ping) -> bool,
) -> BTreeMap<(Vec<String>, Layout), Expected> {
    let mut rows: BTreeMap<(Vec<String>, Layout), Expected> = BTreeMap::new();
    for ping in pings().iter().filter(|ping| is_asked(ping)) {
        // Of this ping: (label, layout, sample or name).
        let mut all: Vec<(&str, Layout, Result<i64, &str>)> = Vec::new();
        for said in &ping.said {
            match said {
                Said::Numbers(name, numbers) if *name == metric => {
                    all.extend(
                        numbers
                            .iter()
                            .map(|(label, number)| (*label, NUMBER, Ok(*number))),
                    );
                }
                Said::Samples(name, layout, samples) if *name == metric => {
                    all.extend(samples.iter().map(|sample| ("", *layout, Ok(*sample))));
                }
                Said::Names(name, names) if *name == metric => {
                    all.extend(
                        names
                            .iter()
                            .map(|(key, value)| (*key, Layout::CATEGORIES, Err(*value))),
                    );
                }
                _ => {}
            }
        }
        let mut contributed = BTreeSet::new();
        for (of, layout, what) in all {
            if label.is_some_and(|label| label != of) {
                continue;
            }
            let group = by.iter().map(|name| match *name {
                "label" => of.to_owned(),
                "process" => "UNKNOWN".to_owned(),
                name => ping.value(name),
            });
            let key = (group.collect::<Vec<_>>(), layout);
            let row = rows.entry(key.clone()).or_default();
            match what {
                Ok(sample) => row.samples.push(sample),
                Err(name) => *row.names.entry(name.to_owned()).or_default() += 1,
            }
            if contributed.insert(key) {
                row.pings += 1;
            }
        }
    }
    rows
}
