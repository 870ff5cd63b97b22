//! A question for the distribution of a metric of any source. Pure: from parameters to what the store is asked.

use std::collections::BTreeSet;

use aggregate_store::{AboutSource, CellQuery, Dimension, Filter, STANDARD_DIMENSIONS, Source};
use readers::declaration::nearest;
use readers::glean::GleanDimension;

use super::filter::{filter_of, is_list, values_within};
use super::percentile::Percentile;
use crate::definitions::Definitions;
use crate::limits::{GROUPS_MAX, GROUPS_USUAL, PERCENTILES_MAX};
use crate::parameters::Parameters;
use crate::problem::{Problem, Reason};

/// The parameters of the route beside the dimensions of the source.
pub(crate) const FIXED: [&str; 12] = [
    "source",
    "metric",
    LABEL,
    PROCESS,
    "group_by",
    "limit",
    "order",
    "percentiles",
    "method",
    "format",
    "explain",
    "edges",
];

pub(crate) const LABEL: &str = "label";
pub(crate) const PROCESS: &str = "process";

/// By what an answer is grouped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Dimension(String),
    Label,
    Process,
}

impl By {
    /// Its name, in the parameter and in answers.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Dimension(name) => name,
            Self::Label => LABEL,
            Self::Process => PROCESS,
        }
    }
}

/// In which order rows come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// By the values that are grouped by, ascending.
    Group,
    /// Those with the most pings first.
    Pings,
}

/// How percentiles are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// By the bin's own edges.
    Own,
    /// As Mozilla's telemetry.js does.
    TelemetryJs,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Csv,
}

/// One metric of a source under filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AggregatesQuestion {
    pub(crate) source: Source,
    /// As asked.
    pub(crate) metric: String,
    /// On dimensions, in the order of the question.
    pub(crate) filters: Vec<Filter>,
    /// The same as sent, for answers: `os=Linux`.
    pub(crate) sent: Vec<String>,
    pub(crate) labels: Option<Vec<String>>,
    pub(crate) processes: Option<Vec<String>>,
    pub(crate) by: Vec<By>,
    pub(crate) limit: usize,
    pub(crate) order: Order,
    pub(crate) percentiles: Vec<Percentile>,
    pub(crate) method: Method,
    pub(crate) format: Format,
    pub(crate) explain: bool,
    /// Whether rows tell the edges of their bins.
    pub(crate) edges: bool,
}

impl AggregatesQuestion {
    /// Takes a question from parameters. `dimensions` are those of its source; `None` where nothing of it is stored: then any name may be
    /// one, and the answer will be empty.
    pub(crate) fn parse(parameters: &Parameters, dimensions: Option<&[String]>) -> Result<Self, Problem> {
        let [source, metric] = parameters.required(["source", "metric"])?;
        let source = Source::named(source);
        if let Some(dimensions) = dimensions {
            refuse_strangers(parameters, &known(&source, dimensions))?;
        }
        let (mut filters, mut sent) = (Vec::new(), Vec::new());
        for (name, value) in parameters.iter().filter(|(name, _)| !FIXED.contains(name)) {
            filters.push(filter_of(name, value)?);
            sent.push(format!("{name}={value}"));
        }
        Ok(Self {
            filters,
            sent,
            labels: parameters.get(LABEL).map(values_within),
            processes: parameters.get(PROCESS).map(values_within),
            by: by(parameters, dimensions)?,
            limit: limit(parameters)?,
            order: match parameters.get("order") {
                None | Some("group") => Order::Group,
                Some("pings") => Order::Pings,
                Some(_) => return Err(invalid("order", "group or pings")),
            },
            percentiles: percentiles(parameters)?,
            method: match parameters.get("method") {
                None | Some("own") => Method::Own,
                Some("telemetryjs") => Method::TelemetryJs,
                Some(_) => return Err(invalid("method", "own or telemetryjs")),
            },
            format: match parameters.get("format") {
                None | Some("json") => Format::Json,
                Some("csv") => Format::Csv,
                Some(_) => return Err(invalid("format", "json or csv")),
            },
            explain: is_wanted(parameters, "explain")?,
            edges: is_wanted(parameters, "edges")?,
            metric: metric.to_owned(),
            source,
        })
    }

    /// What the store is asked for a metric as it is stored.
    pub(crate) fn cells(&self, stored: &str) -> CellQuery {
        let dimensions = self.by.iter().filter_map(|by| match by {
            By::Dimension(name) => Some(Dimension::named(name)),
            By::Label | By::Process => None,
        });
        CellQuery {
            filters: self.filters.clone(),
            processes: self.processes.clone(),
            group_by: dimensions.collect(),
            by_process: self.by.contains(&By::Process),
            ..self.anywhere(stored)
        }
    }

    /// The same without any condition.
    pub(crate) fn anywhere(&self, stored: &str) -> CellQuery {
        CellQuery {
            source: self.source.clone(),
            metric: stored.to_owned(),
            filters: Vec::new(),
            label: None,
            processes: None,
            group_by: Vec::new(),
            by_process: false,
        }
    }
}

/// The dimensions of a source, the day of submission among them. Those of the original's source do not depend on what was sent.
/// Declared ones are dimensions before any ping stated them.
pub(crate) fn dimensions_of(
    source: &Source,
    about: Option<&AboutSource>,
    definitions: &Definitions,
) -> Option<Vec<String>> {
    let named: Vec<String> = match (source.as_str(), about) {
        (Source::TELEMETRY_MAIN, _) => STANDARD_DIMENSIONS.map(str::to_owned).to_vec(),
        (_, Some(about)) => known_dimensions(&about.dimensions, definitions.dimensions(source)),
        (_, None) => return None,
    };
    let day = std::iter::once(Dimension::SUBMISSION_DATE.to_owned());
    Some(day.chain(named).collect())
}

/// What is declared of a source, and what its pings stated; and if these are Glean's, which all state their application, what others of
/// them may.
fn known_dimensions(stated: &[String], declared: &[String]) -> Vec<String> {
    let is_gleans = declared.is_empty() && stated.iter().any(|name| name == Dimension::APPLICATION);
    let all = GleanDimension::ALL.into_iter();
    let all = all.filter(|_| is_gleans);
    let mut named: BTreeSet<String> = all.map(|dimension| dimension.name().to_owned()).collect();
    named.extend(stated.iter().chain(declared).cloned());
    named.into_iter().collect()
}

/// Whether a name is one of these dimensions, if they are known at all.
pub(crate) fn is_dimension(name: &str, dimensions: Option<&[String]>) -> bool {
    dimensions.is_none_or(|dimensions| dimensions.iter().any(|known| known == name))
}

fn known<'a>(source: &Source, dimensions: &'a [String]) -> Vec<&'a str> {
    let has_processes = source.as_str() == Source::TELEMETRY_MAIN;
    let fixed = FIXED.into_iter().filter(|name| has_processes || *name != PROCESS);
    fixed.chain(dimensions.iter().map(String::as_str)).collect()
}

/// Refuses a parameter that is none of these, with the nearest that is.
pub(crate) fn refuse_strangers(parameters: &Parameters, known: &[&str]) -> Result<(), Problem> {
    match parameters.iter().find(|(name, _)| !known.contains(name)) {
        None => Ok(()),
        Some((stranger, _)) => {
            let what = format!(
                "There is no parameter or dimension `{}` here",
                stranger.escape_debug()
            );
            Err(Problem::new(
                Reason::StrangeParameter,
                meant(&what, stranger, known),
            ))
        }
    }
}

/// A sentence that ends in what was meant, or in all that there is.
fn meant(what: &str, word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("{what}; `{near}` may be meant."),
        None if known.is_empty() => format!("{what}: it has none."),
        None => format!("{what}. There are: {}.", known.join(", ")),
    }
}

fn by(parameters: &Parameters, dimensions: Option<&[String]>) -> Result<Vec<By>, Problem> {
    let mut found: Vec<By> = Vec::new();
    for name in parameters
        .given("group_by")
        .into_iter()
        .flat_map(|list| list.split(','))
    {
        let by = match name {
            LABEL => By::Label,
            PROCESS => By::Process,
            name if is_list(name) => {
                let sentence = format!(
                    "`{name}` is a list: a ping may have several of its items. Filter by one instead of grouping by it."
                );
                return Err(Problem::new(Reason::InvalidParameter, sentence));
            }
            name if is_dimension(name, dimensions) => By::Dimension(name.to_owned()),
            stranger => {
                let known = dimensions.unwrap_or_default().iter().map(String::as_str);
                let known: Vec<&str> = known.chain([LABEL, PROCESS]).collect();
                let what = format!("group_by has no dimension `{}`", stranger.escape_debug());
                return Err(Problem::new(
                    Reason::InvalidParameter,
                    meant(&what, stranger, &known),
                ));
            }
        };
        if found.contains(&by) {
            let sentence = format!("group_by names `{}` twice.", by.name());
            return Err(Problem::new(Reason::InvalidParameter, sentence));
        }
        found.push(by);
    }
    Ok(found)
}

fn is_wanted(parameters: &Parameters, name: &str) -> Result<bool, Problem> {
    match parameters.get(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(invalid(name, "true or false")),
    }
}

fn limit(parameters: &Parameters) -> Result<usize, Problem> {
    let Some(text) = parameters.get("limit") else {
        return Ok(GROUPS_USUAL);
    };
    let limit = text.parse().ok().filter(|limit| (1..=GROUPS_MAX).contains(limit));
    limit.ok_or_else(|| invalid("limit", &format!("a number from 1 to {GROUPS_MAX}")))
}

fn percentiles(parameters: &Parameters) -> Result<Vec<Percentile>, Problem> {
    let list = parameters.get("percentiles").unwrap_or("5,50,95");
    let texts: Vec<&str> = list.split(',').filter(|text| !text.is_empty()).collect();
    if texts.len() > PERCENTILES_MAX {
        return Err(invalid(
            "percentiles",
            &format!("at most {PERCENTILES_MAX} numbers"),
        ));
    }
    texts.into_iter().map(Percentile::parse).collect()
}

pub(crate) fn invalid(name: &str, allowed: &str) -> Problem {
    Problem::new(Reason::InvalidParameter, format!("{name} is {allowed}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Repeated;

    fn parse(query: &str) -> Result<AggregatesQuestion, Problem> {
        let dimensions = ["submission_date", "os", "country"].map(str::to_owned);
        let parameters = Parameters::parse(query, Repeated::Refused)?;
        AggregatesQuestion::parse(&parameters, Some(&dimensions))
    }

    #[test]
    fn what_is_no_dimension_is_refused_with_the_nearest_name() {
        for (query, near) in [
            ("source=a/b&metric=m&contry=DE", "`country`"),
            ("source=a/b&metric=m&groupby=os", "`group_by`"),
            ("source=a/b&metric=m&group_by=oss", "`os`"),
            ("source=a/b&metric=m&process=x", "There are: "),
        ] {
            let problem = parse(query).expect_err(query);
            assert_eq!(problem.status(), 400, "{query}");
            assert!(problem.description.contains(near), "{}", problem.description);
        }
        assert!(parse("source=telemetry/main&metric=m&process=x&os=Linux").is_ok());
    }

    #[test]
    fn a_wrong_value_is_refused() {
        for wrong in [
            "limit=0",
            "limit=10001",
            "order=up",
            "format=xml",
            "explain=1",
            "edges=yes",
            "method=telemetry.js",
            "percentiles=101",
            "group_by=os,os",
            "os=a..b..c",
        ] {
            let problem = parse(&format!("source=a/b&metric=m&{wrong}")).expect_err(wrong);
            assert_eq!(problem.reason, Reason::InvalidParameter, "{wrong}");
        }
    }
}
