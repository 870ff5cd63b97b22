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
use crate::{
    AggregateError, AggregateStore, BatchBuilder, UserDay, UserDimension, UserFilters, UserKey, UserQuery,
};

/// A key, and the numbers of the clients that are added to it.
type Addition = (UserKey, Vec<u32>);

pub(super) fn keep_the_law(make: &impl AsyncFn() -> Arc<dyn AggregateStore>, runtime: &Runtime) {
    let queries = prop::collection::vec(any_query(), 8);
    let additions = prop::collection::vec(any_addition(), 0..20);
    check(
        runtime,
        &(additions, 1usize..9, queries),
        async |(additions, size, queries)| {
            let store = filled(make, &additions, size).await;
            for query in queries {
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

async fn filled(
    make: &impl AsyncFn() -> Arc<dyn AggregateStore>,
    additions: &[Addition],
    size: usize,
) -> Arc<dyn AggregateStore> {
    let store = make().await;
    for part in additions.chunks(size) {
        let mut builder = BatchBuilder::new();
        for (key, clients) in part {
            builder.add_users(key.clone(), sketch_of(clients));
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
    let UserFilters {
        application,
        channel,
        version,
        os,
    } = &query.filters;
    let mut days: BTreeMap<(SubmissionDate, String), BTreeSet<u32>> = BTreeMap::new();
    for (key, clients) in additions.iter().filter(|(_, clients)| !clients.is_empty()) {
        let is =
            |wanted: &Option<String>, value: &String| wanted.as_ref().is_none_or(|wanted| wanted == value);
        if (query.from..=query.to).contains(&key.submission_date)
            && is(application, &key.application)
            && is(channel, &key.channel)
            && is(version, &key.version)
            && is(os, &key.os)
        {
            let group = query.group_by.map_or("", |dimension| key.value(dimension));
            let day = days.entry((key.submission_date, group.to_owned())).or_default();
            day.extend(clients);
        }
    }
    let days = days.into_iter().map(|((date, group), clients)| UserDay {
        date,
        group,
        users: sketch_of(&clients),
    });
    days.collect()
}

fn any_day() -> impl Strategy<Value = SubmissionDate> {
    select(vec![20_161_230, 20_161_231, 20_170_101])
        .prop_map(|day| SubmissionDate::from_yyyymmdd(day).expect("these are days"))
}

fn any_addition() -> impl Strategy<Value = Addition> {
    let name = |names: [&'static str; 2]| select(names.to_vec()).prop_map(str::to_owned);
    let names = (
        name(["Firefox", "Fennec"]),
        name(["nightly", "release"]),
        name(["41", "9"]),
        name(["Linux", "Darwin"]),
    );
    let clients = prop_oneof![
        4 => prop::collection::vec(0u32..40, 0..6),
        1 => (0u32..900, 0u32..900).prop_map(|(from, many)| (from..from + many).collect()),
    ];
    (any_day(), names, clients).prop_map(
        |(submission_date, (application, channel, version, os), clients)| {
            let key = UserKey {
                submission_date,
                application,
                channel,
                version,
                os,
            };
            (key, clients)
        },
    )
}

fn any_query() -> impl Strategy<Value = UserQuery> {
    let filter = |names: [&'static str; 3]| prop_oneof![3 => Just(None), 2 => select(names.to_vec()).prop_map(|name| Some(name.to_owned()))];
    let filters = (
        filter(["Firefox", "Fennec", "none"]),
        filter(["nightly", "release", "none"]),
        filter(["41", "9", "none"]),
        filter(["Linux", "Darwin", "none"]),
    );
    let group_by = prop::option::of(select(vec![
        UserDimension::Application,
        UserDimension::Channel,
        UserDimension::Version,
        UserDimension::Os,
    ]));
    (any_day(), any_day(), filters, group_by).prop_map(
        |(from, to, (application, channel, version, os), group_by)| UserQuery {
            from,
            to,
            filters: UserFilters {
                application,
                channel,
                version,
                os,
            },
            group_by,
        },
    )
}
