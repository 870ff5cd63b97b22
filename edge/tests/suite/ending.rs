//! The end of an edge is bounded, whatever the store does.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use disk::SimulatedDisk;
use store::{ListPage, ObjectMeta, Payload, Put, Store, StoreError};
use tokio::sync::Notify;

use crate::support::*;

/// A store that never answers a put.
#[derive(Debug, Default)]
struct Silent {
    asked: Notify,
}

#[async_trait::async_trait]
impl Store for Silent {
    async fn put_if_absent(&self, _: &str, _: Payload) -> Result<Put, StoreError> {
        self.asked.notify_one();
        std::future::pending().await
    }

    async fn get(&self, _: &str) -> Result<Bytes, StoreError> {
        std::future::pending().await
    }

    async fn get_range(&self, _: &str, _: Range<u64>) -> Result<Bytes, StoreError> {
        std::future::pending().await
    }

    async fn get_tail(&self, _: &str, _: u64) -> Result<(Bytes, u64), StoreError> {
        std::future::pending().await
    }

    async fn head(&self, _: &str) -> Result<Option<ObjectMeta>, StoreError> {
        std::future::pending().await
    }

    async fn list(&self, _: &str, _: Option<&str>, _: usize) -> Result<ListPage, StoreError> {
        std::future::pending().await
    }

    async fn delete(&self, _: &str) -> Result<(), StoreError> {
        std::future::pending().await
    }
}

#[test]
fn a_store_that_never_answers_does_not_hold_up_the_end_and_the_next_start_goes_on() {
    run(async {
        let (disk, silent) = (SimulatedDisk::new(), Arc::new(Silent::default()));
        let running = open_simulated(&disk, silent.clone(), limits())
            .await
            .expect("opens");
        for number in 0..5 {
            submit(&running.edge, number, "release", b"{}")
                .await
                .expect("taken");
        }
        running.edge.seal_all();
        silent.asked.notified().await;
        assert!(comes_to_pass(running.edge.shutdown(false)).await);
        let store = memory();
        let running = open_simulated(&disk.kill(), Arc::clone(&store), limits())
            .await
            .expect("opens");
        running.edge.shutdown(true).await;
        assert_chunked(store.as_ref(), &(0..5).collect()).await;
    });
}
