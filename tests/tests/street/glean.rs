//! Pings of Glean's SDKs, recorded ones and those of one that runs, posted to the real program: the API gives the answers that others
//! computed from them, and says what definitions say.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
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
    if !expected["sampled"].is_null() && row["sampled"] != expected["sampled"] {
        return Some(format!("sampled of {row}"));
    }
    (!expected["bins"].is_null() && bins_of(row) != bins_of(expected)).then(|| format!("bins of {row}"))
}

/// The values of a row by which the expected answer is grouped.
fn group_of(row: &Value, expected: &Value) -> Vec<Value> {
    let names = expected["group_by"].as_array().expect("a list").iter();
    let names = names.map(|name| name.as_str().expect("a name"));
    names.map(|name| row[name].clone()).collect()
}

/// Looks for each expected row among those answered, which are no others.
fn compare(answer: &Value, expected: &Value) -> Option<String> {
    let group = |row: &Value| group_of(row, expected);
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

/// What definitions say otherwise: unit, layout, or where a percentile's bin ends.
fn undefined(answer: &Value, expected: &Value) -> Option<String> {
    if !expected["unit"].is_null() && answer["unit"] != expected["unit"] {
        return Some(format!("unit of {answer}"));
    }
    let rows = answer["data"].as_array()?.iter();
    let all = expected["data"].as_array().expect("rows");
    rows.flat_map(|row| all.iter().map(move |expected| (row, expected)))
        .filter(|(row, of_row)| group_of(row, expected) == group_of(of_row, expected))
        .find_map(|(row, of_row)| {
            if !expected["layout"].is_null() && row["layout"] != expected["layout"] {
                return Some(format!("layout of {row}"));
            }
            let upper = of_row["upper"].as_array()?;
            let bins = row["bins"].as_array().expect("bins");
            let mut percentiles = row["percentiles"].as_object().expect("percentiles").values();
            let is_wrong = |told: &Value| {
                let at = bins
                    .iter()
                    .position(|bin| bin[0] == told["low"])
                    .expect("its bin");
                told["high"] != upper[at]
            };
            percentiles.any(is_wrong).then(|| format!("edges of {row}"))
        })
}

#[test]
fn every_answer_about_recorded_pings_is_given_by_the_api() {
    if let Some(data) = recorded("every_answer_about_recorded_pings_is_given_by_the_api") {
        ask_about_recorded_pings(&data.join("glean"), false);
    }
}

#[test]
fn with_definitions_recorded_pings_without_sections_count_and_answers_have_units_and_layouts() {
    let name = "with_definitions_recorded_pings_without_sections_count_and_answers_have_units_and_layouts";
    if let Some(data) = recorded(name) {
        ask_about_recorded_pings(&data.join("glean"), true);
    }
}

/// The kinds of listed metrics by their names.
fn kinds_of(listed: &Value) -> Value {
    let metrics = listed["metrics"].as_array().expect("metrics").iter();
    metrics
        .map(|metric| (metric["metric"].as_str().expect("a name"), metric["kind"].clone()))
        .collect()
}

fn ask_about_recorded_pings(data: &Path, is_defined: bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let files = ["metrics.yaml", "pings.yaml"].map(|name| data.join(name).display().to_string());
    let arguments = ["--definitions", &files[0], "--definitions", &files[1]];
    let arguments = if is_defined { &arguments[..] } else { &[] };
    let pipeline = Pipeline::start(&folder.path().join("data"), arguments);
    post_all(&pipeline, data);
    pipeline.wait_until_settled();
    let text = fs::read_to_string(data.join("expected.json")).expect("expected answers");
    let expected: Value = serde_json::from_str(&text).expect("JSON");
    let (mut asked, mut wrong, mut without_sections) = (0, Vec::new(), 0);
    for expected in expected["answers"].as_array().expect("answers") {
        let query = expected["query"].as_str().expect("a query");
        // Days are counted up to the day of receipt, which is today here.
        let hangs_on_today = expected["type"] == "datetime";
        let has_no_sections = expected["source"] == WITHOUT_SECTIONS;
        if has_no_sections && !is_defined || hangs_on_today {
            continue;
        }
        let answer = pipeline.api_client().get(query).expect("an answer");
        asked += 1;
        without_sections += usize::from(has_no_sections);
        let said = match answer.status {
            200 => {
                let answer = answer.json();
                let defined = if is_defined {
                    undefined(&answer, expected)
                } else {
                    None
                };
                compare(&answer, expected).or(defined)
            }
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
    assert_eq!(without_sections > 10, is_defined, "{without_sections}");
    let sources = pipeline
        .api_client()
        .get("/api/v1/sources")
        .expect("an answer")
        .json();
    let sources = sources["sources"].as_array().expect("sources");
    for (name, expected) in expected["sources"].as_object().expect("sources") {
        let found = sources
            .iter()
            .find(|source| source["source"] == *name)
            .expect(name);
        if name != WITHOUT_SECTIONS || is_defined {
            let told: Value = ["pings", "folded", "errored"]
                .map(|key| (key, found[key].clone()))
                .into_iter()
                .collect();
            assert_eq!(told, *expected, "{name}");
        }
    }
    for (name, kinds) in expected["metrics"].as_object().expect("metrics by source") {
        if name != WITHOUT_SECTIONS || is_defined {
            let listed = pipeline
                .api_client()
                .get(&format!("/api/v1/metrics?source={name}"));
            assert_eq!(kinds_of(&listed.expect("an answer").json()), *kinds, "{name}");
        }
    }
    let reader = |name: &str| {
        let found = sources.iter().find(|source| source["source"] == name);
        found.map(|source| source["reader"].clone())
    };
    assert_eq!(reader("acme-notes/usage"), Some("glean".into()));
    assert_eq!(reader("acme-notes/deletion-request"), Some("none".into()));
    let of_bare_pings = if is_defined { "glean" } else { "none" };
    assert_eq!(reader(WITHOUT_SECTIONS), Some(of_bare_pings.into()));
}

/// A ping of Glean's with events, each of a session of this rate, or of none.
fn with_events(number: u32, events: &[(&str, Option<f64>)]) -> (String, String) {
    let event = |(name, rate): &(&str, Option<f64>)| {
        let mut event = json!({"timestamp": 0, "category": "ui", "name": name});
        if let Some(rate) = rate {
            event["session"] =
                json!({"session_id": "14a9a782-2339-4c35-81b9-a5a4facc8eaf", "session_sample_rate": rate});
        }
        event
    };
    let events: Vec<Value> = events.iter().map(event).collect();
    let ping = json!({"ping_info": {"seq": number}, "client_info": {"os": "Linux"}, "events": events});
    let uri = format!("/submit/acme-notes/usage/1/9b0f2d6e-6f0e-4a57-9f0a-{number:012}");
    (uri, ping.to_string())
}

#[test]
fn pings_are_found_by_a_tag_of_their_source_and_rows_of_thinned_events_say_their_rates() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &[]);
    let sent = [
        (
            vec!["automation, ci"],
            vec![("saved", Some(0.25)), ("opened", None)],
        ),
        (
            vec!["ci", "automation"],
            vec![("saved", Some(0.25)), ("moved", Some(0.5))],
        ),
        (
            vec!["nightly-lab"],
            vec![("moved", Some(0.25)), ("opened", Some(1.0))],
        ),
        (vec![], vec![("moved", Some(1.0)), ("saved", Some(0.25))]),
    ];
    for (number, (tags, events)) in (1..).zip(&sent) {
        let (uri, body) = with_events(number, events);
        let headers: Vec<_> = tags.iter().map(|tag| ("X-Source-Tags", *tag)).collect();
        let answer = pipeline
            .edge_client()
            .post(&uri, &headers, body.as_bytes())
            .expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    pipeline.wait_until_settled();
    let get = |query: &str| pipeline.api_client().get(query).expect("an answer");
    let rows = |rest: &str| {
        let answer = get(&format!(
            "/api/v1/aggregates?source=acme-notes/usage&metric=events:ui.{rest}"
        ));
        assert_eq!(answer.status, 200, "{rest}: {}", answer.text());
        let rows = answer.json()["data"].as_array().expect("rows").clone();
        rows.iter()
            .map(|row| (row["pings"].clone(), row["sampled"].clone()))
            .collect::<Vec<_>>()
    };
    // How many pings, and at which rates.
    for (question, expected) in [
        ("saved", (json!(3), json!(0.25))),
        ("moved", (json!(3), json!([0.25, 1.0]))),
        ("opened", (json!(2), Value::Null)),
        ("moved&source_tags=ci", (json!(1), json!(0.5))),
        ("saved&source_tags=automation", (json!(2), json!(0.25))),
        ("saved&source_tags=nightly-lab,ci", (json!(2), json!(0.25))),
        ("saved&source_tags=UNKNOWN", (json!(1), json!(0.25))),
        ("moved&source_tags=UNKNOWN", (json!(1), Value::Null)),
    ] {
        assert_eq!(rows(question), [expected], "{question}");
    }
    assert_eq!(rows("saved&source_tags=automation%252Cci"), []);
    let values = get("/api/v1/values?source=acme-notes/usage&dimension=source_tags").json();
    let listed: Vec<&str> = values["values"]
        .as_array()
        .expect("values")
        .iter()
        .filter_map(|value| value["value"].as_str())
        .collect();
    assert_eq!(listed, ["automation", "ci", "UNKNOWN", "nightly-lab"]);
    let pings: Vec<u64> = values["values"]
        .as_array()
        .expect("values")
        .iter()
        .filter_map(|value| value["pings"].as_u64())
        .collect();
    assert_eq!(pings, [2, 2, 1, 1]);
    let raw = |rest: &str| {
        let answer = get(&format!("/api/v1/pings?source=acme-notes/usage{rest}"));
        assert_eq!(answer.status, 200, "{rest}: {}", answer.text());
        let text = answer.text().to_string();
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        lines.collect::<Vec<Value>>()
    };
    let mut numbers: Vec<Value> = raw("&source_tags=ci&fields=/ping_info/seq");
    numbers.sort_by_key(|ping| ping["/ping_info/seq"].as_u64());
    assert_eq!(
        numbers,
        [json!({"/ping_info/seq": 1}), json!({"/ping_info/seq": 2})]
    );
    assert_eq!(raw("&os=Linux").len(), 4);
    assert_eq!(raw("&os=Linux&limit=3").len(), 3);
    assert_eq!(raw("&os=Darwin").len(), 0);
    let whole = &raw("&source_tags=nightly-lab")[0];
    assert_eq!(
        (&whole["ping_info"]["seq"], &whole["meta"]["docType"]),
        (&json!(3), &json!("usage"))
    );
    let refused =
        get("/api/v1/aggregates?source=acme-notes/usage&metric=events:ui.saved&group_by=source_tags");
    assert!(
        refused.status == 400 && refused.text().contains("is a list"),
        "{}",
        refused.text()
    );
    let metrics = get("/api/v1/metrics?source=acme-notes/usage").json();
    let names: Vec<&str> = metrics["metrics"]
        .as_array()
        .expect("metrics")
        .iter()
        .filter_map(|metric| metric["metric"].as_str())
        .collect();
    assert_eq!(names, ["events:ui.moved", "events:ui.opened", "events:ui.saved"]);
}

/// What the health page says under this name, if it does.
fn told(pipeline: &Pipeline, name: &str) -> Option<String> {
    let health = pipeline
        .api_client()
        .get("/api/v1/health")
        .expect("an answer")
        .json();
    let verdicts = health["verdicts"].as_array()?.iter();
    let found = verdicts.filter(|verdict| verdict["name"] == name);
    found.map(|verdict| verdict["what"].to_string()).next()
}

/// The real SDK records all that its metrics.yaml has. The server is given another edition of that file.
#[test]
fn with_definitions_answers_say_what_metrics_are_and_the_health_page_names_what_does_not_fit() {
    let Ok(python) = std::env::var("HIGHWATER_PYTHON") else {
        return println!("left out: HIGHWATER_PYTHON names no Python that has the package glean-sdk");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("glean");
    let text = fs::read_to_string(own.join("metrics.yaml")).expect("readable");
    let edition = text
        .replacen("expires: never", "expires: expired", 1)
        .replace("  theme:\n", "  hue:\n");
    let metrics = folder.path().join("metrics.yaml");
    fs::write(&metrics, edition).expect("written");
    let files = [metrics, own.join("pings.yaml")].map(|file| file.display().to_string());
    let arguments = [
        "--definitions",
        files[0].as_str(),
        "--definitions",
        files[1].as_str(),
    ];
    let pipeline = Pipeline::start(&folder.path().join("data"), &arguments);
    let used = Command::new(python)
        .arg(own.join("use.py"))
        .arg(format!("http://{}", pipeline.edge))
        .arg(folder.path().join("sdk"))
        .output()
        .expect("Python runs");
    assert!(used.status.success(), "{}", String::from_utf8_lossy(&used.stderr));
    pipeline.wait_for("both pings to be counted", |status| {
        status["folded"] == 2 && status["settled"] == true
    });
    let ask = |target: &str| pipeline.api_client().get(target).expect("an answer").json();
    let listed = ask("/api/v1/metrics?source=acme-notes/usage");
    let listed = listed["metrics"].as_array().expect("metrics");
    let metric = |name: &str| {
        let found = listed.iter().find(|metric| metric["metric"] == name);
        found.unwrap_or_else(|| panic!("{name} in {listed:?}")).clone()
    };
    for (name, unit) in [
        ("notes.size", json!("bytes")),
        ("notes.load", json!("ns")),
        ("notes.pages", json!("pages")),
        ("notes.kinds", Value::Null),
        ("events:notes.saved", Value::Null),
    ] {
        let metric = metric(name);
        let short = name.rsplit('.').next().expect("a name");
        assert_eq!(
            metric["description"],
            format!("What the tests count as {short}."),
            "{metric}"
        );
        assert_eq!(
            (&metric["unit"], &metric["declared"]),
            (&unit, &json!(true)),
            "{metric}"
        );
    }
    assert_eq!(metric("notes.theme")["declared"], false);
    assert_eq!(metric("notes.opened")["expires"], "expired");
    let pages = ask("/api/v1/aggregates?source=acme-notes/usage&metric=notes.pages");
    let row = &pages["data"][0];
    assert_eq!(
        row["layout"],
        json!({"kind": "linear", "min": 1, "max": 100, "buckets": 12})
    );
    assert_eq!(row["percentiles"]["95"]["high"], 70, "{row}");
    for (verdict, named) in [
        ("metrics_undeclared", "acme-notes/usage notes.theme."),
        ("metrics_expired", "acme-notes/usage notes.opened."),
        ("metrics_never_seen", "notes.hue, notes.idle."),
    ] {
        pipeline.wait_for(verdict, |_| told(&pipeline, verdict).is_some());
        let what = told(&pipeline, verdict).expect("it is told");
        assert!(what.contains(&format!(": {named}")), "{what}");
    }
    let gauges = pipeline.api_client().get("/metrics").expect("an answer");
    let gauges = gauges.text();
    assert!(
        gauges.contains("highwater_pipeline_defined_metrics{state=\"never_seen\"} 2"),
        "{gauges}"
    );
}
