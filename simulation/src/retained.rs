//! What is there in the end where some of it was deleted, held against what was acknowledged and against the oracle.

use std::collections::BTreeSet;

use aggregate_store::{AggregateStore, Counters};
use edge::EdgeStatus;
use index_schema::{ChunkKey, Floors, RetainIndex};
use ping::{ChunkId, RecordId, Submission, SubmissionDate};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::retaining::date;
use crate::verdict::{DUMP_MAX, records};
use crate::{Chunks, Days, Deletions, Found, Sent, Verdict};

/// Of so many earlier copies all choices are tried.
const EARLIER_MAX: usize = 6;

/// What is left, and what went.
#[derive(Debug)]
pub struct Left<'a> {
    /// What the edge says.
    pub edge: EdgeStatus,
    /// The index, without its gate.
    pub index: &'a dyn RetainIndex,
    /// The aggregates in use, without their gate, and with nothing in memory only.
    pub aggregates: &'a dyn AggregateStore,
    /// All chunks that are there.
    pub present: Chunks,
    /// What was deleted.
    pub deletions: &'a Deletions,
    /// What is known of days, and which one is today.
    pub days: (&'a Days, SubmissionDate),
}

impl Verdict {
    /// Every acknowledged ping was in exactly one chunk; what is there is indexed and folded once, or lies below a floor; what
    /// went was old enough; the aggregates above the floor are what the oracle says of everything that was folded.
    ///
    /// # Panics
    /// When index or aggregates do not answer.
    pub async fn judge_retained<'a>(&mut self, sent: impl IntoIterator<Item = &'a Sent>, left: &Left<'_>) {
        let deleted = left.deletions.chunks();
        self.wrong.extend(left.deletions.wrong());
        for (key, chunk) in &left.present {
            self.expect(deleted.get(key).is_none_or(|was| was == chunk), || {
                format!("another object has the key {key} than the one that was deleted")
            });
        }
        let ever: Chunks = deleted.into_iter().chain(left.present.clone()).collect();
        self.judge_records(sent, &ever);
        let floors = left.index.floors().await.expect("floors");
        self.judge_index(left, &floors).await;
        self.judge_folded(left, &floors, &ever).await;
    }

    /// What is there is indexed, or was refused below a floor that is right.
    async fn judge_index(&mut self, left: &Left<'_>, floors: &Floors) {
        let keys: Vec<ChunkKey> = left.present.keys().map(|key| parsed(key)).collect();
        let (admitted, below): (Vec<_>, Vec<_>) =
            keys.iter().partition(|key| floors.admit(key.kind, date(key)));
        let indexed: Vec<String> = admitted.iter().map(ToString::to_string).collect();
        let known = left.index.contains(&indexed).await.expect("an answer");
        let totals = left.index.totals().await.expect("totals");
        let numbers = (totals.chunks, totals.refused_chunks);
        // What went as old and is there again, by a put that nobody waited for any more, was counted as it went.
        let deleted = left.deletions.chunks();
        let never = |key: &&&ChunkKey| !deleted.contains_key(&key.to_string());
        let refused = below.iter().filter(never).count() as u64;
        self.expect(
            numbers == (admitted.len() as u64, refused) && known.iter().all(|known| *known),
            || {
                format!(
                    "indexed and refused {numbers:?}; there are {} above the floors {floors:?} and {refused} below",
                    admitted.len()
                )
            },
        );
        let (days, today) = left.days;
        for key in below {
            // What came under a clock that was far behind may be below a floor that is right; an alarm tells of it.
            let by_right_clock = date(key) >= days.first;
            let young = by_right_clock.then(|| days.may_go(key, today).err()).flatten();
            self.wrong
                .extend(young.map(|why| format!("{key} was not indexed: {why}")));
        }
        self.expect(totals.pending_chunks == 0, || "a chunk is not folded".to_owned());
        self.expect(totals.set_aside == 0 && left.edge.damaged == 0, || {
            format!("set aside: {}, damaged: {}", totals.set_aside, left.edge.damaged)
        });
    }

    /// Numbers, and aggregates.
    async fn judge_folded(&mut self, left: &Left<'_>, floors: &Floors, ever: &Chunks) {
        let ids: Vec<ChunkId> = ever.values().map(|(id, _)| *id).collect();
        let written = left.aggregates.written(&ids).await.expect("an answer");
        let written: BTreeSet<ChunkId> = ids
            .iter()
            .zip(written)
            .filter_map(|(id, is)| is.then_some(*id))
            .collect();
        for (key, (id, _)) in &left.present {
            let key = parsed(key);
            self.expect(written.contains(id) || !floors.fold(key.kind, date(&key)), || {
                format!("{key} is not folded")
            });
        }
        let folded: Chunks = ever
            .iter()
            .filter(|(_, (id, _))| written.contains(id))
            .map(|(key, chunk)| (key.clone(), chunk.clone()))
            .collect();
        let (totals, counters) = (
            left.index.totals().await.expect("totals"),
            left.aggregates.status().await.expect("a status").counters,
        );
        let all = records(ever).count() as u64;
        let accounted = counters.folded + counters.repeated + counters.stored_only + counters.errored_pings;
        let numbers = (
            left.edge.accepted,
            left.edge.waiting,
            left.edge.chunked,
            totals.records_ever(),
            u64::try_from(accounted).unwrap_or(u64::MAX) + totals.unfolded_records,
        );
        self.expect(numbers == (all, 0, all, all, all), || {
            format!(
                "{all} records ever; accepted, waiting, chunked, indexed ever, accounted for: {numbers:?}"
            )
        });
        let (sender, mut receiver) = mpsc::channel(DUMP_MAX);
        left.aggregates.dump(sender).await.expect("a dump");
        let mut dump = Vec::new();
        receiver.recv_many(&mut dump, DUMP_MAX).await;
        let found: BTreeSet<String> = dump.iter().map(|line| crate::normal(line)).collect();
        self.expect(found.len() == dump.len(), || {
            "a line of the dump stands twice".to_owned()
        });
        let wrong = |errored: &[RecordId]| {
            let records = records(&folded).filter(|record| !errored.contains(&record.id));
            let expected = crate::expected(records);
            // Chunks of errored pings that are deleted are forgotten; their number is what the sum above leaves.
            if of_pings(&counters) != of_pings(&expected.counters) {
                return Some(format!("{counters:?}, the oracle says {:?}", expected.counters));
            }
            let above = |line: &String| is_above(line, floors.aggregates);
            let expected: BTreeSet<String> = expected.lines.into_iter().filter(above).collect();
            let odd: Vec<_> = found.symmetric_difference(&expected).take(2).collect();
            let floor = floors.aggregates;
            (found != expected).then(|| format!("the dump is not the oracle's above {floor:?}: {odd:?}"))
        };
        if let Some(first) = wrong(&[]) {
            let mut others = subsets(&earlier_copies_left(&folded, &left.present, floors)).into_iter();
            self.expect(others.any(|errored| wrong(&errored).is_none()), || first);
        }
    }
}

/// Pings of which a later copy was folded, in chunks that are deleted or below the floor of aggregates. One of them may have been
/// errored, for that copy could not be read to be taken back, until its day was over: then the later copy counts for good.
fn earlier_copies_left(folded: &Chunks, present: &Chunks, floors: &Floors) -> Vec<RecordId> {
    let document = |record: &Found| Submission::parse(&record.uri).ok()?.document_key();
    let is_earlier = |record: &Found| {
        let key = document(record);
        key.is_some()
            && records(folded).any(|later| {
                document(later) == key && (later.received, later.id) > (record.received, record.id)
            })
    };
    let is_over = |key: &str| {
        let parsed = parsed(key);
        !present.contains_key(key) || !floors.fold(parsed.kind, date(&parsed))
    };
    let over = folded.iter().filter(|(key, _)| is_over(key));
    over.flat_map(|(_, (_, records))| records)
        .filter(|record| is_earlier(record))
        .map(|record| record.id)
        .take(EARLIER_MAX)
        .collect()
}

/// All choices of some of these.
fn subsets(of: &[RecordId]) -> Vec<Vec<RecordId>> {
    let chosen = |bits: usize| {
        let numbered = of.iter().enumerate();
        let in_it = numbered.filter(|(at, _)| bits >> at & 1 == 1);
        in_it.map(|(_, id)| *id).collect()
    };
    (1..1 << of.len()).map(chosen).collect()
}

const fn of_pings(counters: &Counters) -> (i64, i64, i64) {
    (counters.folded, counters.repeated, counters.stored_only)
}

/// Whether a line of a dump is of a day that is kept.
fn is_above(line: &str, floor: Option<SubmissionDate>) -> bool {
    let line: Value = serde_json::from_str(line).expect("a line of JSON");
    let day: SubmissionDate = line["submission_date"]
        .as_str()
        .and_then(|day| day.parse().ok())
        .expect("lines are of a day");
    floor.is_none_or(|floor| day >= floor)
}

fn parsed(key: &str) -> ChunkKey {
    ChunkKey::parse(key).expect("a chunk's key")
}
