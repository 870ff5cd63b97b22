//! The law of every back end, whenever the layer is written.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use service::clock::HandClock;

use super::holding::{Holding, When};
use super::world::{WRITER, World};
use crate::conformance::every_back_end_keeps_the_law;
use crate::{AggregateStore, LayeredAggregates, SqliteAggregates};

fn keeps_the_law(when: impl Fn(u64) -> When) {
    let (world, made) = (World::new(), AtomicU64::new(0));
    every_back_end_keeps_the_law(async || {
        let number = made.fetch_add(1, Ordering::SeqCst);
        let file = world.folder.path().join(format!("{number}.sqlite"));
        let base = Arc::new(SqliteAggregates::open(&file).expect("the file opens"));
        let layered = LayeredAggregates::over(base, WRITER, HandClock::at_micros(0)).await;
        let store: Arc<dyn AggregateStore> =
            Arc::new(Holding::new(layered.expect("the file answers"), when(number)));
        store
    });
}

#[test]
fn a_layer_that_is_never_written_keeps_the_law() {
    keeps_the_law(|_| When::Never);
}

#[test]
fn a_layer_that_is_always_written_keeps_the_law() {
    keeps_the_law(|_| When::Always);
}

#[test]
fn a_layer_that_is_written_now_and_then_keeps_the_law() {
    keeps_the_law(When::NowAndThen);
}
