//! What is there in the end, held against what was acknowledged and against the oracle.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc;

use crate::process::Process;
use crate::world::World;
use crate::{Chunks, Expected, Found};

/// Lines that a dump may have.
const DUMP_MAX: usize = 1 << 20;

/// What is wrong in the end.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Pings that were answered 200 and are in no chunk.
    pub lost: u64,
    /// Records that stand twice, or more often than their ping was sent.
    pub doubled: u64,
    /// Everything else, in words.
    pub wrong: Vec<String>,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub const fn is_fine(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.wrong.is_empty()
    }

    pub(crate) fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(what());
        }
    }
}

/// Judges what is there when everything is sealed, indexed and folded.
pub(crate) async fn judge(world: &World, process: &Process) -> Verdict {
    let mut verdict = Verdict::default();
    match crate::chunks(world.bare_store(&process.life).as_ref()).await {
        Ok(chunks) => {
            judge_records(&mut verdict, world, &chunks);
            judge_numbers(&mut verdict, process, &chunks).await;
            judge_aggregates(&mut verdict, process, &chunks).await;
        }
        Err(error) => verdict.wrong.push(error),
    }
    verdict
}

/// Each ping in exactly one chunk, by record; more often only if it was sent again for want of a 200.
fn judge_records(verdict: &mut Verdict, world: &World, chunks: &Chunks) {
    let mut ids = BTreeSet::new();
    let mut stored: BTreeMap<(&str, &[u8]), u64> = BTreeMap::new();
    for record in records(chunks) {
        verdict.doubled += u64::from(!ids.insert(record.id));
        *stored.entry((&record.uri, &record.body)).or_default() += 1;
    }
    let (pings, lines) = (world.pings.lock(), world.pings.lines());
    for sent in pings.iter().chain(lines.iter()) {
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
    let indexed = process.index.contains(&keys).await.expect("an answer");
    let status = process.reads.get().status().await.expect("a status");
    let records = records(chunks).count() as u64;
    let counters = status.counters;
    let accounted = counters.folded + counters.repeated + counters.stored_only + counters.errored_pings;
    let numbers = (
        edge.accepted,
        edge.waiting,
        edge.chunked,
        totals.records,
        u64::try_from(accounted).unwrap_or(u64::MAX),
    );
    verdict.expect(numbers == (records, 0, records, records, records), || {
        format!("{records} records; accepted, waiting, chunked, indexed, accounted for: {numbers:?}")
    });
    verdict.expect(
        totals.chunks == keys.len() as u64 && indexed.iter().all(|known| *known),
        || "a chunk is not indexed, or one is that is not there".to_owned(),
    );
    verdict.expect(totals.pending_chunks == 0, || "a chunk is not folded".to_owned());
    verdict.expect(totals.set_aside == 0 && edge.damaged == 0, || {
        format!("set aside: {}, damaged: {}", totals.set_aside, edge.damaged)
    });
}

/// The dump and the counters are what the slow oracle says.
async fn judge_aggregates(verdict: &mut Verdict, process: &Process, chunks: &Chunks) {
    let reads = process.reads.get();
    let status = reads.status().await.expect("a status");
    let (sender, mut receiver) = mpsc::channel(DUMP_MAX);
    reads.dump(sender).await.expect("a dump");
    let mut lines = Vec::new();
    receiver.recv_many(&mut lines, DUMP_MAX).await;
    let Expected {
        lines: expected,
        counters,
    } = crate::expected(records(chunks));
    let found: BTreeSet<String> = lines.iter().map(|line| crate::normal(line)).collect();
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
