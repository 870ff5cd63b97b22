//! Folding anew where store, index and aggregates are shared, beside aggregators that fold on.

use bytes::Bytes;
use serde_json::{Value, json};
use tests::{Member, SmallPing, free_address};

use crate::shared::{BUCKET, Shared};

const DECLARATION: &str = r"$highwater: product/1
sources: [inkpress/printer]
client_id: { path: /id }
dimensions:
  version: { path: /version, as: major }
metrics:
  printer:
    drawers: { type: quantity, path: /drawers }
";

/// A ping of the declared product, of one of three sites.
fn printer(number: u64) -> (String, Value) {
    let site = ["north", "south", "east"][usize::try_from(number % 3).expect("small")];
    let body = json!({
        "id": format!("p{}", number % 4), "version": format!("{}.1", number % 2), "drawers": number,
        "site": site,
    });
    (format!("/submit/inkpress/printer/1/{}", document(number)), body)
}

fn document(number: u64) -> String {
    format!("c0b1f5d2-83a4-4e0b-b6a9-{number:012x}")
}

/// A ping of Firefox's with so many labels of a metric, and filled up by so many bytes.
fn firefox(number: u64, labels: u64, filling: usize) -> (String, Value) {
    let mut ping = SmallPing::numbered(number);
    ping.version = format!("{}.0a1", 54 + number % 3);
    ping.filling = filling;
    let mut body = ping.json();
    let histogram = body["payload"]["histograms"]["GC_MS"].clone();
    for label in 0..labels {
        body["payload"]["keyedHistograms"]["K"][format!("label {label}")] = histogram.clone();
    }
    (ping.uri(), body)
}

/// Pings of Firefox's: some have three labels, and some are too large for 4 KiB when inflated.
fn firefox_pings(numbers: std::ops::Range<u64>) -> Vec<(String, Value)> {
    let ping = |number: u64| match number % 5 {
        0 => firefox(number, 3, 0),
        1 => firefox(number, 0, 10_000),
        _ => firefox(number, 1, 0),
    };
    numbers.map(ping).collect()
}

fn of<'a>(dump: &'a str, source: &str) -> Vec<&'a str> {
    let named = format!("\"source\":\"{source}\"");
    dump.lines().filter(|line| line.contains(&named)).collect()
}

/// What the API answers.
fn asked(shared: &Shared, target: &str) -> Value {
    let address = free_address();
    let command = shared.shared(&["query", "--api-listen", &address]);
    let mut query: Member = shared.member("query", command, Some(&address));
    let answer = query.client().get(target).expect("an answer");
    query.terminate();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn a_source_is_folded_anew_beside_aggregators_and_the_numbers_of_others_do_not_move() {
    let Some(shared) = Shared::start() else {
        return println!("left out: there is no PostgreSQL");
    };
    let first = shared.file("first.yaml", DECLARATION);
    let more = DECLARATION.replace("metrics:", "  site: { path: /site }\nmetrics:");
    let second = shared.file("second.yaml", &more);
    let [by_first, by_second] =
        [&first, &second].map(|file| ["--inflated-limit", "4KiB", "--products", file]);
    let mut aggregators = ["east", "west"].map(|name| shared.aggregator(name, &by_first));
    let pings: Vec<_> = (0..30).map(printer).chain(firefox_pings(0..20)).collect();
    shared.send(&pings);
    let before = shared.settled();
    assert_eq!(before["errored_by_reason"], json!({"inflated_too_large": 4}));
    let dump = shared.dump();

    let said = shared.run(&[&["rebuild", "--source", "inkpress/printer"][..], &by_second].concat());
    assert!(said.success, "{}", said.stderr);
    assert!(
        said.stderr.contains("inkpress/printer is folded anew"),
        "{}",
        said.stderr
    );
    let now = shared.dump();
    assert_eq!(of(&now, "telemetry/main"), of(&dump, "telemetry/main"));
    assert_ne!(of(&now, "inkpress/printer"), of(&dump, "inkpress/printer"));
    let target = "/api/v1/aggregates?source=inkpress/printer&metric=printer.drawers&group_by=site";
    let rows = asked(&shared, target);
    let south = rows["data"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["site"] == "south");
    let of_south = (0..30).filter(|number| number % 3 == 1);
    let south = south.unwrap_or_else(|| panic!("{rows}"));
    assert_eq!(
        (&south["pings"], &south["sum"]),
        (&json!(of_south.clone().count()), &json!(of_south.sum::<u64>()))
    );
    assert_eq!(shared.settled(), before, "as many pings are counted as before");

    // What comes later is folded by the new declaration, by aggregators that were given the one of before.
    shared.send(&(30..40).map(printer).collect::<Vec<_>>());
    shared.settled();
    // By the same rules nothing changes, whatever of it could not be read at first.
    let dump = shared.dump();
    let said = shared.run(&[&["rebuild", "--source", "telemetry/main"][..], &by_second].concat());
    assert!(said.success, "{}", said.stderr);
    assert_eq!(shared.dump(), dump);
    let status = shared.settled();
    aggregators.iter_mut().for_each(Member::terminate);
    let (fresh, counted) = shared.fresh(&by_second);
    assert_eq!(dump, fresh);
    assert_eq!(status["errored_by_reason"], counted["errored_by_reason"]);
    assert_eq!(status["folded"], counted["folded"]);
}

#[test]
fn everything_is_folded_anew_by_other_rules_beside_those_of_before_and_goes_on_after_a_kill() {
    let Some(shared) = Shared::start() else {
        return println!("left out: there is no PostgreSQL");
    };
    let file = shared.file("printer.yaml", DECLARATION);
    let more = DECLARATION.replace("metrics:", "  site: { path: /site }\nmetrics:");
    let other_file = shared.file("site.yaml", &more);
    let old = [
        "--inflated-limit",
        "4KiB",
        "--labels-per-metric",
        "5",
        "--products",
        &file,
    ];
    let new = [
        "--labels-per-metric",
        "2",
        "--repeat-window-days",
        "7",
        "--products",
        &other_file,
    ];
    let mut east = shared.aggregator("east", &old);
    let pings: Vec<_> = (0..30).map(printer).chain(firefox_pings(0..30)).collect();
    shared.send(&pings);
    assert_eq!(
        shared.settled()["errored_by_reason"],
        json!({"inflated_too_large": 6})
    );
    let before = shared.dump();

    // One with other rules says what to run, word for word but for who may enter.
    let mut west = shared.aggregator("west", &new);
    west.terminate();
    let log = west.log();
    for words in [
        "labels_per_metric: 5 before, 2 now",
        "highwater rebuild --store s3://chunks/below --endpoint-url http://127.0.0.1:",
        "--index postgres://USER:PASSWORD@127.0.0.1:",
        &format!("--products {other_file} --repeat-window-days 7 --labels-per-metric 2"),
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
    assert!(!log.contains("DROP"), "{log}");

    // A chunk that is folded and cannot be read now: the rebuild waits for it, whatever else is done by then.
    let objects = shared.s3.objects(BUCKET).into_iter();
    let mut chunks = objects.filter(|(key, _)| key.contains("/pings/v1/"));
    let (key, bytes) = chunks.next().expect("a chunk");
    shared.s3.put(BUCKET, &key, Bytes::from_static(b"damaged"));
    let rebuild = shared.shared(&[&["rebuild"][..], &new].concat());
    let mut rebuild = shared.member("rebuild", rebuild, None);
    while !rebuild.log().contains("it waits for chunk") {
        assert_eq!(rebuild.has_ended(), None, "{}", rebuild.log());
        tests::pause(std::time::Duration::from_millis(100));
    }
    // Meanwhile the one of before folds on, and answers are what they were.
    assert_eq!(shared.dump(), before);
    let late = firefox_pings(30..35);
    shared.send(&late);
    shared.wait_for("what came meanwhile", |status| status["folded"] == 30 + 24 + 4);
    rebuild.kill();
    let count = |what: &str| shared.postgres.sql(&shared.database, what);
    let epoch = count("SELECT epoch FROM highwater_aggregates.rebuild");
    let done: u64 = count("SELECT count(*) FROM highwater_aggregates.rebuilt")
        .parse()
        .expect("a number");
    assert!(done > 0 && !epoch.is_empty(), "{done} in {epoch}");
    shared.s3.put(BUCKET, &key, bytes);

    // Those by the new rules fold on at it alone, though they may fold nothing else.
    east.terminate();
    let lacking = "SELECT count(*) FROM highwater_aggregates.folded f WHERE NOT EXISTS (SELECT FROM highwater_aggregates.rebuilt r \
                   WHERE (r.incarnation, r.boot, r.plan) = (f.incarnation, f.boot, f.plan))";
    assert_ne!(count(lacking), "0");
    let mut west = shared.aggregator("west", &new);
    for _ in 0..3_000 {
        if count(lacking) == "0" {
            break;
        }
        tests::pause(std::time::Duration::from_millis(200));
    }
    assert_eq!(count(lacking), "0", "{}", west.log());
    assert_eq!(
        count("SELECT count(*) FROM highwater_aggregates.rebuild"),
        "1",
        "it waits for the command"
    );
    west.terminate();
    east.start_again().expect("those of before");

    let said = shared.run(&[&["rebuild"][..], &new].concat());
    assert!(said.success, "{}", said.stderr);
    assert!(
        said.stderr.contains("everything is folded anew"),
        "{}",
        said.stderr
    );
    let used = count("SELECT DISTINCT epoch FROM highwater_aggregates.epoch");
    assert_eq!(used, epoch, "it went on with what was begun before the kill");
    let status = shared.settled();
    assert_eq!(
        status["errored_by_reason"],
        json!({"too_many_labels": 7}),
        "{status}"
    );
    assert_eq!(status["unfolded"], 0, "{status}");
    let dump = shared.dump();
    let (fresh, counted) = shared.fresh(&new);
    assert_eq!(dump, fresh);
    for name in [
        "folded",
        "repeated",
        "stored_only",
        "errored_pings",
        "errored_by_reason",
        "indexed",
    ] {
        assert_eq!(status[name], counted[name], "{name}");
    }

    // Those of before fold nothing any more, and those by the new rules go on.
    shared.send(&firefox_pings(35..40));
    east.terminate();
    assert!(east.log().contains("run `highwater rebuild`"), "{}", east.log());
    let mut west = shared.aggregator("west", &new);
    shared.settled();
    assert_eq!(shared.dump(), shared.fresh(&new).0);
    // By the same rules nothing changes.
    let dump = shared.dump();
    shared.well(&[&["rebuild"][..], &new].concat());
    assert_eq!(shared.dump(), dump);
    shared.settled();
    west.terminate();
}

#[test]
fn errored_pings_are_folded_once_by_replay_errors_over_shared_aggregates() {
    let Some(shared) = Shared::start() else {
        return println!("left out: there is no PostgreSQL");
    };
    let low = ["--inflated-limit", "4KiB", "--labels-per-metric", "2"];
    let mut east = shared.aggregator("east", &low);
    shared.send(&firefox_pings(0..20));
    let errored = json!({"inflated_too_large": 4, "too_many_labels": 4});
    assert_eq!(shared.settled()["errored_by_reason"], errored);
    let replay = |more: &[&str]| -> Value {
        let said = shared.well(&[&["replay-errors"][..], more].concat());
        serde_json::from_str(&said).expect("one line of JSON")
    };
    assert_eq!(replay(&low), json!({"replayed": 0, "still_errored": errored}));
    east.terminate();
    let mut west = shared.aggregator("west", &[]);
    assert!(
        west.log()
            .contains("highwater replay-errors --store s3://chunks/below"),
        "{}",
        west.log()
    );
    // What comes meanwhile waits.
    shared.send(&firefox_pings(20..25));
    assert_eq!(replay(&[]), json!({"replayed": 8, "still_errored": {}}));
    assert_eq!(replay(&[]), json!({"replayed": 0, "still_errored": {}}));
    let status = shared.settled();
    assert_eq!(
        (&status["folded"], &status["errored_pings"]),
        (&json!(25), &json!(0)),
        "{status}"
    );
    west.terminate();
    let (fresh, counted) = shared.fresh(&[]);
    assert_eq!(shared.dump(), fresh);
    assert_eq!(status["folded"], counted["folded"]);
}
