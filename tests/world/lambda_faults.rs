//! What S3 announces comes never, twice, late, in another order, or of objects that are gone; the Lambda is cut off in the
//! middle. All acknowledged pings are counted once all the same.

use std::collections::BTreeSet;

use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use tests::aws::World;
use tests::{Member, SmallPing};

use crate::PROGRAM;

/// Pings that one call of [`Line::post`] posts.
const BATCH: u64 = 5;

/// A deployed stack, one edge, one aggregator, and who answers.
struct Line {
    world: World,
    edge: Member,
    query: Member,
    aggregator: Member,
    posted: u64,
    announced: BTreeSet<String>,
}

impl Line {
    fn up(stack: &str) -> Option<Self> {
        let parameters = [
            ("BatchWindowSeconds", "1"),
            ("TimeoutSeconds", "10"),
            ("QueueVisibilitySeconds", "12"),
        ];
        let world = World::deploy(PROGRAM, stack, &parameters)?;
        Some(Self {
            edge: world.edge("edge"),
            aggregator: world.aggregate("aggregate"),
            query: world.query("query"),
            world,
            posted: 0,
            announced: BTreeSet::new(),
        })
    }

    /// Posts a few pings, and waits until they are in chunks; the names of those chunks.
    fn post(&mut self) -> Vec<String> {
        for number in self.posted..self.posted + BATCH {
            let ping = SmallPing::numbered(number);
            let answer = self.edge.client().post(&ping.uri(), &[], &ping.body());
            assert_eq!(answer.expect("an answer").status, 200);
        }
        self.posted += BATCH;
        let edge = &self.edge;
        self.world
            .deployment
            .wait("the pings to be in chunks", edge.nothing_waits());
        let objects = self.world.objects().into_iter();
        let new: Vec<String> = objects
            .filter(|name| name.starts_with("pings/") && !self.announced.contains(name))
            .collect();
        assert!(!new.is_empty(), "there are new chunks");
        self.announced.extend(new.iter().cloned());
        new
    }

    /// All that was posted is counted, once.
    fn judge(&self) {
        let all = |status: &Value| {
            let counted = ["folded", "repeated"].map(|name| status[name].as_u64().unwrap_or(0));
            counted.iter().sum::<u64>() >= self.posted
        };
        let status = self.query.wait_for("all pings to be counted", all);
        assert_eq!(
            (&status["folded"], &status["repeated"], &status["indexed"]),
            (&json!(self.posted), &json!(0), &json!(self.posted)),
            "{status}"
        );
        let (_, said) = self.world.run(&["reconcile"]);
        assert!(said.contains("0 were missing"), "{said}");
        assert_eq!(self.world.deployment.messages("DeadLetterQueue"), 0);
    }

    fn wait_for_silence(&self) {
        self.world.deployment.wait("every message to be done", || {
            self.world.deployment.messages("ChunkQueue") == 0
        });
    }
}

#[test]
fn events_that_never_come_are_made_good_by_the_comparison() {
    let Some(mut line) = Line::up("dropped") else {
        return;
    };
    line.world.deployment.set_notifications(false);
    let chunks = line.post();
    line.world.deployment.set_notifications(true);
    let compared = line.world.deployment.invoke(&json!({"highwater": "reconcile"}));
    assert_eq!(
        compared.payload["added"],
        json!(chunks.len()),
        "{}",
        compared.payload
    );
    line.judge();
}

#[test]
fn events_may_come_twice_late_and_in_another_order() {
    let Some(mut line) = Line::up("order") else { return };
    line.world.deployment.set_notifications(false);
    let (first, second, third) = (line.post(), line.post(), line.post());
    // Delayed past the seal of all later chunks, the last before the first, and some of them twice.
    for chunks in [&third, &second, &third, &first, &second] {
        line.world.announce(chunks);
    }
    line.wait_for_silence();
    line.judge();
    let (all, twice) = (
        first.len() + second.len() + third.len(),
        second.len() + third.len(),
    );
    let deployment = &line.world.deployment;
    let outcomes =
        deployment.wait_for_outcomes("a line for each event", |outcomes| outcomes.len() >= all + twice);
    let count = |outcome: &str| {
        outcomes
            .iter()
            .filter(|fields| fields["outcome"] == outcome)
            .count()
    };
    assert_eq!((count("added"), count("known")), (all, twice));
}

#[test]
fn an_event_of_an_object_that_is_gone_holds_up_no_other() {
    let Some(mut line) = Line::up("gone") else { return };
    line.world.deployment.set_notifications(false);
    let mut chunks = line.post();
    let gone = chunks[0].replace(".zst", "0.zst");
    assert!(!chunks.contains(&gone));
    chunks.insert(0, gone);
    line.world.announce(&chunks);
    line.wait_for_silence();
    line.judge();
}

#[test]
fn a_lambda_that_is_frozen_past_its_time_out_is_replaced_and_its_messages_come_again() {
    let Some(mut line) = Line::up("frozen") else {
        return;
    };
    line.post();
    line.judge();
    let frozen = line.world.functions();
    assert!(!frozen.is_empty(), "the function runs as a process");
    for id in &frozen {
        kill_process(*id, Signal::STOP).expect("it runs");
    }
    line.post();
    line.judge();
    let logs = line.world.deployment.logs().join("\n");
    let alive = line.world.functions();
    assert!(
        alive.iter().any(|id| !frozen.contains(id)),
        "another process took its place: {logs}"
    );
    for id in frozen.iter().filter(|id| alive.contains(id)) {
        kill_process(*id, Signal::CONT).expect("it is frozen");
    }
}

#[test]
fn a_lambda_that_is_killed_after_its_insert_finds_it_done_when_the_message_comes_again() {
    let Some(mut line) = Line::up("killed") else {
        return;
    };
    line.post();
    line.judge();
    // A commit is written, and waits for a standby that never comes: so it is done, and nobody was told.
    let waits = |line: &Line, standby: &str| {
        line.world.sql(&format!(
            "ALTER SYSTEM SET synchronous_standby_names = '{standby}'"
        ));
        line.world.sql("SELECT pg_reload_conf()");
    };
    line.world.deployment.set_notifications(false);
    let chunks = line.post();
    // Its commits would wait, too.
    line.aggregator.terminate();
    waits(&line, "nobody");
    line.world.announce(&chunks);
    let waiting =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query ILIKE '%commit%'";
    line.world
        .deployment
        .wait("the commit to be written", || line.world.sql(waiting) != "0");
    for id in line.world.functions() {
        kill_process(id, Signal::KILL).expect("it runs");
    }
    waits(&line, "");
    line.aggregator
        .start_again()
        .unwrap_or_else(|end| panic!("{end}"));
    line.wait_for_silence();
    line.judge();
    let is_known = |fields: &&Value| {
        fields["outcome"] == "known" && chunks.iter().any(|chunk| fields["key"] == chunk.as_str())
    };
    let known = |outcomes: &[Value]| outcomes.iter().filter(is_known).count();
    let deployment = &line.world.deployment;
    let outcomes =
        deployment.wait_for_outcomes("all to be known", |outcomes| known(outcomes) >= chunks.len());
    assert_eq!(known(&outcomes), chunks.len(), "{outcomes:?}");
}
