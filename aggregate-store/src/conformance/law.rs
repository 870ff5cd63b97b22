//! The whole law, and how a part of it is tried on random cases.

use std::sync::Arc;

use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::{Builder, Runtime};

use super::{asked_again, cells, rebuilding, rows, users, whole_rebuilds};
use crate::AggregateStore;

/// Random cases for each law: each makes a store or two.
const CASES: u32 = 24;

/// All parts of the law. `make` gives a new, empty store at each call; it is called on a runtime of this function.
pub fn every_back_end_keeps_the_law(make: impl AsyncFn() -> Arc<dyn AggregateStore>) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a test machine has a thread to give");
    cells::keep_the_law(&make, &runtime);
    asked_again::keep_the_law(&make, &runtime);
    users::keep_the_law(&make, &runtime);
    rebuilding::keep_the_law(&make, &runtime);
    runtime.block_on(async { whole_rebuilds::keep_the_law(&*make().await).await });
    runtime.block_on(async { users::the_largest_group_is_listed_first(&*make().await).await });
    runtime.block_on(rows::keep_the_law(&make));
}

/// Runs a law on random cases.
pub(super) fn check<S>(runtime: &Runtime, strategy: &S, law: impl AsyncFn(S::Value))
where
    S: proptest::strategy::Strategy,
{
    check_some(CASES, runtime, strategy, law);
}

/// The same on so many.
pub(super) fn check_some<S>(cases: u32, runtime: &Runtime, strategy: &S, law: impl AsyncFn(S::Value))
where
    S: proptest::strategy::Strategy,
{
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(strategy, |case| {
        runtime.block_on(law(case));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
