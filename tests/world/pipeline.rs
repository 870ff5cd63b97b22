//! Pings posted to two edges become numbers in the answers: S3 announces their chunks, the deployed Lambda indexes them, and
//! one process folds.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::aws::World;
use tests::{Member, SmallPing};

use crate::PROGRAM;

const PINGS: u64 = 24;

#[test]
fn pings_posted_to_two_edges_are_in_the_answers_and_the_deployed_lambda_indexed_them() {
    let parameters = [("StorePrefix", "below/this"), ("BatchWindowSeconds", "1")];
    let Some(world) = World::deploy(PROGRAM, "pipeline", &parameters) else {
        return;
    };
    let mut edges = ["north", "south"].map(|name| world.edge(name));
    // From a place without a data directory, which thereby does not come to fold the index.
    let (_, said) = world.run(&["reconcile"]);
    assert!(said.contains("0 chunks listed, 0 were missing"), "{said}");
    let serve = world.serve("serve").unwrap_or_else(|end| panic!("{end}"));
    let mut posted = 0;
    // The first comes twice, to another edge the second time.
    for (number, edge) in (0..PINGS).zip(edges.iter().cycle()).chain([(0, &edges[1])]) {
        let ping = SmallPing::numbered(number);
        let answer = edge.client().post(&ping.uri(), &[], &ping.body());
        assert_eq!(answer.expect("an answer").status, 200);
        posted += 1;
    }
    let status = serve.wait_for("all of them to be folded", |status| {
        ["folded", "repeated"]
            .iter()
            .filter_map(|name| status[name].as_u64())
            .sum::<u64>()
            == posted
    });
    assert_eq!(
        (&status["folded"], &status["repeated"]),
        (&json!(PINGS), &json!(1)),
        "{status}"
    );
    let target = "/aggregates_by/build_id/channels/nightly/?version=54&dates=20170130&metric=GC_MS";
    let answer = serve.api_client().get(target).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let point = &answer.json()["data"][0];
    // Each of these pings says 9 ms in three values.
    assert_eq!(
        (&point["count"], &point["sum"]),
        (&json!(PINGS), &json!(9 * PINGS))
    );

    let chunks: BTreeSet<String> = world
        .objects()
        .into_iter()
        .filter(|key| key.contains("/pings/v1/"))
        .collect();
    let added = |outcomes: &[Value]| -> BTreeSet<String> {
        let added = outcomes.iter().filter(|fields| fields["outcome"] == "added");
        added
            .filter_map(|fields| fields["key"].as_str().map(str::to_owned))
            .collect()
    };
    assert!(chunks.len() >= 2, "each edge made one at least: {chunks:?}");
    let outcomes = world
        .deployment
        .wait_for_outcomes("a line for each chunk", |outcomes| {
            added(outcomes).len() >= chunks.len()
        });
    assert_eq!(
        added(&outcomes),
        chunks,
        "what the Lambda says to have added is what lies in the bucket"
    );

    // Asked and compared from a place without a data directory.
    let (listed, _) = world.run(&["index", "query", "--channel", "nightly"]);
    let records: u64 = listed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .filter_map(|chunk| chunk["records"].as_u64())
        .sum();
    assert_eq!(records, posted, "{listed}");
    let (plan, _) = world.run(&["index", "query", "--version", "54", "--explain"]);
    assert!(plan.contains("Execution Time"), "{plan}");
    let (_, said) = world.run(&["reconcile"]);
    let expected = format!("{} chunks listed, 0 were missing", chunks.len());
    assert!(said.contains(&expected), "{said}");

    let end = world.serve("another").expect_err("the index is folded already");
    assert!(end.contains("run `highwater edge` here"), "{end}");
    serve.terminate();
    edges.iter_mut().for_each(Member::terminate);
}
