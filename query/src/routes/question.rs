//! What a request for aggregates asks. Pure: from parameters to a question.

use std::collections::BTreeSet;

use aggregate_store::{CellQuery, DateClock, Dimension, Filter, Source};

use crate::limits::DATES_MAX;
use crate::parameters::Parameters;
use crate::problem::{Problem, Reason};

/// The parameters of the route.
pub(crate) const PARAMETERS: [&str; 10] = [
    "version",
    "dates",
    "metric",
    "application",
    "architecture",
    "os",
    "osVersion",
    "e10sEnabled",
    "label",
    "child",
];

/// The processes that the original knew: an answer without `child` sums these and no other.
pub(crate) const USUAL_PROCESSES: [&str; 3] = ["parent", "content", "gpu"];

/// One metric of one channel and version, at some dates, under filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) clock: DateClock,
    pub(crate) channel: String,
    pub(crate) version: String,
    /// Ascending, without repeats.
    pub(crate) dates: Vec<String>,
    /// As asked.
    pub(crate) metric: String,
    /// On dimensions, less channel, version and dates.
    pub(crate) filters: Vec<Filter>,
    /// The label, when one is asked for.
    pub(crate) label: Option<String>,
    /// The processes that are summed.
    pub(crate) processes: Vec<String>,
    /// The filters as sent, for a sentence: `os=Darwin`.
    pub(crate) sent: Vec<String>,
}

impl Question {
    /// Takes a question from a request's parameters.
    pub(crate) fn parse(clock: DateClock, channel: &str, parameters: &Parameters) -> Result<Self, Problem> {
        let [version, dates, metric] = parameters.required(["version", "dates", "metric"])?;
        let dates: BTreeSet<&str> = dates.split(',').map(str::trim).collect();
        let dates: Vec<String> = dates
            .into_iter()
            .filter(|date| !date.is_empty())
            .map(str::to_owned)
            .collect();
        if dates.is_empty() {
            return Err(Problem::missing(&["dates"]));
        }
        if dates.len() > DATES_MAX {
            let sentence = format!("More than {DATES_MAX} dates: ask for fewer at once.");
            return Err(Problem::new(Reason::TooLong, sentence));
        }
        let sent = PARAMETERS[3..]
            .iter()
            .filter_map(|name| Some(format!("{name}={}", parameters.get(name)?)));
        Ok(Self {
            clock,
            channel: channel.to_owned(),
            version: version.to_owned(),
            dates,
            metric: metric.to_owned(),
            filters: filters(parameters),
            label: parameters.get("label").map(str::to_owned),
            processes: processes(parameters),
            sent: sent.collect(),
        })
    }

    /// The question to the store, for a metric as it is stored.
    pub(crate) fn cells(&self, stored: &str) -> CellQuery {
        let everywhere = self.unfiltered(stored);
        CellQuery {
            filters: [everywhere.filters, self.filters.clone()].concat(),
            label: self.label.clone(),
            processes: Some(self.processes.clone()),
            ..everywhere
        }
    }

    /// The same without filters, and so of all processes.
    pub(crate) fn unfiltered(&self, stored: &str) -> CellQuery {
        let mut query = self.at_any_date(stored);
        let dates = Filter::any_of(self.clock.dimension(), self.dates.clone());
        query.filters.push(dates);
        query
    }

    /// The same at any date.
    pub(crate) fn at_any_date(&self, stored: &str) -> CellQuery {
        CellQuery {
            source: Source::telemetry_main(),
            metric: stored.to_owned(),
            filters: vec![
                Filter::is(Dimension::CHANNEL, &self.channel),
                Filter::is(Dimension::VERSION, &self.version),
            ],
            label: None,
            processes: None,
            group_by: vec![Dimension::named(self.clock.dimension())],
            by_process: false,
        }
    }
}

/// The filters on dimensions.
fn filters(parameters: &Parameters) -> Vec<Filter> {
    let is = |name: &str, dimension: &str| Some(Filter::is(dimension, parameters.get(name)?));
    let filters = [
        is("application", Dimension::APPLICATION),
        is("architecture", Dimension::ARCHITECTURE),
        is("os", Dimension::OS),
        parameters.get("osVersion").map(Filter::original_os_version),
        is("e10sEnabled", Dimension::E10S),
    ];
    filters.into_iter().flatten().collect()
}

/// `child` names a process, or is `true` (content) or `false` (parent), as the original stored them.
fn processes(parameters: &Parameters) -> Vec<String> {
    match parameters.get("child") {
        None => USUAL_PROCESSES.map(str::to_owned).to_vec(),
        Some("true") => vec!["content".to_owned()],
        Some("false") => vec!["parent".to_owned()],
        Some(process) => vec![process.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Repeated;
    use proptest::prelude::*;

    fn parse(query: &str) -> Result<Question, Problem> {
        Question::parse(
            DateClock::BuildDate,
            "beta",
            &Parameters::parse(query, Repeated::FirstCounts)?,
        )
    }

    #[test]
    fn a_question_has_every_filter_that_was_sent() {
        let question = parse(
            "version=45&dates=20151103,20151101,,20151103&metric=GC_MS&application=Firefox&architecture=x86-64\
             &os=Windows_NT&osVersion=6.1&e10sEnabled=true&label=&child=socket",
        )
        .expect("a question");
        assert_eq!(question.dates, ["20151101", "20151103"]);
        let expected = [
            Filter::is("application", "Firefox"),
            Filter::is("architecture", "x86-64"),
            Filter::is("os", "Windows_NT"),
            Filter::original_os_version("6.1"),
            Filter::is("e10s", "true"),
        ];
        assert_eq!(question.filters, expected);
        assert_eq!(question.label.as_deref(), Some(""));
        assert_eq!(question.processes, ["socket"]);
        assert_eq!(question.sent[2..4], ["os=Windows_NT", "osVersion=6.1"]);
    }

    #[test]
    fn without_child_the_usual_processes_are_asked_and_its_old_values_are_understood() {
        let processes = |child: &str| {
            parse(&format!("version=1&dates=2&metric=3{child}"))
                .expect("a question")
                .processes
        };
        assert_eq!(processes(""), ["parent", "content", "gpu"]);
        assert_eq!(processes("&child=true"), ["content"]);
        assert_eq!(processes("&child=false"), ["parent"]);
        assert_eq!(processes("&child=gpu"), ["gpu"]);
    }

    #[test]
    fn a_question_without_its_parts_says_which() {
        let missing = |query: &str| parse(query).expect_err("incomplete");
        assert_eq!(missing("").reason, Reason::MissingParameter);
        assert!(missing("version=1&metric=2").description.contains("dates"));
        assert_eq!(
            missing("version=1&metric=2&dates=,").reason,
            Reason::MissingParameter
        );
        let many: Vec<String> = (0..=DATES_MAX).map(|n| n.to_string()).collect();
        assert_eq!(
            missing(&format!("version=1&metric=2&dates={}", many.join(","))).reason,
            Reason::TooLong
        );
    }

    proptest! {
        #[test]
        fn no_query_panics(query in "((version|dates|metric|child|os|label)=[\\PC]{0,9}&){0,8}") {
            let _ = parse(&query);
        }
    }
}
