//! Daily users, monthly users, and their ratio, by day and group.

use std::collections::BTreeSet;

use aggregate_store::{
    AggregateError, AggregateReads, Dimension, Filter, Source, USER_DIMENSIONS, UserDay, UserQuery,
};
use index_schema::Index;
use ping::SubmissionDate;
use serde::Serialize;
use sketch::STANDARD_ERROR;

use crate::active_users::{self, ActiveUsers, MONTH_DAYS};
use crate::charted::{Charted, Counted};
use crate::limits::{ENGAGEMENT_DAYS_MAX, LIST_PRODUCTS_MAX, ROWS_MAX};
use crate::parameters::Parameters;
use crate::problem::{Problem, Reason};
use crate::reply::{Reply, made};
use crate::uncounted::Uncounted;

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

#[derive(Debug, Serialize)]
struct Engagement {
    from: String,
    to: String,
    group_by: Option<String>,
    /// Relative, of each estimate.
    standard_error: f64,
    /// Stored pings of types that are not counted, over all days; absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_counted: Option<u64>,
    /// What is stored, where no user is in the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// How many groups are united in the entries that are `rest`, where there are more than an answer holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups_in_rest: Option<u64>,
    data: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    date: String,
    group: String,
    /// Whether these are the users of all groups that have no entries of their own.
    #[serde(skip_serializing_if = "is_false")]
    rest: bool,
    dau: u64,
    mau: u64,
    er: Option<f64>,
}

/// One entry for each day and group, ascending.
pub(crate) async fn answer(
    reads: &dyn AggregateReads,
    index: &dyn Index,
    charted: &Charted,
    parameters: &Parameters,
) -> Result<Reply, Problem> {
    let query = question(parameters)?;
    let (from, to, grouped) = (query.from, query.to, query.group_by.is_some());
    let reaching_back = UserQuery {
        from: from.plus_days(1 - MONTH_DAYS),
        ..query
    };
    let (users, groups_in_rest) = users(reads, reaching_back, days_of(from, to)).await?;
    let counted = Counted::of(reads, charted).await?;
    let uncounted = uncounted(index, &counted).await;
    let always = if grouped { None } else { Some("") };
    let group_by = parameters.given("group_by").map(str::to_owned);
    made(move || {
        let days = active_users::by_day(users, from, to, always);
        let is_empty = days.iter().all(|day| day.monthly == 0.0);
        Reply::json(&Engagement {
            from: from.to_string(),
            to: to.to_string(),
            group_by,
            standard_error: STANDARD_ERROR,
            not_counted: Some(uncounted.pings).filter(|pings| *pings > 0),
            groups_in_rest: Some(groups_in_rest).filter(|groups| *groups > 0),
            note: uncounted.note().filter(|_| is_empty),
            data: days.into_iter().map(entry_of).collect(),
        })
    })
    .await
}

/// The users that an answer of so many days is made of. Where that would have too many rows, the largest groups have theirs, and all
/// others are united; answers how many these are.
async fn users(
    reads: &dyn AggregateReads,
    query: UserQuery,
    days: usize,
) -> Result<(Vec<UserDay>, u64), Problem> {
    match reads.users(&query, ROWS_MAX).await {
        Ok(users) => {
            let groups: BTreeSet<&str> = users.iter().map(|day| day.group.as_str()).collect();
            if groups.len().saturating_mul(days) <= ROWS_MAX {
                return Ok((users, 0));
            }
        }
        Err(AggregateError::TooLarge { .. }) if query.group_by.is_some() => {}
        Err(error) => return Err(error.into()),
    }
    // All of these and the rest, on each day that is read, are no more rows than an answer may have.
    let room = ROWS_MAX / (days + MONTH_DAYS as usize) - 1;
    let largest = reads.user_groups(&query, room).await?;
    let narrowed = UserQuery {
        own_groups: Some(largest.values.into_iter().collect()),
        ..query
    };
    Ok((reads.users(&narrowed, ROWS_MAX).await?, largest.left_out))
}

/// What is stored and not counted. Users are answered also while the index cannot be asked.
async fn uncounted(index: &dyn Index, counted: &Counted<'_>) -> Uncounted {
    match index.products(LIST_PRODUCTS_MAX).await {
        Ok(found) => Uncounted::of(&found.products, |product| counted.holds(product)),
        Err(error) => {
            tracing::warn!(%error, "the index could not be asked for products: an answer about users does not say which pings are not counted");
            Uncounted::default()
        }
    }
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
        is_rest,
        daily,
        monthly,
    } = one;
    let ratio = (daily / monthly * 1e6).round() / 1e6;
    Entry {
        date: date.to_string(),
        group,
        rest: is_rest,
        dau: daily.round() as u64,
        mau: monthly.round() as u64,
        er: (monthly > 0.0).then_some(ratio),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(value: &bool) -> bool {
    !*value
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
    let filters = USER_DIMENSIONS.into_iter();
    let filters = filters.filter_map(|name| Some(Filter::is(name, parameters.given(name)?)));
    Ok(UserQuery {
        source: Source::telemetry_main(),
        from,
        to,
        filters: filters.collect(),
        group_by: parameters.get("group_by").map(group).transpose()?,
        own_groups: None,
    })
}

fn group(word: &str) -> Result<Dimension, Problem> {
    let found = USER_DIMENSIONS.into_iter().find(|name| *name == word);
    found.map(Dimension::named).ok_or_else(|| {
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
        assert_eq!(asked.group_by, Some(Dimension::named("os")));
        let filters = [Filter::is("version", "54"), Filter::is("os", "Linux")];
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
            "from=20170101&to=20170101&group_by=",
        ] {
            assert_eq!(reason(query), Reason::InvalidParameter, "{query}");
        }
        assert!(ask("from=20160101&to=20170131").is_ok());
    }
}
