//! What is there in the end, held against what was acknowledged and against the oracle.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use aggregate_store::Counters;
use edge::EdgeStatus;
use index_schema::Index;
use tokio::sync::mpsc;

use crate::process::Process;
use crate::promise::Promise;
use crate::world::World;
use crate::{Chunks, Found, Left, Sent};

/// Lines that a dump may have.
pub(crate) const DUMP_MAX: usize = 1 << 20;

/// What is wrong in the end.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Pings that were answered 200 and are in no chunk.
    pub lost: u64,
    /// Records that stand twice, or more often than their ping was sent.
    pub doubled: u64,
    /// Everything else, in words.
    pub wrong: Vec<String>,
    /// What may have been taken out of what is stored.
    pub(crate) promise: Promise,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub const fn is_fine(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.wrong.is_empty()
    }

    /// Notes what is wrong unless `holds`.
    pub fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(what());
        }
    }

    /// Each ping in exactly one chunk, by record; more often only if it was sent again for want of a 200.
    pub fn judge_records<'a>(&mut self, all_sent: impl IntoIterator<Item = &'a Sent>, chunks: &Chunks) {
        let mut ids = BTreeSet::new();
        let mut stored: BTreeMap<(&str, Cow<'_, [u8]>), u64> = BTreeMap::new();
        for record in records(chunks) {
            self.doubled += u64::from(!ids.insert(record.id));
            let left = self.promise.left_of(&record.body);
            *stored.entry((&record.uri, left)).or_default() += 1;
        }
        for sent in all_sent {
            let left = self.promise.left_of(&sent.stored);
            let times = stored.remove(&(sent.uri.as_str(), left)).unwrap_or(0);
            self.lost += u64::from(sent.taken && times == 0);
            self.doubled += times.saturating_sub(sent.attempts);
        }
        self.expect(stored.is_empty(), || {
            format!("{} stored pings were never sent", stored.len())
        });
        self.wrong.extend(self.promise.broken_by(chunks));
    }

    /// Every chunk indexed, folded once; the counters settle.
    ///
    /// # Panics
    /// When the index does not answer.
    pub async fn judge_numbers(
        &mut self,
        edge: &EdgeStatus,
        index: &dyn Index,
        counters: &Counters,
        chunks: &Chunks,
    ) {
        let totals = index.totals().await.expect("totals");
        let keys: Vec<String> = chunks.keys().cloned().collect();
        let indexed = index.contains(&keys).await.expect("an answer");
        let records = records(chunks).count() as u64;
        let accounted = counters.folded + counters.repeated + counters.stored_only + counters.errored_pings;
        let numbers = (
            edge.accepted,
            edge.waiting,
            edge.chunked,
            totals.records,
            u64::try_from(accounted).unwrap_or(u64::MAX),
        );
        self.expect(numbers == (records, 0, records, records, records), || {
            format!("{records} records; accepted, waiting, chunked, indexed, accounted for: {numbers:?}")
        });
        self.expect(
            totals.chunks == keys.len() as u64 && indexed.iter().all(|known| *known),
            || "a chunk is not indexed, or one is that is not there".to_owned(),
        );
        self.expect(totals.pending_chunks == 0, || "a chunk is not folded".to_owned());
        self.expect(totals.set_aside == 0 && edge.damaged == 0, || {
            format!("set aside: {}, damaged: {}", totals.set_aside, edge.damaged)
        });
    }

    /// The dump and the counters are what the slow oracle says.
    pub fn judge_aggregates(&mut self, dump: &[String], counters: &Counters, chunks: &Chunks) {
        let expected = crate::expected(records(chunks));
        let found: BTreeSet<String> = dump.iter().map(|line| crate::normal(line)).collect();
        self.expect(found == expected.lines && found.len() == dump.len(), || {
            let odd: Vec<_> = found.symmetric_difference(&expected.lines).take(2).collect();
            format!("the dump is not the oracle's: {odd:?}")
        });
        self.expect(*counters == expected.counters, || {
            format!("{counters:?}, the oracle says {:?}", expected.counters)
        });
    }
}

/// Judges what is there when everything is sealed, indexed and folded.
pub(crate) async fn judge(world: &World, process: &Process) -> Verdict {
    let mut verdict = Verdict {
        promise: world.plan.promise,
        ..Verdict::default()
    };
    let chunks = crate::chunks(world.bare_store(&process.life).as_ref()).await;
    match (chunks, world.days()) {
        (Ok(present), Some(days)) => {
            let sent: Vec<Sent> = {
                let (pings, lines) = (world.pings.lock(), world.pings.lines());
                pings.iter().chain(lines.iter()).cloned().collect()
            };
            let aggregates = process.aggregates.get();
            let left = Left {
                edge: process.edge.status(),
                index: process.index.as_ref(),
                aggregates: aggregates.as_ref(),
                present,
                deletions: &world.deletions,
                days: (&days, process.life.right_day()),
            };
            verdict.judge_retained(&sent, &left).await;
        }
        (Ok(chunks), None) => {
            {
                let (pings, lines) = (world.pings.lock(), world.pings.lines());
                verdict.judge_records(pings.iter().chain(lines.iter()), &chunks);
            }
            let (edge, reads) = (process.edge.status(), process.reads.get());
            let counters = reads.status().await.expect("a status").counters;
            verdict
                .judge_numbers(&edge, process.index.as_ref(), &counters, &chunks)
                .await;
            let (sender, mut receiver) = mpsc::channel(DUMP_MAX);
            reads.dump(sender).await.expect("a dump");
            let mut lines = Vec::new();
            receiver.recv_many(&mut lines, DUMP_MAX).await;
            verdict.judge_aggregates(&lines, &counters, &chunks);
        }
        (Err(error), _) => verdict.wrong.push(error),
    }
    verdict
}

pub(crate) fn records(chunks: &Chunks) -> impl Iterator<Item = &Found> {
    chunks.values().flat_map(|(_, records)| records)
}
