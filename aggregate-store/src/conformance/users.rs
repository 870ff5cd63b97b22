//! Laws of user sketches: each day and group is the union of what was added to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ping::SubmissionDate;
use proptest::prelude::*;
use proptest::sample::select;
use sketch::{UserSketch, coupon_of};
use tokio::runtime::Runtime;

use super::dump_of;
use super::law::check;
use super::sources;
use crate::{
    AggregateError, AggregateStore, BatchBuilder, Dimension, DimensionSet, Filter, Source, UserDay,
    UserQuery, Wanted,
};

/// A set, and the numbers of the clients that are added to it.
type Addition = (DimensionSet, Vec<u32>);

pub(super) fn keep_the_law(make: &impl AsyncFn() -> Arc<dyn AggregateStore>, runtime: &Runtime) {
    let queries = prop::collection::vec(any_query(), 8);
    let additions = prop::collection::vec(any_addition(), 0..20);
    check(
        runtime,
        &(additions, 1usize..9, queries),
        async |(additions, size, queries)| {
            let store = filled(make, &additions, size).await;
            for query in queries {
                its_groups_are_listed_and_the_others_united(&*store, &additions, &query).await;
                let expected = expected(&additions, &query);
                for limit in [usize::MAX, expected.len()] {
                    let answer = store.users(&query, limit).await;
                    assert_eq!(answer.expect("the question is answered"), expected, "{query:?}");
                }
                if let Some(fewer) = expected.len().checked_sub(1) {
                    let refused = store.users(&query, fewer).await;
                    assert!(
                        matches!(refused, Err(AggregateError::TooLarge { .. })),
                        "{query:?}"
                    );
                }
            }
            let reversed: Vec<Addition> = additions.into_iter().rev().collect();
            let other = filled(make, &reversed, 20).await;
            assert_eq!(
                dump_of(&*store).await,
                dump_of(&*other).await,
                "equal users give equal lines"
            );
        },
    );
}

/// The groups are those of the answer, the rest is the union of what is left out, and the list is cut where it is asked to be.
async fn its_groups_are_listed_and_the_others_united(
    store: &dyn AggregateStore,
    additions: &[Addition],
    query: &UserQuery,
) {
    let there: BTreeSet<String> = match &query.group_by {
        Some(_) => expected(additions, query)
            .into_iter()
            .map(|day| day.group)
            .collect(),
        None => BTreeSet::new(),
    };
    for limit in 1..=there.len() + 1 {
        let listed = store
            .user_groups(query, limit)
            .await
            .expect("the question is answered");
        assert!(listed.values.is_sorted(), "{listed:?}");
        let own: BTreeSet<String> = listed.values.into_iter().collect();
        assert!(
            own.is_subset(&there) && own.len() == limit.min(there.len()),
            "{own:?} of {there:?}"
        );
        assert_eq!(listed.left_out, (there.len() - own.len()) as u64, "{query:?}");
        let narrowed = UserQuery {
            own_groups: query.group_by.as_ref().map(|_| own),
            ..query.clone()
        };
        let answer = store.users(&narrowed, usize::MAX).await;
        assert_eq!(
            answer.expect("the question is answered"),
            expected(additions, &narrowed),
            "{narrowed:?}"
        );
    }
}

/// A group with many users is listed before those with few, and is not united with others.
pub(super) async fn the_largest_group_is_listed_first(store: &dyn AggregateStore) {
    let set = |version: u32, day: &str| {
        let values = [
            (Dimension::APPLICATION, "Firefox".to_owned()),
            (Dimension::CHANNEL, "nightly".to_owned()),
            (Dimension::VERSION, version.to_string()),
            (Dimension::OS, "Linux".to_owned()),
        ];
        let values = values.map(|(name, value)| (Dimension::named(name), value));
        DimensionSet::new(Source::telemetry_main(), day.parse().expect("a day"), values)
    };
    for part in [0..20_u32, 20..40] {
        let mut builder = BatchBuilder::new();
        for version in part {
            let many = if version == 17 || version == 33 { 300 } else { 1 };
            let clients: Vec<u32> = (version * 1_000..version * 1_000 + many).collect();
            builder.add_users(&set(version, "20170101"), sketch_of(&clients));
            builder.add_users(&set(version, "20170102"), sketch_of(&clients));
        }
        let _ = store.commit(builder.build()).await.expect("the batch is written");
    }
    let query = UserQuery {
        source: Source::telemetry_main(),
        from: "20170101".parse().expect("a day"),
        to: "20170131".parse().expect("a day"),
        filters: Vec::new(),
        group_by: Some(Dimension::named(Dimension::VERSION)),
        own_groups: None,
    };
    let listed = store
        .user_groups(&query, 2)
        .await
        .expect("the question is answered");
    assert_eq!(
        (listed.values, listed.left_out),
        (vec!["17".to_owned(), "33".to_owned()], 38)
    );
}

async fn filled(
    make: &impl AsyncFn() -> Arc<dyn AggregateStore>,
    additions: &[Addition],
    size: usize,
) -> Arc<dyn AggregateStore> {
    let store = make().await;
    for part in additions.chunks(size) {
        let mut builder = BatchBuilder::new();
        for (set, clients) in part {
            builder.add_users(set, sketch_of(clients));
        }
        let _ = store.commit(builder.build()).await.expect("the batch is written");
    }
    store
}

fn sketch_of<'a>(clients: impl IntoIterator<Item = &'a u32>) -> UserSketch {
    let mut users = UserSketch::new();
    users.extend(
        clients
            .into_iter()
            .filter_map(|client| coupon_of(&client.to_string())),
    );
    users
}

fn expected(additions: &[Addition], query: &UserQuery) -> Vec<UserDay> {
    let mut days: BTreeMap<(SubmissionDate, bool, String), BTreeSet<u32>> = BTreeMap::new();
    for (set, clients) in additions.iter().filter(|(_, clients)| !clients.is_empty()) {
        let is_asked = query.filters.iter().all(|filter| match &filter.wanted {
            Wanted::AnyOf(values) => values
                .iter()
                .any(|value| value == set.value(filter.dimension.as_str())),
            Wanted::Between { from, to } => {
                let value = set.value(filter.dimension.as_str()).to_owned();
                value != ping::UNKNOWN
                    && from.iter().all(|from| *from <= value)
                    && to.iter().all(|to| value <= *to)
            }
            Wanted::AnyItemOf(_) | Wanted::OriginalOsVersion(_) => unreachable!("no such question is drawn"),
        });
        if is_asked
            && *set.source() == query.source
            && (query.from..=query.to).contains(&set.submission_date())
        {
            let dimension = query.group_by.as_ref();
            let group = dimension.map_or("", |dimension| set.value(dimension.as_str()));
            let is_rest = query.own_groups.as_ref().is_some_and(|own| !own.contains(group));
            let group = if is_rest { "" } else { group };
            let day = (set.submission_date(), is_rest, group.to_owned());
            days.entry(day).or_default().extend(clients);
        }
    }
    let days = days.into_iter().map(|((date, is_rest, group), clients)| UserDay {
        date,
        group,
        is_rest,
        users: sketch_of(&clients),
    });
    days.collect()
}

fn any_day() -> impl Strategy<Value = SubmissionDate> {
    select(vec![20_161_230, 20_161_231, 20_170_101])
        .prop_map(|day| SubmissionDate::from_yyyymmdd(day).expect("these are days"))
}

fn any_source() -> impl Strategy<Value = Source> {
    prop_oneof![3 => Just(sources()[0].clone()), 1 => Just(sources()[1].clone())]
}

fn any_addition() -> impl Strategy<Value = Addition> {
    let name = |names: [&'static str; 2]| select(names.to_vec()).prop_map(str::to_owned);
    let names = (
        name(["Firefox", ping::UNKNOWN]),
        name(["nightly", "release"]),
        name(["41", "9"]),
        name(["Linux", "Darwin"]),
    );
    let clients = prop_oneof![
        4 => prop::collection::vec(0u32..40, 0..6),
        1 => (0u32..900, 0u32..900).prop_map(|(from, many)| (from..from + many).collect()),
    ];
    (any_source(), any_day(), names, clients).prop_map(
        |(source, submission_date, (application, channel, version, os), clients)| {
            let values = [
                (Dimension::APPLICATION, application),
                (Dimension::CHANNEL, channel),
                (Dimension::VERSION, version),
                (Dimension::OS, os),
            ];
            let values = values.map(|(name, value)| (Dimension::named(name), value));
            (DimensionSet::new(source, submission_date, values), clients)
        },
    )
}

fn any_query() -> impl Strategy<Value = UserQuery> {
    let filter =
        |names: [&'static str; 3]| prop_oneof![3 => Just(None), 2 => select(names.to_vec()).prop_map(Some)];
    let filters = (
        filter(["Firefox", ping::UNKNOWN, "none"]),
        filter(["nightly", "release", "none"]),
        filter(["41", "9", "none"]),
        filter(["Linux", "Darwin", "none"]),
    );
    let end = || prop::option::of(select(vec!["41", "5", "9"]).prop_map(str::to_owned));
    let range = (end(), end()).prop_map(|(from, to)| Filter::between(Dimension::VERSION, from, to));
    let range = prop::option::weighted(0.3, range);
    let group_by = prop::option::of(select(vec![
        Dimension::APPLICATION,
        Dimension::CHANNEL,
        Dimension::VERSION,
        Dimension::OS,
    ]));
    (any_source(), any_day(), any_day(), (filters, range), group_by).prop_map(
        |(source, from, to, ((application, channel, version, os), range), group_by)| {
            let filters = [
                (Dimension::APPLICATION, application),
                (Dimension::CHANNEL, channel),
                (Dimension::VERSION, version),
                (Dimension::OS, os),
            ];
            let filters = filters.into_iter();
            let filters = filters.filter_map(|(name, value)| Some(Filter::is(name, value?)));
            UserQuery {
                source,
                from,
                to,
                filters: filters.chain(range).collect(),
                group_by: group_by.map(Dimension::named),
                own_groups: None,
            }
        },
    )
}
