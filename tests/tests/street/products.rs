//! Products other than Firefox, from the street: Glean's without a word of configuration, and one's own by a declaration.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tests::{Pipeline, SmallPing};

use crate::ask::{command, well};

const DECLARATION: &str = r#"$highwater: product/1
sources: [inkpress/printer]
client_id: { path: /printer_id }
dimensions:
  version: { path: /version, as: major }
metrics:
  printer:
    drawers: { type: quantity, path: /drawers }
    papers: { type: labeled_counter, path: "/papers/*" }
    model: { type: string, path: /model }
"#;

fn document(number: u64) -> String {
    format!("c0b1f5d2-83a4-4e0b-b6a9-{number:012x}")
}

fn post(pipeline: &Pipeline, uri: &str, body: &Value) {
    let mut client = pipeline.edge_client();
    let answer = client
        .post(uri, &[], body.to_string().as_bytes())
        .expect("an answer");
    assert_eq!(answer.status, 200, "{uri}: {}", answer.text());
}

fn printer(number: u64) -> Value {
    let site = ["north", "south"][(number % 2) as usize];
    json!({"printer_id": document(number), "version": format!("{}.0.7", 2 + number % 2), "drawers": number,
           "papers": {"A4": 3, "A5": "often"}, "model": "Jet", "site": site})
}

fn glean(number: u64) -> Value {
    json!({"ping_info": {"seq": 0, "start_time": "2026-11-28T19:33+00:00", "end_time": "2026-11-28T19:34+00:00"},
           "client_info": {"client_id": document(number), "app_display_version": "7.1", "os": "Linux"},
           "metrics": {"counter": {"docs.opened": number}, "string": {"docs.theme": "dark"}}})
}

/// The lines of a dump of one source.
fn lines_of(data: &Path, source: &str) -> Vec<Value> {
    let dump = well(command(data, "dump", &[]));
    let lines = dump
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line"));
    lines.filter(|line| line["source"] == source).collect()
}

/// Count and sum of a metric's cells that have this label and, if one is asked for, this value of a dimension.
fn total(lines: &[Value], metric: &str, label: &str, dimension: Option<(&str, &str)>) -> (i64, i64) {
    let is = |line: &&Value| {
        line["metric"] == metric
            && line["label"] == label
            && dimension.is_none_or(|(name, value)| line[name] == value)
    };
    lines.iter().filter(is).fold((0, 0), |(count, sum), line| {
        let more: i64 = line["sum"].as_str().expect("a sum").parse().expect("a number");
        (count + line["count"].as_i64().expect("a count"), sum + more)
    })
}

#[test]
fn pings_of_three_products_are_counted_and_a_changed_declaration_folds_its_source_anew_beside_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, file) = (folder.path().join("data"), folder.path().join("printer.yaml"));
    fs::write(&file, DECLARATION).expect("written");
    let declared = file.display().to_string();
    let arguments = ["--products", declared.as_str()];
    let pipeline = Pipeline::start(&data, &arguments);
    for number in 0..6 {
        post(
            &pipeline,
            &format!("/submit/inkpress/printer/1/{}", document(number)),
            &printer(number),
        );
        post(
            &pipeline,
            &format!("/submit/acme-notes/usage/1/{}", document(number)),
            &glean(number),
        );
        let firefox = SmallPing::numbered(number);
        let sent: Value = serde_json::from_str(&firefox.json().to_string()).expect("JSON");
        post(&pipeline, &firefox.uri(), &sent);
    }
    // One that nobody declared, and that is no ping of Glean's.
    post(
        &pipeline,
        &format!("/submit/acme-notes/other/1/{}", document(9)),
        &json!({"a": 1}),
    );
    pipeline.wait_for("all to be counted", |status| {
        status["folded"] == 18 && status["stored_only"] == 1 && status["settled"] == true
    });
    let ask = |target: &str| pipeline.api_client().get(target).expect("an answer").json();
    let drawers = ask("/api/v1/aggregates?source=inkpress/printer&metric=printer.drawers&group_by=version");
    let rows = drawers["data"].as_array().expect("rows").iter();
    let rows: Vec<_> = rows
        .map(|row| (&row["version"], &row["pings"], &row["sum"]))
        .collect();
    let of = |version: &str, sum: u64| (json!(version), json!(3), json!(sum));
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(a, b, c)| (a.clone(), b.clone(), c.clone()))
        .collect();
    assert!(
        rows.contains(&of("2", 6)) && rows.contains(&of("3", 9)),
        "{drawers}"
    );
    let models = ask("/api/v1/aggregates?source=inkpress/printer&metric=printer.model");
    assert_eq!(models["data"][0]["bins"], json!([["Jet", 6]]), "{models}");
    let sources = ask("/api/v1/sources");
    let sources = sources["sources"].as_array().expect("sources").iter();
    let readers: Vec<_> = sources
        .map(|source| {
            (
                source["source"].clone(),
                source["reader"].clone(),
                source["folded"].clone(),
            )
        })
        .collect();
    let expected = [
        ("acme-notes/other", "none", json!(0)),
        ("acme-notes/usage", "glean", json!(6)),
        ("inkpress/printer", "declared", json!(6)),
        ("telemetry/main", "telemetry", json!(6)),
    ];
    assert_eq!(
        readers,
        expected.map(|(source, reader, folded)| (json!(source), json!(reader), folded))
    );
    pipeline.terminate();
    let printers = lines_of(&data, "inkpress/printer");
    assert_eq!(total(&printers, "printer.drawers", "", None), (6, 15));
    assert_eq!(
        total(&printers, "printer.drawers", "", Some(("version", "3"))),
        (3, 1 + 3 + 5)
    );
    assert_eq!(total(&printers, "printer.papers", "A4", None), (6, 18));
    assert_eq!(total(&printers, "printer.model", "=Jet", None).0, 6);
    let notes = lines_of(&data, "acme-notes/usage");
    assert_eq!(total(&notes, "docs.opened", "", Some(("version", "7"))), (6, 15));
    assert_eq!(total(&notes, "docs.theme", "=dark", Some(("os", "Linux"))).0, 6);
    let firefox = lines_of(&data, "telemetry/main");
    assert!(!firefox.is_empty());

    // A dimension more: the source is folded anew beside all others, and its numbers change at once.
    let more = DECLARATION.replace("metrics:", "  site: { path: /site }\nmetrics:");
    fs::write(&file, more).expect("written");
    let pipeline = Pipeline::start(&data, &arguments);
    post(
        &pipeline,
        &format!("/submit/inkpress/printer/1/{}", document(6)),
        &printer(6),
    );
    let ask = |target: &str| pipeline.api_client().get(target).expect("an answer").json();
    pipeline.wait_for("the new dimension", |_| {
        let sites = ask("/api/v1/aggregates?source=inkpress/printer&metric=printer.drawers&group_by=site");
        let mut rows = sites["data"].as_array().into_iter().flatten();
        rows.any(|row| row["site"] == "south" && row["pings"] == 3 && row["sum"] == 1 + 3 + 5)
    });
    pipeline.wait_for("the ping that came meanwhile", |status| {
        status["folded"] == 19 && status["stored_only"] == 1 && status["settled"] == true
    });
    let told = well(command(&data, "rebuild", &["--source", "acme-notes/usage"]));
    assert!(told.is_empty(), "{told}");
    let refused = command(&data, "rebuild", &["--source", "acme-notes/usag"]);
    assert!(
        !refused.success && refused.stderr.contains("did you mean acme-notes/usage?"),
        "{}",
        refused.stderr
    );
    let refused = command(&data, "rebuild", &["--source", "acme-notes"]);
    assert!(
        !refused.success && refused.stderr.contains("telemetry/main"),
        "{}",
        refused.stderr
    );
    pipeline.terminate();
    let printers = lines_of(&data, "inkpress/printer");
    assert_eq!(
        total(&printers, "printer.drawers", "", Some(("site", "south"))),
        (3, 1 + 3 + 5)
    );
    assert_eq!(total(&printers, "printer.drawers", "", None), (7, 21));
    assert_eq!(lines_of(&data, "telemetry/main"), firefox);
    assert_eq!(lines_of(&data, "acme-notes/usage"), notes);
}

/// The real SDK, with one metric of each type that it records: each is in its cells, and the events are counted.
#[test]
fn what_gleans_own_sdk_sends_is_counted_without_a_word_of_configuration() {
    let Ok(python) = std::env::var("HIGHWATER_PYTHON") else {
        return println!("left out: HIGHWATER_PYTHON names no Python that has the package glean-sdk");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let pipeline = Pipeline::start(&data, &[]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("glean/use.py");
    let used = Command::new(python)
        .arg(script)
        .arg(format!("http://{}", pipeline.edge))
        .arg(folder.path().join("sdk"))
        .output()
        .expect("Python runs");
    assert!(used.status.success(), "{}", String::from_utf8_lossy(&used.stderr));
    // The ping of this use, and that of the SDK's own start.
    pipeline.wait_for("both pings to be counted", |status| {
        status["folded"] == 2 && status["settled"] == true
    });
    pipeline.terminate();
    let lines = lines_of(&data, "acme-notes/usage");
    let is_here = Some(("version", "2"));
    for (metric, label, count, sum) in [
        ("notes.opened", "", 1, 7),
        ("notes.size", "", 1, 9_007_199_254_740_993),
        ("notes.shared", "=true", 1, 0),
        ("notes.theme", "=dark", 1, 0),
        ("notes.plugins", "=spell", 1, 0),
        ("notes.plugins", "=math", 1, 0),
        ("notes.memory", "", 1, 1_024),
        ("notes.pages", "", 1, 62),
        ("notes.kinds", "pdf", 1, 3),
        ("notes.kinds", "png", 1, 2),
        ("notes.kinds", "", 1, 0),
        ("notes.themes", "left=dark", 1, 0),
        ("notes.options", "wide=false", 1, 0),
        ("events:notes.saved", "", 1, 1),
    ] {
        assert_eq!(
            total(&lines, metric, label, is_here),
            (count, sum),
            "{metric}[{label}]"
        );
    }
    assert_eq!(total(&lines, "notes.load", "", Some(("channel", "beta"))).0, 1);
    let spelled = lines
        .iter()
        .find(|line| line["label"] == "=spell")
        .expect("it is there");
    assert_eq!(spelled["bins"], json!([[0, "2"]]));
    assert!(
        lines
            .iter()
            .all(|line| line["kind"] == "users" || line["build_date"] == "20261001")
    );
    let users = lines.iter().filter(|line| line["kind"] == "users").count();
    assert_eq!(users, 1);
    let own = lines_of(&data, "acme-notes/health");
    assert_eq!(total(&own, "glean.health.init_count", "", None), (1, 1));
}

#[test]
fn a_declaration_that_cannot_be_carried_out_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("printer.yaml");
    let refused = |text: &str, words: &[&str]| {
        fs::write(&file, text).expect("written");
        let data = folder.path().join("data").display().to_string();
        let products = file.display().to_string();
        let said = tests::run(&["serve", "--check", "--data-dir", &data, "--products", &products]);
        assert!(!said.success, "{}", said.stdout);
        for words in words {
            assert!(said.stderr.contains(words), "{words} in {}", said.stderr);
        }
    };
    refused(
        &DECLARATION.replace("as: major", "as: majr"),
        &["printer.yaml: line 5", "`major`"],
    );
    refused(
        &DECLARATION.replace("metrics:", "  country: { header: X-Country }\nmetrics:"),
        &["`country`", "not stored"],
    );
}

#[test]
fn crash_and_core_pings_count_without_configuration_and_texts_of_scalars_by_their_definition() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("Scalars.yaml");
    fs::write(
        &file,
        "browser.ui:\n  theme: { kind: string, description: Its colours. }\n",
    )
    .expect("written");
    let file = file.display().to_string();
    let pipeline = Pipeline::start(&folder.path().join("data"), &["--definitions", &file]);
    let uri =
        |number: u64, rest: &str| format!("/submit/telemetry/{}/{rest}/20261001120000?v=4", document(number));
    let application =
        json!({"name": "Firefox", "version": "69.0.1", "channel": "release", "buildId": "20261001120000"});
    let crash = |cause: &str| json!({"application": application, "payload": {"stackTraces": {"crash_info": {"type": cause}}}});
    for (number, cause) in [(1, "SIGSEGV"), (2, "SIGSEGV"), (3, "SIGABRT")] {
        post(
            &pipeline,
            &uri(number, "crash/Firefox/69.0.1/release"),
            &crash(cause),
        );
    }
    let core = json!({"os": "Android", "sessions": 3, "searches": {"ddg.actionbar": 2}});
    post(&pipeline, &uri(4, "core/Fennec/68.2/beta"), &core);
    let scalars = json!({"browser.ui.theme": "dark", "browser.ui.other": "free"});
    let main =
        json!({"application": application, "payload": {"processes": {"parent": {"scalars": scalars}}}});
    post(&pipeline, &uri(5, "main/Firefox/69.0.1/release"), &main);
    // A type that nobody declared.
    post(
        &pipeline,
        &uri(6, "event/Firefox/69.0.1/release"),
        &json!({"a": 1}),
    );
    pipeline.wait_for("all to be counted", |status| {
        status["folded"] == 5 && status["stored_only"] == 1 && status["settled"] == true
    });
    let ask = |target: &str| pipeline.api_client().get(target).expect("an answer").json();
    let causes =
        ask("/api/v1/aggregates?source=telemetry/crash&metric=crash.cause&group_by=version,process_type");
    let row = &causes["data"][0];
    assert_eq!(
        (&row["version"], &row["process_type"]),
        (&json!("69"), &json!("main")),
        "{causes}"
    );
    assert_eq!(row["bins"], json!([["SIGSEGV", 2], ["SIGABRT", 1]]));
    // Of a core ping channel and version stand in its URI.
    let sessions = ask(
        "/api/v1/aggregates?source=telemetry/core&metric=core.sessions&group_by=application,channel,version",
    );
    let row = &sessions["data"][0];
    assert_eq!(
        (&row["application"], &row["channel"], &row["version"], &row["sum"]),
        (&json!("Fennec"), &json!("beta"), &json!("68"), &json!(3)),
        "{sessions}"
    );
    let themes = ask("/api/v1/aggregates?source=telemetry/main&metric=SCALARS_BROWSER.UI.THEME");
    assert_eq!(themes["description"], "Its colours.");
    assert_eq!(themes["data"][0]["bins"], json!([["dark", 1]]), "{themes}");
    let metrics = ask("/api/v1/metrics?source=telemetry/main");
    assert!(!metrics.to_string().contains("BROWSER.UI.OTHER"), "{metrics}");
    let sources = ask("/api/v1/sources");
    let sources = sources["sources"].as_array().expect("sources");
    let reader = |name: &str| {
        let found = sources.iter().find(|source| source["source"] == name);
        found.map(|source| source["reader"].clone())
    };
    assert_eq!(reader("telemetry/crash"), Some(json!("declared")));
    assert_eq!(reader("telemetry/event"), Some(json!("none")));
}

/// What a verdict of this name says, if it holds.
fn told(pipeline: &Pipeline, name: &str) -> Option<String> {
    let health = pipeline.api_client().get("/api/v1/health");
    let health = health.expect("an answer").json();
    let verdicts = health["verdicts"].as_array()?.iter();
    let mut found = verdicts.filter(|verdict| verdict["name"] == name);
    found.next().map(|verdict| verdict["what"].to_string())
}

#[test]
fn a_declared_metric_that_never_comes_and_a_dimension_of_too_many_values_are_told_and_identifiers_make_none()
{
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("printer.yaml");
    let declaration = DECLARATION
        .replace(
            "metrics:",
            "  site: { path: /site }\n  owner: { path: /printer_id }\nmetrics:",
        )
        .replace(
            "    model:",
            "    colour: { type: string, path: /ink/colour }\n    model:",
        );
    fs::write(&file, declaration).expect("written");
    let declared = file.display().to_string();
    let pipeline = Pipeline::start(&folder.path().join("data"), &["--products", declared.as_str()]);
    for number in 0..1_001 {
        let mut ping = printer(number);
        ping["site"] = json!(format!("room {number}"));
        post(
            &pipeline,
            &format!("/submit/inkpress/printer/1/{}", document(number)),
            &ping,
        );
    }
    for (verdict, named) in [
        (
            "dimensions_crowded",
            ": inkpress/printer site at /site (1,001 values).",
        ),
        (
            "declared_never_seen",
            ": inkpress/printer printer.colour at /ink/colour.",
        ),
    ] {
        pipeline.wait_for(verdict, |_| told(&pipeline, verdict).is_some());
        let what = told(&pipeline, verdict).expect("it is told");
        assert!(what.contains(named), "{what}");
    }
}
