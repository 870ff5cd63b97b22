//! Two edges, the deployed Lambda, two aggregators that share the work, and one process that answers.

use serde_json::{Value, json};
use tests::aws::World;
use tests::{Member, SmallPing};

use crate::PROGRAM;

/// Enough for chunks of many shards.
const PINGS: u64 = 120;

#[test]
fn two_aggregators_share_what_the_deployed_lambda_indexes_and_each_ping_counts_once() {
    let parameters = [("BatchWindowSeconds", "1")];
    let Some(world) = World::deploy(PROGRAM, "side-by-side", &parameters) else {
        return;
    };
    let mut edges = ["north", "south"].map(|name| world.edge(name));
    let mut aggregators = ["east", "west"].map(|name| world.aggregate(name));
    let mut query = world.query("query");
    let post = |number: u64, edge: usize| {
        let ping = SmallPing {
            version: format!("{}.0a1", 50 + number % 40),
            ..SmallPing::numbered(number)
        };
        let answer = edges[edge].client().post(&ping.uri(), &[], &ping.body());
        assert_eq!(answer.expect("an answer").status, 200);
    };
    for number in 0..PINGS {
        post(number, (number % 2) as usize);
        // Every third comes again, to the other edge.
        if number % 3 == 0 {
            post(number, ((number + 1) % 2) as usize);
        }
    }
    let repeats = PINGS.div_ceil(3);
    let all = |status: &Value| {
        let counted = ["folded", "repeated"].map(|name| status[name].as_u64().unwrap_or(0));
        counted.iter().sum::<u64>() == PINGS + repeats
    };
    let status = query.wait_for("all of them to be folded", all);
    assert_eq!(
        (&status["folded"], &status["repeated"]),
        (&json!(PINGS), &json!(repeats)),
        "{status}"
    );
    let folded = |member: &Member| member.metric("highwater_aggregator_chunks_total").unwrap_or(0.0);
    let shares = aggregators.each_ref().map(folded);
    assert!(
        shares.iter().all(|chunks| *chunks > 0.0),
        "both have folded: {shares:?}"
    );

    // Once more by a process of its own, into aggregates of its own, in SQLite.
    let (printed, _) = world.run(&["dump", "--aggregates", world.index()]);
    let (_, said) = world.run_alone("alone", &["reconcile"]);
    assert!(!said.contains(" 0 were missing"), "its index was empty: {said}");
    let (alone, _) = world.run_alone("alone", &["dump"]);
    assert!(printed.lines().count() > 40, "{printed}");
    assert_eq!(printed, alone, "two back ends, folded in another order");

    let target = "/aggregates_by/build_id/channels/nightly/?version=57&dates=20170130&metric=GC_MS";
    let answer = query.client().get(target).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let of_57 = (0..PINGS).filter(|number| 50 + number % 40 == 57).count();
    // Each of these pings says 9 ms in three values.
    assert_eq!(answer.json()["data"][0]["sum"], json!(9 * of_57));
    query.terminate();
    aggregators.iter_mut().for_each(Member::terminate);
    edges.iter_mut().for_each(Member::terminate);
}
