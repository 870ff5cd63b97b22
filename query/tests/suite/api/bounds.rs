//! Every answer has a bound, and says so when it is met; so has the number of questions, and the time that one takes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aggregate_store::CellKey;
use serde_json::Value;
use service::task;
use sketch::{Cell, Layout, UserSketch, coupon_of};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::network::listen;
use super::store::Facts;
use super::world::{Answer, NIGHTLY, World, cell, firefox, firefox_users, get, get_json, labelled, sample};

/// Cells of one keyed metric under so many labels.
fn keyed(labels: usize, layout: Layout) -> Vec<(CellKey, Cell)> {
    let one = |label: usize| {
        let set = firefox("20150630", "20150701");
        let plain = cell("KEYED", set, "parent", layout, sample(1));
        labelled(plain, &format!("label {label}"))
    };
    (0..labels).map(one).collect()
}

fn is_too_large(answer: &Answer, target: &str) {
    let (code, reason, sentence) = answer.refusal();
    assert_eq!(
        (code, reason.as_str()),
        (413, "too_large"),
        "{target}: {sentence}"
    );
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    assert_eq!((text("type"), &body["status"]), (reason, &Value::from(413)));
    assert_eq!(text("detail"), sentence);
    assert!(
        !text("title").is_empty() && sentence.contains("Ask for less"),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_distribution_of_too_many_numbers_is_413_and_one_label_of_it_is_there() {
    let wide = Layout::linear(1, 9_000, 9_001);
    let facts = Facts {
        cells: keyed(600, wide),
        ..Facts::default()
    };
    let api = World::of(facts).api();
    let target = format!("{NIGHTLY}&metric=KEYED&dates=20150630");
    is_too_large(&get(&api, &target).await, &target);
    let one = get_json(&api, &format!("{target}&label=label+7")).await;
    assert_eq!(one["data"][0]["histogram"].as_array().map(Vec::len), Some(9_001));
    let facts = Facts {
        cells: keyed(30_000, Layout::linear(1, 2, 3)),
        ..Facts::default()
    };
    is_too_large(&get(&World::of(facts).api(), &target).await, "many rows");
}

/// Versions that nobody else has, one user each, and one version with many.
#[tokio::test]
async fn of_too_many_groups_the_largest_are_there_and_the_others_are_one_entry_a_day() {
    let user = |version: usize| {
        let mut users = UserSketch::new();
        let clients = if version == 357 { 0..40 } else { 0..1 };
        users.extend(clients.filter_map(|client| coupon_of(&format!("client {version} {client}"))));
        let key = firefox_users("20170101", &version.to_string(), "Linux");
        (key, users)
    };
    let facts = Facts {
        users: (0..700).map(user).collect(),
        ..Facts::default()
    };
    let api = World::of(facts).api();
    let of = |to: &str, rest: &str| format!("/api/v1/engagement?from=20170101&to={to}{rest}");
    let long = get_json(&api, &of("20170201", "&group_by=version")).await;
    let data = long["data"].as_array().expect("data");
    assert!(data.len() <= 20_000, "{}", data.len());
    let rest: Vec<&Value> = data.iter().filter(|entry| entry["rest"] == true).collect();
    let first: Vec<&Value> = data.iter().filter(|entry| entry["date"] == "20170101").collect();
    assert_eq!(rest.len(), 32, "one a day");
    assert_eq!(first.last(), rest.first(), "the last of its day");
    let own = first.len() as u64 - 1;
    assert_eq!(long["groups_in_rest"], 700 - own);
    assert!(own > 200, "{own}");
    assert_eq!(
        (&rest[0]["group"], &rest[0]["dau"]),
        (&Value::from(""), &Value::from(700 - own))
    );
    let largest = first.iter().find(|entry| entry["group"] == "357");
    assert_eq!(largest.map(|entry| &entry["dau"]), Some(&Value::from(40)));
    for short in [
        of("20170103", "&group_by=version"),
        of("20170201", ""),
        of("20170201", "&group_by=version&version=7"),
    ] {
        let answer = get_json(&api, &short).await;
        assert_eq!(answer.get("groups_in_rest"), None, "{short}");
        let data = answer["data"].as_array().expect("data");
        assert!(data.iter().all(|entry| entry.get("rest").is_none()), "{short}");
    }
}

#[tokio::test]
async fn many_layouts_are_a_short_header_and_long_lists_say_how_many_they_leave_out() {
    let set = || firefox("20150630", "20150701");
    let layouts = (0..4_000).map(|max| Layout::linear(1, 10 + max, 5));
    let cells = layouts.map(|layout| cell("M", set(), "parent", layout, sample(1)));
    let facts = Facts {
        cells: cells.collect(),
        ..Facts::default()
    };
    let shown = get(
        &World::of(facts).api(),
        &format!("{NIGHTLY}&metric=M&dates=20150630"),
    )
    .await;
    let named = shown.header("x-highwater-other-layouts");
    assert!(named.len() < 1_000 && named.ends_with("more"), "{named}");
    let (first, more) = named.rsplit_once(";and ").expect("more than are named");
    let more: usize = more.trim_end_matches(" more").parse().expect("a number");
    assert_eq!(first.split(';').count() + more, 3_999);

    let on = |channel: usize| {
        let set = set().with("channel", &format!("channel-{channel:05}"));
        cell("M", set, "parent", Layout::SIMPLE, sample(1))
    };
    let facts = Facts {
        cells: (0..18_000).map(on).collect(),
        ..Facts::default()
    };
    let listed = get(&World::of(facts).api(), "/aggregates_by/build_id/channels/").await;
    assert_eq!(listed.status, 200);
    let channels = listed.json().as_array().map_or(0, Vec::len);
    let left_out: usize = listed
        .header("x-highwater-values-left-out")
        .parse()
        .expect("a number");
    assert_eq!(channels + left_out, 18_000);
    assert!(listed.body.len() < 1 << 20);
}

#[tokio::test]
async fn a_404_asks_as_much_of_the_store_whatever_processes_were_ever_sent() {
    let of = |process: usize| {
        let set = firefox("20150630", "20150701");
        let name = format!("process {process:04}");
        cell("GC_MS", set, &name, Layout::SIMPLE, sample(1))
    };
    let mut asked = BTreeMap::new();
    for processes in [2, 3_000] {
        let facts = Facts {
            cells: (0..processes).map(of).collect(),
            ..Facts::default()
        };
        let count = Arc::clone(&facts.series_asked);
        let target = format!("{NIGHTLY}&metric=GC_MS&dates=20150630");
        let (_, reason, sentence) = get(&World::of(facts).api(), &target).await.refusal();
        assert_eq!(reason, "filters_exclude");
        assert!(
            sentence.len() < 600 && sentence.contains("these processes: process "),
            "{sentence}"
        );
        asked.insert(processes, count.load(Ordering::Relaxed));
    }
    assert_eq!(asked[&2], asked[&3_000]);
}

/// A store that never answers for a series, and a question for one.
fn endless() -> (Facts, String) {
    let set = firefox("20150630", "20150701");
    let facts = Facts {
        cells: vec![cell("GC_MS", set, "parent", Layout::SIMPLE, sample(1))],
        endless: true,
        ..Facts::default()
    };
    (facts, format!("{NIGHTLY}&metric=GC_MS&dates=20150630"))
}

#[tokio::test]
async fn too_many_questions_at_a_time_are_503_while_what_is_at_hand_is_answered() {
    let (facts, target) = endless();
    let ended = Arc::clone(&facts.series_ended);
    let api = Arc::new(World::of(facts).api());
    let questions: Vec<_> = (0..200)
        .map(|_| {
            let (api, target) = (Arc::clone(&api), target.clone());
            task::spawn("question", async move { get(&api, &target).await })
        })
        .collect();
    let mut refused = 0;
    while refused < 100 {
        task::sleep(Duration::from_millis(10)).await;
        refused = questions.iter().filter(|question| question.is_finished()).count();
    }
    for target in ["/api/v1/status", "/api/v1/health", "/", "/__lbheartbeat__"] {
        assert_eq!(get(&api, target).await.status, 200, "{target}");
    }
    let channels = "/aggregates_by/build_id/channels/";
    assert_eq!(get(&api, channels).await.refusal().1, "busy");
    for question in questions {
        if question.is_finished() {
            let answer = question.await.expect("it ended well");
            assert_eq!((answer.refusal().0, answer.refusal().1.as_str()), (503, "busy"));
            assert!(!answer.header("retry-after").is_empty());
        } else {
            question.abort();
        }
    }
    task::sleep(Duration::from_millis(10)).await;
    assert!(
        ended.load(Ordering::Relaxed) > 0,
        "what nobody waits for has ended"
    );
    assert_eq!(get(&api, channels).await.status, 200);
}

#[tokio::test]
async fn a_question_that_takes_too_long_ends_and_is_503() {
    let (facts, target) = endless();
    let ended = Arc::clone(&facts.series_ended);
    let api = World::of(facts).api().answering_within(Duration::from_millis(50));
    let answer = get(&api, &target).await;
    assert_eq!((answer.refusal().0, answer.refusal().1.as_str()), (503, "busy"));
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(ended.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_question_whose_client_is_gone_ends() {
    let (facts, target) = endless();
    let (asked, ended) = (Arc::clone(&facts.series_asked), Arc::clone(&facts.series_ended));
    let (address, _trigger) = listen(World::of(facts).api()).await;
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    while asked.load(Ordering::Relaxed) == 0 {
        task::sleep(Duration::from_millis(5)).await;
    }
    drop(stream);
    // Well before the question would take too long.
    for _ in 0..200 {
        if ended.load(Ordering::Relaxed) == 1 {
            return;
        }
        task::sleep(Duration::from_millis(50)).await;
    }
    panic!("the question goes on though nobody waits for its answer");
}
