//! Any order of holding, writing, crashing and starting again gives the sums of what was folded.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use sketch::Cell;

use super::world::{World, batch};
use crate::conformance::{Oracle, any_additions, chunk_id, dump_of, sources};
use crate::{AggregateReads, AggregateStore, CellKey, Committed, Kept, LayeredAggregates, Persisted};

#[derive(Clone, Copy, Debug)]
enum Step {
    Hold,
    Commit,
    Persist,
    Crash,
}

/// A process over a world; it folds the chunks that are pending, in their order.
struct Life {
    world: World,
    layered: Arc<LayeredAggregates>,
    chunks: Vec<Vec<(CellKey, Cell)>>,
    pending: VecDeque<usize>,
    folded: BTreeSet<usize>,
}

impl Life {
    async fn new(chunks: Vec<Vec<(CellKey, Cell)>>) -> Self {
        let world = World::new();
        Self {
            layered: world.start().await,
            pending: (0..chunks.len()).collect(),
            folded: BTreeSet::new(),
            chunks,
            world,
        }
    }

    async fn act(&mut self, step: Step) {
        match step {
            Step::Hold | Step::Commit => {
                let Some(number) = self.pending.pop_front() else {
                    return;
                };
                let batch = batch(number as u64, &self.chunks[number]);
                if matches!(step, Step::Hold) {
                    let kept = self.layered.hold(batch, 0).await.expect("it is held");
                    assert_eq!(kept, Kept::Held);
                } else {
                    let committed = self.layered.commit(batch).await.expect("it is written");
                    assert_eq!(committed, Committed::Written);
                }
                self.folded.insert(number);
            }
            Step::Persist => {
                let persisted = self.layered.persist().await.expect("it is written");
                assert!(!matches!(persisted, Persisted::Dropped(_)), "{persisted:?}");
            }
            Step::Crash => self.start_again().await,
        }
    }

    /// What was held is gone, and pending again, the last first.
    async fn start_again(&mut self) {
        self.layered = self.world.start().await;
        let ids: Vec<_> = (0..self.chunks.len() as u64)
            .map(|plan| chunk_id(1, 1, plan))
            .collect();
        let written = self.layered.written(&ids).await.expect("an answer");
        for (number, written) in written.into_iter().enumerate() {
            if !written && self.folded.remove(&number) {
                self.pending.push_front(number);
            }
        }
    }

    async fn check(&self) {
        let folded: Vec<_> = self
            .folded
            .iter()
            .flat_map(|number| self.chunks[*number].clone())
            .collect();
        let lines = dump_of(&*self.layered).await;
        assert_eq!(Oracle::of_dump(&lines), Oracle::of(&folded));
        let status = self.layered.status().await.expect("the counters");
        assert_eq!(status.counters.folded, self.folded.len() as i64);
        for source in sources() {
            let channels = self.layered.channels(&source, usize::MAX).await;
            assert_eq!(
                channels.expect("channels").values,
                Oracle::of(&folded).channels(&source)
            );
        }
    }
}

#[test]
fn any_order_of_holding_writing_and_crashing_gives_the_same_sums() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let steps = select(vec![
        Step::Hold,
        Step::Hold,
        Step::Hold,
        Step::Commit,
        Step::Persist,
        Step::Crash,
    ]);
    let cases = (
        prop::collection::vec(any_additions(), 1..8),
        prop::collection::vec(steps, 1..25),
    );
    let config = Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&cases, |(chunks, steps)| {
        runtime.block_on(async {
            let mut life = Life::new(chunks).await;
            for step in steps {
                life.act(step).await;
                life.check().await;
            }
            while !life.pending.is_empty() {
                life.act(Step::Hold).await;
            }
            life.check().await;
            let held = dump_of(&*life.layered).await;
            life.act(Step::Persist).await;
            assert_eq!(dump_of(&**life.layered.base()).await, held, "byte by byte");
            life.act(Step::Crash).await;
            life.check().await;
        });
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
