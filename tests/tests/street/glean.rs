//! Recorded pings of Glean's SDKs, posted to the real program: the API gives the answers that others computed from them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tests::{Pipeline, recorded};

/// Sent without info sections, so that only a declared namespace says that they are Glean's.
const WITHOUT_SECTIONS: &str = "acme-notes/slim";

fn post_all(pipeline: &Pipeline, data: &Path) {
    let text = fs::read_to_string(data.join("pings.ndjson")).expect("recorded pings");
    for line in text.lines() {
        let ping: Value = serde_json::from_str(line).expect("a ping a line");
        let headers = ping["headers"].as_object().expect("headers").iter();
        let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
        // The bodies were recorded as they were before they were compressed.
        let headers: Vec<_> = headers.filter(|(name, _)| *name != "Content-Encoding").collect();
        let body = ping["body"].as_str().expect("a body").as_bytes();
        let mut client = pipeline.edge_client();
        let uri = ping["uri"].as_str().expect("a URI");
        let answer = client.post(uri, &headers, body).expect("an answer");
        assert_eq!(answer.status, 200, "{uri}: {}", answer.text());
    }
}

/// The bins of a row; the names of equal ones come in any order.
fn bins_of(row: &Value) -> BTreeMap<String, String> {
    let bins = row["bins"].as_array().expect("bins").iter();
    bins.map(|bin| (bin[0].to_string(), bin[1].to_string())).collect()
}

/// What of a row is not as expected.
fn unmet(row: &Value, expected: &Value) -> Option<String> {
    for name in ["pings", "samples", "sum"] {
        let is = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !expected[name].is_null() && is(&row[name]) != is(&expected[name]) {
            return Some(format!("{name} of {row}"));
        }
    }
    (!expected["bins"].is_null() && bins_of(row) != bins_of(expected)).then(|| format!("bins of {row}"))
}

/// Looks for each expected row among those answered, which are no others.
fn compare(answer: &Value, expected: &Value) -> Option<String> {
    let group_by = expected["group_by"].as_array().expect("a list");
    let group = |row: &Value| -> Vec<Value> {
        let names = group_by.iter().map(|name| name.as_str().expect("a name"));
        names.map(|name| row[name].clone()).collect()
    };
    let (rows, all) = (
        answer["data"].as_array()?,
        expected["data"].as_array().expect("rows"),
    );
    if rows.len() != all.len() || answer["kind"] != expected["kind"] {
        return Some(format!("rows or kind of {answer}"));
    }
    all.iter().find_map(|expected| {
        let row = rows.iter().find(|row| group(row) == group(expected));
        row.map_or_else(
            || Some(format!("no row like {expected}")),
            |row| unmet(row, expected),
        )
    })
}

#[test]
fn every_answer_about_recorded_pings_is_given_by_the_api() {
    let Some(data) = recorded("every_answer_about_recorded_pings_is_given_by_the_api") else {
        return;
    };
    let data = data.join("glean");
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &[]);
    post_all(&pipeline, &data);
    pipeline.wait_until_settled();
    let text = fs::read_to_string(data.join("expected.json")).expect("expected answers");
    let expected: Value = serde_json::from_str(&text).expect("JSON");
    let (mut asked, mut wrong) = (0, Vec::new());
    for expected in expected["answers"].as_array().expect("answers") {
        let query = expected["query"].as_str().expect("a query");
        // Days are counted up to the day of receipt, which is today here.
        let hangs_on_today = expected["type"] == "datetime";
        if expected["source"] == WITHOUT_SECTIONS || query.contains("source_tags") || hangs_on_today {
            continue;
        }
        let answer = pipeline.api_client().get(query).expect("an answer");
        asked += 1;
        let said = match answer.status {
            200 => compare(&answer.json(), expected),
            status => Some(format!("{status}: {}", answer.text())),
        };
        wrong.extend(said.map(|said| format!("{query}: {said}")));
    }
    assert!(
        wrong.is_empty(),
        "{} of {asked}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(asked > 200, "{asked}");
    let sources = pipeline
        .api_client()
        .get("/api/v1/sources")
        .expect("an answer")
        .json();
    let sources = sources["sources"].as_array().expect("sources");
    let reader = |name: &str| {
        let found = sources.iter().find(|source| source["source"] == name);
        found.map(|source| source["reader"].clone())
    };
    assert_eq!(reader("acme-notes/usage"), Some("glean".into()));
    assert_eq!(reader("acme-notes/deletion-request"), Some("none".into()));
    assert_eq!(reader(WITHOUT_SECTIONS), Some("none".into()));
}
