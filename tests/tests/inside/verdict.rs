//! Starts anew on what a dead process left, goes on to the end, and judges what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aggregate_store::{AggregateReads, AggregateStore};

use simulation::{Chunks, Expected, Found};

use crate::backwards::{self, dump};
use crate::client::Client;
use crate::life::Process;
use crate::world::World;

/// What is wrong in the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    /// Pings that were answered 200 and are in no chunk.
    pub(crate) lost: u64,
    /// Records that stand twice, or more often than their ping was sent.
    pub(crate) doubled: u64,
    /// Everything else, in words.
    pub(crate) wrong: Vec<String>,
}

impl Verdict {
    pub(crate) fn is_fine(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.wrong.is_empty()
    }

    fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(what());
        }
    }
}

/// Starts, has the client send again what was not answered 200, seals, reconciles, folds; then judges.
pub(crate) async fn go_on(world: &World, mut client: Client) -> Verdict {
    let mut verdict = Verdict::default();
    let process = match Process::start(world).await {
        Ok(process) => process,
        Err(error) => {
            verdict.wrong.push(format!("does not start: {error}"));
            return verdict;
        }
    };
    let all = 0..client.sent.len();
    let taken = client.send(&process.edge, &world.clock, all).await;
    verdict.expect(taken, || "a ping is refused after the start".to_owned());
    let sealed = tokio::time::timeout(Duration::from_secs(20), process.seal()).await;
    verdict.expect(sealed.is_ok(), || {
        format!("sealing does not end: {:?}", process.edge.status())
    });
    if process.reconcile().await.is_none() {
        verdict.wrong.push("died again".to_owned());
    }
    match simulation::chunks(world.bare_store().as_ref()).await {
        Ok(chunks) => {
            judge_records(&mut verdict, &client, &chunks);
            judge_numbers(&mut verdict, &process, &chunks).await;
            judge_aggregates(&mut verdict, world, &process, &chunks).await;
        }
        Err(error) => verdict.wrong.push(error),
    }
    process.end().await;
    verdict
}

/// Each ping in exactly one chunk, by record; more often only if it was sent again for want of a 200.
fn judge_records(verdict: &mut Verdict, client: &Client, chunks: &Chunks) {
    let mut ids = BTreeSet::new();
    let mut stored: BTreeMap<(&str, &[u8]), u64> = BTreeMap::new();
    for record in records(chunks) {
        verdict.doubled += u64::from(!ids.insert(record.id));
        *stored.entry((&record.uri, &record.body)).or_default() += 1;
    }
    for sent in &client.sent {
        let times = stored
            .remove(&(sent.uri.as_str(), sent.stored.as_slice()))
            .unwrap_or(0);
        verdict.lost += u64::from(sent.taken && times == 0);
        verdict.doubled += times.saturating_sub(sent.attempts);
    }
    verdict.expect(stored.is_empty(), || {
        format!("{} stored pings were never sent", stored.len())
    });
}

/// Every chunk indexed, folded once; the counters settle.
async fn judge_numbers(verdict: &mut Verdict, process: &Process, chunks: &Chunks) {
    let edge = process.edge.status();
    let totals = process.index.totals().await.expect("totals");
    let keys: Vec<String> = chunks.keys().cloned().collect();
    let ids: Vec<_> = chunks.values().map(|(id, _)| *id).collect();
    let indexed = process.index.contains(&keys).await.expect("an answer");
    let folded = process.aggregates.written(&ids).await.expect("an answer");
    let status = process.aggregates.status().await.expect("a status");
    let records = records(chunks).count() as u64;
    let counters = status.counters;
    let accounted = counters.folded + counters.repeated + counters.stored_only + counters.errored_pings;
    let numbers = (
        edge.accepted,
        edge.waiting,
        edge.chunked,
        totals.records,
        accounted as u64,
    );
    verdict.expect(numbers == (records, 0, records, records, records), || {
        format!("{records} records; accepted, waiting, chunked, indexed, accounted for: {numbers:?}")
    });
    verdict.expect(
        totals.chunks == keys.len() as u64 && indexed.iter().all(|known| *known),
        || "a chunk is not indexed, or one is that is not there".to_owned(),
    );
    verdict.expect(
        totals.pending_chunks == 0 && folded.iter().all(|known| *known),
        || "a chunk is not folded, or not written".to_owned(),
    );
    verdict.expect(totals.set_aside == 0 && edge.damaged == 0, || {
        format!("set aside: {}, damaged: {}", totals.set_aside, edge.damaged)
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
    let Expected {
        lines: expected,
        counters,
    } = simulation::expected(records(chunks));
    let found: BTreeSet<String> = lines.iter().map(|line| simulation::normal(line)).collect();
    verdict.expect(found == expected && found.len() == lines.len(), || {
        let odd: Vec<_> = found.symmetric_difference(&expected).take(2).collect();
        format!("the dump is not the oracle's: {odd:?}")
    });
    verdict.expect(status.counters == counters, || {
        format!("{:?}, the oracle says {counters:?}", status.counters)
    });
}

fn records(chunks: &Chunks) -> impl Iterator<Item = &Found> {
    chunks.values().flat_map(|(_, records)| records)
}
