//! Not checks but figures: `cargo test --release -p aggregate-store -- --ignored --nocapture figure`.

use service::clock::{Clock, SystemClock};

use super::world::World;
use crate::conformance::dump_of;
use crate::sqlite::tests::large_batch;
use crate::{
    AggregateReads, AggregateStore, CellQuery, Committed, Dimension, Filter, Kept, LayeredAggregates,
    Persisted, Source, SqliteAggregates,
};

const BATCHES: u64 = 5;

async fn ask(store: &LayeredAggregates, clock: &dyn Clock) {
    let query = CellQuery {
        source: Source::telemetry_main(),
        metric: "METRIC_7".to_owned(),
        filters: vec![
            Filter::is(Dimension::CHANNEL, "nightly"),
            Filter::is(Dimension::VERSION, "41"),
        ],
        label: None,
        processes: None,
        group_by: vec![Dimension::named(Dimension::BUILD_DATE)],
        by_process: false,
    };
    let start = clock.monotonic();
    let rows = store
        .series(&query, crate::Bounds::NONE)
        .await
        .expect("an answer")
        .rows
        .len();
    println!("  {rows} rows of a series in {:?}", clock.monotonic() - start);
    let start = clock.monotonic();
    let options = store
        .filter_options(&query.source, "nightly", "41", usize::MAX)
        .await
        .expect("an answer");
    let metrics = options.metrics.len();
    println!("  {metrics} metrics listed in {:?}", clock.monotonic() - start);
    let start = clock.monotonic();
    let lines = dump_of(store).await.len();
    println!("  {lines} lines dumped in {:?}", clock.monotonic() - start);
}

#[tokio::test]
#[ignore = "a figure, not a check"]
async fn a_figure_of_holding_reading_and_writing_large_batches() {
    let clock = SystemClock::shared();
    let (world, plain) = (World::new(), World::new());
    let store = world.start().await;
    for plan in 0..BATCHES {
        let batch = large_batch(plan);
        let (cells, start) = (batch.cells.len(), clock.monotonic());
        assert_eq!(store.hold(batch, 0).await.expect("held"), Kept::Held);
        let took = clock.monotonic() - start;
        println!(
            "{cells} cells held in {took:?}, {} bytes in all",
            store.held().bytes
        );
    }
    ask(&store, &*clock).await;
    let start = clock.monotonic();
    let persisted = store.persist().await.expect("written");
    assert!(matches!(persisted, Persisted::Written(_)));
    println!(
        "{BATCHES} batches written as a layer in {:?}",
        clock.monotonic() - start
    );
    ask(&store, &*clock).await;
    let without = SqliteAggregates::open(&plain.file()).expect("opens");
    let start = clock.monotonic();
    for plan in 0..BATCHES {
        let committed = without.commit(large_batch(plan)).await.expect("written");
        assert_eq!(committed, Committed::Written);
    }
    println!(
        "{BATCHES} batches written one by one in {:?}",
        clock.monotonic() - start
    );
}
