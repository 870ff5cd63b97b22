//! What days take is a function of what is stored.

use std::collections::BTreeSet;

use aggregate_store::conformance::{any_additions, cell_batch};
use aggregate_store::{AggregateStore, Batch, Committed, RetainAggregates, USER_DIMENSIONS};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use sketch::{UserSketch, coupon_of};

use crate::test_database::TestDatabase;

/// What the server is kept from: what is left is another plan each time. The last one sorts.
const KEPT_FROM: [&str; 4] = [
    "enable_hashjoin, enable_mergejoin",
    "enable_nestloop, enable_mergejoin",
    "enable_nestloop, enable_hashjoin",
    "enable_nestloop, enable_hashjoin, enable_indexscan, enable_bitmapscan",
];

#[tokio::test]
async fn what_a_day_takes_is_the_same_by_whatever_plan_the_server_adds_it_up() {
    let Some(place) = TestDatabase::new() else { return };
    let mut runner = TestRunner::deterministic();
    let tree = proptest::collection::vec(any_additions(), 10).new_tree(&mut runner);
    let additions = tree.expect("samples can be drawn").current().concat();
    let mut users = UserSketch::default();
    users.insert(coupon_of("somebody").expect("a coupon"));
    let of_day = additions[0].0.dimensions.projected(&USER_DIMENSIONS);
    let batch = Batch {
        users: vec![(of_day, users)],
        ..cell_batch(&additions)
    };
    let store = place.open().await;
    assert_eq!(store.commit(batch).await.expect("written"), Committed::Written);
    let mut sizes = BTreeSet::new();
    for settings in KEPT_FROM {
        let off: String = settings
            .split(", ")
            .map(|setting| format!("ALTER DATABASE {0} SET {setting} = off; ", place.database))
            .collect();
        let reset = format!("ALTER DATABASE {} RESET ALL; ", place.database);
        place.server.sql(&place.database, &(reset + &off));
        let measured = place.open().await.day_bytes().await.expect("measured");
        sizes.insert(format!("{measured:?}"));
    }
    assert_eq!(sizes.len(), 1, "{sizes:#?}");
}
