//! Daily users, monthly users, and their ratio, by day and group.

use std::collections::BTreeSet;

use aggregate_store::{AggregateReads, UserDimension, UserFilters, UserQuery};
use ping::SubmissionDate;
use serde::Serialize;
use sketch::STANDARD_ERROR;

use crate::active_users::{self, ActiveUsers, MONTH_DAYS};
use crate::limits::{ENGAGEMENT_DAYS_MAX, ROWS_MAX};
use crate::parameters::Parameters;
use crate::problem::{Problem, Reason};
use crate::reply::{Reply, made};

/// The parameters of this route.
pub(crate) const PARAMETERS: [&str; 7] = [
    "from",
    "to",
    "application",
    "channel",
    "version",
    "os",
    "group_by",
];

/// What users can be grouped by, as asked.
const GROUPS: [(&str, UserDimension); 4] = [
    ("application", UserDimension::Application),
    ("channel", UserDimension::Channel),
    ("version", UserDimension::Version),
    ("os", UserDimension::Os),
];

#[derive(Debug, Serialize)]
struct Engagement {
    from: String,
    to: String,
    group_by: Option<String>,
    /// Relative, of each estimate.
    standard_error: f64,
    data: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    date: String,
    group: String,
    dau: u64,
    mau: u64,
    er: Option<f64>,
}

/// One entry for each day and group, ascending.
pub(crate) async fn answer(reads: &dyn AggregateReads, parameters: &Parameters) -> Result<Reply, Problem> {
    let query = question(parameters)?;
    let (from, to, grouped) = (query.from, query.to, query.group_by.is_some());
    let reaching_back = UserQuery {
        from: from.plus_days(1 - MONTH_DAYS),
        ..query
    };
    let users = reads.users(&reaching_back, ROWS_MAX).await?;
    let always = if grouped { None } else { Some("") };
    let group_by = parameters.given("group_by").map(str::to_owned);
    made(move || {
        let groups = users
            .iter()
            .map(|day| day.group.as_str())
            .collect::<BTreeSet<_>>();
        let rows = groups.len().saturating_mul(days_of(from, to));
        if rows > ROWS_MAX {
            return Err(Problem::too_large("rows", ROWS_MAX));
        }
        let days = active_users::by_day(users, from, to, always);
        Reply::json(&Engagement {
            from: from.to_string(),
            to: to.to_string(),
            group_by,
            standard_error: STANDARD_ERROR,
            data: days.into_iter().map(entry_of).collect(),
        })
    })
    .await
}

/// How many days the answer has; as many as a question may have, at most.
fn days_of(from: SubmissionDate, to: SubmissionDate) -> usize {
    let days = (0..ENGAGEMENT_DAYS_MAX).map(|day| from.plus_days(day));
    days.take_while(|day| *day <= to).count()
}

fn entry_of(one: ActiveUsers) -> Entry {
    let ActiveUsers {
        date,
        group,
        daily,
        monthly,
    } = one;
    let ratio = (daily / monthly * 1e6).round() / 1e6;
    Entry {
        date: date.to_string(),
        group,
        dau: daily.round() as u64,
        mau: monthly.round() as u64,
        er: (monthly > 0.0).then_some(ratio),
    }
}

fn question(parameters: &Parameters) -> Result<UserQuery, Problem> {
    let invalid = |sentence: String| Problem::new(Reason::InvalidParameter, sentence);
    let [from, to] = parameters.required(["from", "to"])?;
    let date = |name: &str, text: &str| -> Result<SubmissionDate, Problem> {
        text.parse().map_err(|error| invalid(format!("{name}: {error}.")))
    };
    let (from, to) = (date("from", from)?, date("to", to)?);
    if from > to {
        return Err(invalid(format!("from={from} lies after to={to}: exchange them.")));
    }
    if from.plus_days(ENGAGEMENT_DAYS_MAX) <= to {
        return Err(invalid(format!(
            "More than {ENGAGEMENT_DAYS_MAX} days: ask for fewer at once."
        )));
    }
    let of = |name: &str| parameters.given(name).map(str::to_owned);
    Ok(UserQuery {
        from,
        to,
        filters: UserFilters {
            application: of("application"),
            channel: of("channel"),
            version: of("version"),
            os: of("os"),
        },
        group_by: parameters.given("group_by").map(group).transpose()?,
    })
}

fn group(word: &str) -> Result<UserDimension, Problem> {
    let found = GROUPS.iter().find(|(name, _)| *name == word);
    found.map(|(_, dimension)| *dimension).ok_or_else(|| {
        Problem::new(
            Reason::InvalidParameter,
            "group_by is one of application, channel, version, os; or leave it away.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Repeated;

    fn ask(query: &str) -> Result<UserQuery, Problem> {
        question(&Parameters::parse(query, Repeated::Refused)?)
    }

    #[test]
    fn a_question_names_days_filters_and_a_group() {
        let asked =
            ask("from=20170101&to=20170131&os=Linux&channel=&version=54&group_by=os").expect("a question");
        assert_eq!(asked.to.to_string(), "20170131");
        assert_eq!(asked.group_by, Some(UserDimension::Os));
        let filters = UserFilters {
            version: Some("54".to_owned()),
            os: Some("Linux".to_owned()),
            ..UserFilters::default()
        };
        assert_eq!(asked.filters, filters);
    }

    #[test]
    fn a_question_that_cannot_be_says_why() {
        let reason = |query: &str| ask(query).expect_err(query).reason;
        assert_eq!(reason("from=20170101"), Reason::MissingParameter);
        for query in [
            "from=20170132&to=20170201",
            "from=20170102&to=20170101",
            "from=20150101&to=20170101",
            "from=20170101&to=20170101&group_by=client",
        ] {
            assert_eq!(reason(query), Reason::InvalidParameter, "{query}");
        }
        assert!(ask("from=20160101&to=20170131").is_ok());
    }
}
