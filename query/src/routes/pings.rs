//! Raw pings of a source, by its dimensions: what the numbers are made of.

use aggregate_store::{AggregateReads, Dimension, Filter, Source};
use http::HeaderMap;

use crate::definitions::Definitions;
use crate::generic::{dimensions_of, filter_of, refuse_strangers};
use crate::limits::{FIELDS_MAX, PING_BYTES_MAX, PINGS_MAX, PINGS_USUAL};
use crate::parameters::Parameters;
use crate::problem::{Problem, Reason};
use crate::raw_pings::{FindPingsError, PingsAsked, PingsDoor, PingsFound};
use crate::reply::{CHUNKS_LEFT_OUT, CUT, Reply, made};

/// The parameters of the route beside the dimensions of the source.
pub(crate) const FIXED: [&str; 6] = ["source", "from", "to", "sample_id", "limit", "fields"];

/// What a proxy adds to a question that it passes on.
const OF_PROXIES: [&str; 5] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
];

const THROUGH_A_PROXY: &str = "Raw pings bear their ids, and this question came through a proxy: they are answered to it with --raw-pings on.";

fn is_forwarded(headers: &HeaderMap) -> bool {
    OF_PROXIES.iter().any(|name| headers.contains_key(*name))
}

/// The pings, a line each.
pub(crate) async fn answer(
    reads: &dyn AggregateReads,
    definitions: &Definitions,
    (door, headers): (&PingsDoor, &HeaderMap),
    parameters: &Parameters,
) -> Result<Reply, Problem> {
    let finder = match door {
        PingsDoor::Open { forwarded: false, .. } if is_forwarded(headers) => {
            return Err(Problem::new(Reason::PingsClosed, THROUGH_A_PROXY));
        }
        PingsDoor::Open { finder, .. } => finder,
        PingsDoor::Closed(reason) => return Err(Problem::new(Reason::PingsClosed, *reason)),
    };
    let [name] = parameters.required(["source"])?;
    let source = Source::named(name);
    let about = reads.about(&source).await?;
    // Of what is only stored nothing but the day is known.
    let dimensions = dimensions_of(&source, about.as_ref(), definitions)
        .unwrap_or_else(|| vec![Dimension::SUBMISSION_DATE.to_owned()]);
    let dimensions = dimensions.iter().map(String::as_str);
    let known: Vec<&str> = FIXED.into_iter().chain(dimensions).collect();
    refuse_strangers(parameters, &known)?;
    let asked = asked(source, parameters)?;
    let found = finder.find(asked).await.map_err(|error| match error {
        FindPingsError::Busy => Problem::busy("Another question looks for raw pings. Ask again in a second."),
        error => Problem::unavailable("store", &error),
    })?;
    let PingsFound {
        lines,
        is_cut,
        unread,
    } = found;
    made(move || {
        let reply = Reply::lines(lines).with(CUT, if is_cut { "true" } else { "false" });
        Ok(match unread {
            0 => reply,
            unread => reply.with(CHUNKS_LEFT_OUT, &unread.to_string()),
        })
    })
    .await
}

fn asked(source: Source, parameters: &Parameters) -> Result<PingsAsked, Problem> {
    let mut filters: Vec<Filter> = Vec::new();
    for (name, value) in parameters.iter().filter(|(name, _)| !FIXED.contains(name)) {
        filters.push(filter_of(name, value)?);
    }
    let [from, to] = ["from", "to"].map(|end| parameters.get(end));
    if from.is_some() || to.is_some() {
        for (name, day) in [("from", from), ("to", to)] {
            if let Some(day) = day {
                day.parse::<ping::SubmissionDate>()
                    .map_err(|_| invalid(name, "a day as 20260131"))?;
            }
        }
        let [from, to] = [from, to].map(|end| end.map(str::to_owned));
        filters.push(Filter::between(Dimension::SUBMISSION_DATE, from, to));
    }
    let sample_id = match parameters.get("sample_id") {
        None => None,
        Some(text) => {
            let sample = text.parse::<u8>().ok().filter(|sample| *sample < 100);
            Some(sample.ok_or_else(|| invalid("sample_id", "a number from 0 to 99"))?)
        }
    };
    let limit = match parameters.get("limit") {
        None => PINGS_USUAL,
        Some(text) => {
            let limit = text.parse::<usize>().ok();
            let limit = limit.filter(|limit| (1..=PINGS_MAX).contains(limit));
            limit.ok_or_else(|| invalid("limit", &format!("a number from 1 to {PINGS_MAX}")))?
        }
    };
    let fields: Vec<String> = parameters
        .given("fields")
        .map_or_else(Vec::new, |list| list.split(',').map(str::to_owned).collect());
    if fields.len() > FIELDS_MAX {
        return Err(invalid("fields", &format!("at most {FIELDS_MAX} names")));
    }
    Ok(PingsAsked {
        source,
        filters,
        sample_id,
        limit,
        bytes: PING_BYTES_MAX,
        fields,
    })
}

fn invalid(name: &str, what: &str) -> Problem {
    Problem::new(Reason::InvalidParameter, format!("{name} is {what}."))
}
