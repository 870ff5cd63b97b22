//! Starts anew on what a dead process left, goes on to the end, and judges what is there.

use std::time::Duration;

use aggregate_store::{AggregateReads, AggregateStore};
use simulation::{Chunks, Left, Verdict};

use crate::backwards::{self, dump};
use crate::client::Client;
use crate::life::Process;
use crate::world::World;

const DAY: Duration = Duration::from_secs(86_400);

/// Days looked at after the last ping.
const DAYS: u32 = 2;

/// Starts, has the client send again what was not answered 200, seals, reconciles, folds; then judges.
pub(crate) async fn go_on(world: &World, mut client: Client) -> Verdict {
    let mut verdict = Verdict::default();
    let Some(process) = begin(world, &mut client, &mut verdict).await else {
        return verdict;
    };
    if process.reconcile().await.is_none() {
        verdict.wrong.push("died again".to_owned());
    }
    match simulation::chunks(world.bare_store().as_ref()).await {
        Ok(chunks) => {
            verdict.judge_records(&client.sent, &chunks);
            judge_numbers(&mut verdict, &process, &chunks).await;
            judge_aggregates(&mut verdict, world, &process, &chunks).await;
        }
        Err(error) => verdict.wrong.push(error),
    }
    process.end().await;
    verdict
}

/// Starts, has the client send again what was not answered 200, and seals; none when it does not start.
async fn begin(world: &World, client: &mut Client, verdict: &mut Verdict) -> Option<Process> {
    let process = match Process::start(world).await {
        Ok(process) => process,
        Err(error) => {
            verdict.wrong.push(format!("does not start: {error}"));
            return None;
        }
    };
    let all = 0..client.sent.len();
    let taken = client.send(&process.edge, &world.clock, all).await;
    verdict.expect(taken, || "a ping is refused after the start".to_owned());
    let sealed = tokio::time::timeout(Duration::from_secs(20), process.seal()).await;
    verdict.expect(sealed.is_ok(), || {
        format!("sealing does not end: {:?}", process.edge.status())
    });
    Some(process)
}

/// The same where a day is kept: two days later what is old is deleted, and then it is judged.
pub(crate) async fn go_on_retaining(world: &World, mut client: Client) -> Verdict {
    let mut verdict = Verdict::default();
    let Some(process) = begin(world, &mut client, &mut verdict).await else {
        return verdict;
    };
    for _ in 0..=DAYS {
        let done = async {
            process.reconcile().await?;
            process.retain().await
        };
        let retained = done.await;
        verdict.expect(retained.is_some_and(|(all, _)| all), || {
            "not everything is deleted that may be".to_owned()
        });
        world.clock.advance(DAY);
    }
    match simulation::chunks(world.bare_store().as_ref()).await {
        Ok(present) => {
            let days = world.days.as_ref().expect("not all is kept");
            let left = Left {
                edge: process.edge.status(),
                index: process.index.as_ref(),
                aggregates: process.aggregates.base().as_ref(),
                present,
                deletions: &world.deletions,
                days: (days, world.right_day()),
            };
            verdict.judge_retained(&client.sent, &left).await;
        }
        Err(error) => verdict.wrong.push(error),
    }
    process.end().await;
    verdict
}

/// The numbers; and every chunk is not only folded, but written.
async fn judge_numbers(verdict: &mut Verdict, process: &Process, chunks: &Chunks) {
    let ids: Vec<_> = chunks.values().map(|(id, _)| *id).collect();
    let written = process.aggregates.written(&ids).await.expect("an answer");
    let status = process.aggregates.status().await.expect("a status");
    verdict
        .judge_numbers(
            &process.edge.status(),
            process.index.as_ref(),
            &status.counters,
            chunks,
        )
        .await;
    verdict.expect(written.iter().all(|known| *known), || {
        "a chunk is not written".to_owned()
    });
}

/// The dump equals that of all chunks folded anew in the opposite order, and both what the slow oracle says.
async fn judge_aggregates(verdict: &mut Verdict, world: &World, process: &Process, chunks: &Chunks) {
    let lines = dump(process.aggregates.base()).await;
    let status = process.aggregates.status().await.expect("a status");
    let (other_lines, other_status) = backwards::fold(world, chunks).await;
    verdict.expect(lines == other_lines, || {
        "the dump is not that of the chunks in another order".to_owned()
    });
    verdict.expect(status == other_status, || {
        format!("{status:?} is not {other_status:?}, which is that of another order")
    });
    verdict.judge_aggregates(&lines, &status.counters, chunks);
}
