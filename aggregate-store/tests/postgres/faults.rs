//! Answers that are lost on their way.

use std::sync::Arc;
use std::time::Duration;

use aggregate_store::conformance::chunk_id;
use aggregate_store::{AggregateReads, AggregateStore, Batch, Committed};
use postgres_for_tests::{Postgres, Stop};
use service::task;
use tokio::sync::mpsc;

use crate::dice::Dice;
use crate::pings::{chunks, fold};
use crate::test_database::TestDatabase;

/// Ends the connection whose commit is written and not confirmed.
const CUT: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query = 'COMMIT' AND wait_event = 'SyncRep'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_was_lost_is_found_out_about_and_not_done_twice() {
    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    let place = TestDatabase::on(Arc::new(server));
    let store = place.open().await;
    let chunks = chunks(&mut Dice::new(5), 2);
    let plain = |plan: u64| Batch {
        seen: Vec::new(),
        ..fold(&[&chunks[&chunk_id(7, 1, plan)]], Vec::new())
    };
    let pings = plain(0).counters.folded + plain(1).counters.folded;
    // From now on a commit waits for a standby that does not come, when it is written already.
    place.server.stop(Stop::Fast);
    place.server.set_options(&["synchronous_standby_names=nobody"]);
    place.server.start_again();
    for in_parts in [false, true] {
        let batch = plain(u64::from(in_parts));
        let committing = task::spawn("committer", {
            let store = store.clone();
            async move {
                if !in_parts {
                    return store.commit(batch).await;
                }
                let (sender, parts) = mpsc::channel(1);
                sender.send(batch).await.expect("room");
                store.commit_parts(parts).await
            }
        });
        while place.server.sql(&place.database, CUT) == "0" {
            task::sleep(Duration::from_millis(20)).await;
        }
        let committed = committing.await.expect("it ended").expect("an answer");
        assert_eq!(committed, Committed::Written, "in parts: {in_parts}");
    }
    assert_eq!(store.status().await.expect("counters").counters.folded, pings);
    assert_eq!(store.folded_ids(None, 9).await.expect("chunks").len(), 2);
}
