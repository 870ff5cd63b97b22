//! The indexer as a process, for those without Lambda: fed from a queue, and emptying a dead-letter queue.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::aws::World;
use tests::{Member, SmallPing};

use crate::PROGRAM;

const PINGS: u64 = 12;

/// Posts pings, and waits until they are in chunks; the names of those chunks.
fn post(world: &World, edge: &Member) -> Vec<String> {
    for number in 0..PINGS {
        let ping = SmallPing::numbered(number);
        let answer = edge.client().post(&ping.uri(), &[], &ping.body());
        assert_eq!(answer.expect("an answer").status, 200);
    }
    world
        .deployment
        .wait("the pings to be in chunks", edge.nothing_waits());
    let mut objects = world.objects();
    objects.retain(|name| name.starts_with("pings/"));
    assert!(!objects.is_empty(), "there are chunks");
    objects
}

/// All that was posted is counted, once.
fn judge(query: &Member) {
    let counts = |status: &Value| ["folded", "repeated", "indexed"].map(|name| status[name].as_u64());
    let status = query.wait_for("all pings to be counted", |status| {
        counts(status)[0] >= Some(PINGS)
    });
    assert_eq!(counts(&status), [Some(PINGS), Some(0), Some(PINGS)], "{status}");
}

#[test]
fn without_a_lambda_the_indexer_takes_what_s3_announces_from_a_queue_and_all_pings_are_counted() {
    let Some(world) = World::deploy(PROGRAM, "queue", &[]) else {
        return;
    };
    let queue = world.create_queue("announced");
    world.deployment.notify(Some(&queue));
    let mut indexer = world.indexer("indexer", &queue);
    let edge = world.edge("edge");
    let _aggregator = world.aggregate("aggregate");
    let query = world.query("query");
    let chunks: BTreeSet<String> = post(&world, &edge).into_iter().collect();
    judge(&query);
    // S3's test of the notification was in it, too.
    world.deployment.wait("every message to be done", || {
        world.deployment.messages_in(&queue) == 0
    });
    let log = indexer.log();
    for chunk in &chunks {
        assert!(log.contains(chunk), "the process says what it indexed: {log}");
    }
    assert_eq!(
        world.deployment.outcomes(),
        [] as [Value; 0],
        "the Lambda was told nothing"
    );
    let (_, said) = world.run(&["reconcile"]);
    assert!(said.contains(" 0 were missing"), "{said}");

    // What is no notification is left for the queue to move away.
    world.deployment.send(&queue, "no notification");
    world.deployment.wait("the process to look at it", || {
        indexer.log().contains("a message is left in the queue")
    });
    assert_eq!(world.deployment.messages_in(&queue), 1);
    indexer.terminate();
}

#[test]
fn a_redrive_indexes_what_dead_letters_announce_and_leaves_what_nobody_can_read() {
    let Some(world) = World::deploy(PROGRAM, "redrive", &[]) else {
        return;
    };
    let deployment = &world.deployment;
    deployment.set_notifications(false);
    let edge = world.edge("edge");
    let _aggregator = world.aggregate("aggregate");
    let query = world.query("query");
    let chunks = post(&world, &edge);
    let unreadable = chunks[0].replace(".zst", "0.zst");
    world.put_object(&unreadable, "no chunk");
    let letters = deployment.output("DeadLetterQueue");
    // Each chunk from S3, all of them once more by way of SNS, and one that is gone.
    for chunk in &chunks {
        let notification = world.notification(std::slice::from_ref(chunk));
        deployment.send(letters, &notification.to_string());
    }
    let all = world.notification(&chunks).to_string();
    deployment.send(
        letters,
        &json!({"Type": "Notification", "Message": all}).to_string(),
    );
    let others = world.notification(&[unreadable.clone(), chunks[0].replace(".zst", "1.zst")]);
    deployment.send(letters, &others.to_string());
    deployment.send(letters, "no notification");

    let (is_empty, left, said) = world.try_run(&["index", "redrive", "--queue", letters]);
    assert!(!is_empty, "one cannot be read: {said}");
    let done = format!("{} messages were done with and deleted", chunks.len() + 2);
    assert!(said.contains(&done) && said.contains(", 1 are left"), "{said}");
    assert!(
        left.lines().count() == 1 && left.contains("could not be read"),
        "{left}"
    );
    assert_eq!(deployment.messages_in(letters), 1);
    judge(&query);
    let aside = world.sql("SELECT object_key FROM highwater.unreadable");
    assert_eq!(
        aside.trim(),
        unreadable,
        "it is noted, so its message is done with"
    );

    // Again: the one that is left is seen at once, and left again.
    let (is_empty, again, said) = world.try_run(&["index", "redrive", "--queue", letters]);
    assert_eq!((is_empty, again), (false, left), "{said}");
    world.purge_queue(letters);
    let (is_empty, left, said) = world.try_run(&["index", "redrive", "--queue", letters]);
    assert!(
        is_empty && left.is_empty() && said.contains("0 are left"),
        "{said}"
    );
}
