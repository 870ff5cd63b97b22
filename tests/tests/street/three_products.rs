//! The pings of three products: Firefox, one with Glean's SDK, one that is declared; and some that are only stored. With texts
//! that break whoever takes them for markup or SQL.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tests::{Pipeline, SmallPing};

const DECLARATION: &str = r#"$highwater: product/1
sources: [inkpress/printer]
description: Printers.
client_id: { path: /printer_id }
dimensions:
  version: { path: /version, as: major_minor }
  site: { path: /site }
  country: { path: /country }
metrics:
  printer:
    drawers: { type: quantity, path: /drawers }
    papers: { type: labeled_counter, path: "/papers/*" }
    model: { type: string, path: /model }
    duplex: { type: boolean, path: /duplex }
    warm_up: { type: timespan, path: /warm_up_ms, unit: millisecond }
    jobs: { type: labeled_timing_distribution, path: "/jobs/*", unit: millisecond }
"#;

/// Pings of each product.
pub(crate) const EACH: u64 = 60;

/// Texts that a page or a database must take as they are.
const ODD: [&str; 5] = [
    "<img src=x onerror=alert(1)>",
    "it's \"quoted\" & <b>bold</b>",
    "日本語 €",
    "a,b..c%2Cd",
    "'; DROP TABLE cells; --",
];

/// Starts the program, and posts what it then has counted.
pub(crate) fn counted(data: &Path) -> Pipeline {
    let file = data.with_extension("yaml");
    fs::write(&file, DECLARATION).expect("written");
    let pipeline = Pipeline::start(data, &["--products", &file.display().to_string()]);
    let mut edge = pipeline.edge_client();
    let mut post = |uri: &str, body: &Value| {
        let answer = edge.post(uri, &[], body.to_string().as_bytes());
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 200, "{uri}: {}", answer.text());
    };
    for number in 0..EACH {
        let firefox = firefox(number);
        post(&firefox.uri(), &json!(firefox.json()));
        let notes = format!("/submit/acme-notes/usage/1/{}", document(number));
        post(&notes, &glean(number));
        let printer = format!("/submit/inkpress/printer/1/{}", document(number));
        post(&printer, &declared(number));
    }
    // One that nobody declared, and that is no ping of Glean's.
    let other = format!("/submit/acme-notes/other/1/{}", document(9));
    post(&other, &json!({"a": 1}));
    pipeline.wait_for("all to be counted", |status| {
        status["folded"] == 3 * EACH && status["stored_only"] == 1 && status["settled"] == true
    });
    pipeline
}

fn document(number: u64) -> String {
    format!("c0b1f5d2-83a4-4e0b-b6a9-{number:012x}")
}

/// The `number`th of so many.
fn one<T: Clone>(of: &[T], number: u64) -> T {
    of[usize::try_from(number).expect("small") % of.len()].clone()
}

fn firefox(number: u64) -> SmallPing {
    let mut ping = SmallPing::numbered(number);
    ping.version = format!("{}.0a1", 54 + number % 2);
    ping.build_id = format!("201701{:02}030205", 20 + number % 10);
    let samples = i64::try_from(1 + number % 5).expect("small");
    ping.bins = vec![(1, samples), (7, 1), (50 + samples, 2)];
    ping
}

fn glean(number: u64) -> Value {
    let theme = if number % 20 == 7 {
        one(&ODD, number / 20)
    } else {
        one(&["dark", "light", "dark"], number)
    };
    let mut metrics = json!({
        "counter": {"docs.opened": number % 9},
        "string": {"docs.theme": theme},
        "boolean": {"docs.shared": number.is_multiple_of(4)},
        "string_list": {"docs.plugins": ["spell", one(&["math", "maps"], number)]},
        "labeled_counter": {"docs.kinds": {"pdf": 1 + number % 3, "png": number % 5, "tiff": 1}},
        "timing_distribution": {"docs.load": {
            "sum": (1 + number % 4) * 10_000_000 + 2 * 20_000_000, "values": {"9975792": 1 + number % 4, "19951584": 2},
        }},
    });
    if number.is_multiple_of(12) {
        metrics["labeled_counter"]["docs.kinds"][one(&ODD, number / 12)] = json!(1);
    }
    json!({
        "ping_info": {"seq": number, "start_time": "2026-11-28T19:33+00:00", "end_time": "2026-11-28T19:34+00:00",
                      "reason": one(&["dirty_startup", "background"], number)},
        "client_info": {"client_id": document(number), "app_display_version": format!("{}.1", 7 + number % 2),
                        "app_build": format!("202610{:02}120000", 1 + number % 14), "app_channel": one(&["beta", "release"], number / 3),
                        "os": one(&["Linux", "Windows", "Darwin"], number), "os_version": "12.4", "architecture": "x86_64",
                        "locale": one(&["de-DE", "en-US", "pt-BR"], number / 2), "build_date": "1970-01-01T00:00:00+00:00"},
        "metrics": metrics,
        "events": [{"timestamp": 0, "category": "docs", "name": "saved"}],
    })
}

fn declared(number: u64) -> Value {
    let mut ping = json!({
        "printer_id": document(number), "version": format!("{}.{}.7", 2 + number % 2, number % 3), "drawers": number % 7,
        "papers": {"A4": 3, "A5": number % 4, "Letter": 1}, "model": one(&["Jet", "Jet", "Laser"], number), "duplex": !number.is_multiple_of(3),
        "warm_up_ms": 800 + 10 * (number % 30),
        "jobs": {"copy": [120, 250 + number], "scan": [900 + 3 * number]},
        "site": one(&["north", "south", "east"], number),
    });
    if !number.is_multiple_of(5) {
        ping["country"] = json!(one(&["DE", "FR", "JP", "BR"], number));
    }
    if number % 15 == 4 {
        ping["site"] = json!(one(&ODD, number / 15));
        ping["model"] = json!(one(&ODD, number / 15 + 1));
    }
    ping
}
