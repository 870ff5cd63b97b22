//! Commands that reach store, index and aggregates of many processes, from a place without a data directory.

use serde_json::{Value, json};
use tests::SmallPing;
use tests::aws::World;

use crate::PROGRAM;

const PINGS: u64 = 12;

/// A day long ago, and pings of it.
const OLD_DAY: &str = "20170131";
const OLD: u64 = 3;

#[test]
fn pings_status_and_retention_reach_what_many_processes_share() {
    let Some(world) = World::deploy(PROGRAM, "commands", &[("BatchWindowSeconds", "1")]) else {
        return;
    };
    let mut edge = world.edge("edge");
    let mut aggregator = world.aggregate("aggregate");
    let mut query = world.query("query");
    for number in 0..PINGS {
        let ping = SmallPing::numbered(number);
        let answer = edge.client().post(&ping.uri(), &[], &ping.body());
        assert_eq!(answer.expect("an answer").status, 200);
    }
    import_old(&world);
    let all = |status: &Value| status["folded"] == PINGS + OLD;
    query.wait_for("all of them to be folded", all);

    let databases = ["--aggregates", world.index()];
    let run = |arguments: &[&str]| world.run(&[arguments, &databases].concat());
    assert_eq!(lines(&world.run(&["pings"]).0), PINGS + OLD);
    assert_eq!(lines(&world.run(&["pings", "--submission-date", OLD_DAY]).0), OLD);
    assert_eq!(lines(&run(&["pings", "--errors"]).0), 0);
    let status: Value = serde_json::from_str(&run(&["status", "--json"]).0).expect("JSON");
    assert_eq!(
        (
            &status["folded"],
            &status["indexed"],
            &status["verdicts"][0]["name"]
        ),
        (&json!(PINGS + OLD), &json!(PINGS + OLD), &json!("shared")),
        "{status}"
    );

    let objects = world.objects();
    let (_, said) = run(&["retain", "--keep-pings", "30d", "--dry-run"]);
    assert!(said.contains(&format!("chunks with {OLD} pings")), "{said}");
    assert_eq!(world.objects(), objects, "nothing went");
    let (_, said) = run(&["retain", "--keep-pings", "30d", "--yes"]);
    assert!(said.contains(&format!("chunks with {OLD} pings")), "{said}");
    let kept: Vec<String> = world.objects();
    assert!(kept.iter().all(|key| !key.contains(OLD_DAY)), "{kept:?}");
    assert_eq!(lines(&world.run(&["pings"]).0), PINGS);

    let chunk = kept
        .iter()
        .find(|key| key.contains("pings/v1/"))
        .expect("one is left");
    let (_, said) = run(&["forget-chunk", chunk, "--why", "a test"]);
    assert!(said.contains("its pings are in the aggregates"), "{said}");
    assert!(!world.objects().contains(chunk));

    // What is kept of days whose pings went stays, and what was forgotten is counted no more.
    let (_, said) = run(&["rebuild"]);
    assert!(said.contains("everything is folded anew"), "{said}");
    query.wait_for("the forgotten pings to be in no number", |status| {
        status["folded"] == OLD
    });
    run(&["replay-errors"]);

    refusals(&world);
    query.terminate();
    aggregator.terminate();
    edge.terminate();
}

/// What cannot be right is refused, and nothing is made.
fn refusals(world: &World) {
    let other = world.postgres.tcp_url(&world.postgres.database());
    let (ended_well, _, said) =
        world.try_run(&["query", "--api-listen", "127.0.0.1:0", "--aggregates", &other]);
    assert!(
        !ended_well && said.contains("are folded into other aggregates"),
        "{said}"
    );
    let (ended_well, _, said) = world.try_run(&["retain"]);
    assert!(
        !ended_well && said.contains("highwater-data is no data directory"),
        "{said}"
    );
    let empty = tempfile::tempdir().expect("a folder");
    let folder = empty.path().to_str().expect("a text");
    let (ended_well, _, said) = world.try_run(&["retain", "--data-dir", folder]);
    assert!(!ended_well && said.contains("is no data directory"), "{said}");
    assert_eq!(empty.path().read_dir().expect("there").count(), 0);
    let (ended_well, _, said) = world.try_run(&["pings", "--submission-date", "2017-01-31"]);
    assert!(!ended_well && said.contains("YYYYMMDD"), "{said}");
}

/// Brings pings of a day long ago into the shared store, by an import.
fn import_old(world: &World) {
    let pings = (0..OLD).map(|number| {
        let ping = SmallPing::numbered(1_000 + number);
        let body: Value = serde_json::from_slice(&ping.body()).expect("JSON");
        json!({ "submissionDate": OLD_DAY, "uri": ping.uri(), "body": body }).to_string()
    });
    let lines = pings.collect::<Vec<_>>().join("\n") + "\n";
    let file = world.write("old.ndjson", &lines);
    world.run_alone("old", &["import", &file]);
}

fn lines(text: &str) -> u64 {
    text.lines().count() as u64
}
