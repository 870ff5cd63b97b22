//! What definitions and declarations say beside numbers: descriptions, units, labels, and the bins of custom distributions.

use aggregate_store::{CellKey, DimensionSet, Source};
use query::Api;
use readers::declaration::Declaration;
use serde_json::{Value, json};
use sketch::{Cell, HistogramKind, Layout};

use super::pings::NUMBER;
use super::store::Facts;
use super::world::{NIGHTLY, World, cell, firefox, get, get_json, labelled, of_kind, sample};

const METRICS: &str = "$schema: moz://mozilla.org/schemas/glean/metrics/2-0-0
ui:
  tabs: {type: quantity, unit: tabs, description: Open tabs., send_in_pings: [usage], expires: 2027-01-31}
  load: {type: timing_distribution, description: Of a page., send_in_pings: [usage]}
  pages: {type: custom_distribution, range_max: 100, bucket_count: 12, histogram_type: linear, unit: pages, send_in_pings: [usage]}
  kinds: {type: labeled_counter, labels: [pdf, png], send_in_pings: [usage]}
  other: {type: counter, send_in_pings: [metrics]}
";

const DECLARATION: &str = "$highwater: product/1
sources: [acme-cli/usage]
dimensions: { version: { path: /version } }
metrics:
  usage:
    size: { type: memory_distribution, path: /size, unit: kilobyte, description: Of a file. }
    kinds: { type: labeled_counter, path: \"/kinds/*\", labels: [a, b] }
";

/// A cell of a source, of pings of one operating system.
fn of(source: &str, os: &str, metric: &str, layout: Layout, held: Cell) -> (CellKey, Cell) {
    let day = "20261130".parse().expect("a date");
    let set = DimensionSet::stating(Source::named(source), day, &[("os", os)]);
    cell(metric, set, "", layout, held)
}

fn api() -> Api {
    let keys = |bins: &[(i64, i128)]| {
        let sum = bins
            .iter()
            .map(|(bound, samples)| i128::from(*bound) * samples)
            .sum();
        Cell::new(1, sum, bins.to_vec())
    };
    let linux = |metric: &str, layout, held| of("acme/usage", "Linux", metric, layout, held);
    let cells = vec![
        linux("ui.tabs", NUMBER, sample(7)),
        linux("ui.load", Layout::NUMBER, sample(8)),
        linux("ui.new", NUMBER, sample(1)),
        linux("ui.other", NUMBER, sample(1)),
        linux("ui.pages", Layout::KEYS, keys(&[(1, 2), (60, 1), (100, 1)])),
        of(
            "acme/usage",
            "Darwin",
            "ui.pages",
            Layout::KEYS,
            keys(&[(1, 1), (61, 1)]),
        ),
        labelled(linux("ui.kinds", NUMBER, sample(2)), "pdf"),
        linux("ui.kinds", Layout::CATEGORIES, Cell::new(1, 0, [])),
        of("acme/metrics", "Linux", "ui.other", NUMBER, sample(1)),
        of(
            "acme-cli/usage",
            "Linux",
            "usage.size",
            Layout::MEMORY,
            sample(1_023),
        ),
        of("acme-cli/usage", "Linux", "ui.tabs", NUMBER, sample(1)),
    ];
    let mut world = World::of(Facts {
        cells,
        ..Facts::default()
    })
    .define(METRICS);
    world
        .definitions
        .declare(&Declaration::read(DECLARATION).expect("a declaration"));
    world.api()
}

async fn metrics_of(api: &Api, source: &str) -> Vec<Value> {
    let answer = get_json(api, &format!("/api/v1/metrics?source={source}")).await;
    answer["metrics"].as_array().expect("metrics").clone()
}

#[tokio::test]
async fn a_list_of_metrics_says_what_is_defined_for_their_ping() {
    let metrics = metrics_of(&api(), "acme/usage").await;
    let expected = json!([
        {"metric": "ui.kinds", "pings": 1, "kind": "number", "labelled": true, "declared": true, "labels": ["pdf", "png"]},
        {"metric": "ui.load", "pings": 1, "kind": "distribution", "unit": "ns", "labelled": false, "description": "Of a page.", "declared": true},
        {"metric": "ui.new", "pings": 1, "kind": "number", "labelled": false, "declared": false},
        {"metric": "ui.other", "pings": 1, "kind": "number", "labelled": false, "declared": false},
        {"metric": "ui.pages", "pings": 2, "kind": "distribution", "unit": "pages", "labelled": false, "declared": true},
        {"metric": "ui.tabs", "pings": 1, "kind": "number", "unit": "tabs", "labelled": false, "description": "Open tabs.", "declared": true,
         "expires": "2027-01-31"},
    ]);
    assert_eq!(json!(metrics), expected);
    let elsewhere = metrics_of(&api(), "acme/metrics").await;
    assert_eq!(elsewhere[0]["declared"], true);
}

#[tokio::test]
async fn of_a_declared_product_its_declaration_speaks_and_no_definition_of_gleans() {
    let expected = json!([
        {"metric": "ui.tabs", "pings": 1, "kind": "number", "labelled": false, "declared": false},
        {"metric": "usage.size", "pings": 1, "kind": "distribution", "unit": "bytes", "labelled": false, "description": "Of a file.", "declared": true},
    ]);
    assert_eq!(json!(metrics_of(&api(), "acme-cli/usage").await), expected);
}

#[tokio::test]
async fn a_declared_dimension_is_one_before_any_ping_stated_it() {
    let api = api();
    let of = "source=acme-cli/usage&metric=usage.size";
    let grouped = get_json(&api, &format!("/api/v1/aggregates?{of}&group_by=version")).await;
    assert_eq!(grouped["data"][0]["version"], "UNKNOWN");
    assert_eq!(grouped["data"][0]["pings"], 1);
    let unknown = get_json(&api, &format!("/api/v1/aggregates?{of}&version=UNKNOWN")).await;
    assert_eq!(unknown["data"][0]["pings"], 1);
    let listed = get_json(&api, "/api/v1/values?source=acme-cli/usage&dimension=version").await;
    assert_eq!(listed["values"], json!([{"value": "UNKNOWN"}]));
    let sources = get_json(&api, "/api/v1/sources").await;
    let sources = sources["sources"].as_array().expect("sources");
    let dimensions = |name: &str| {
        let found = sources.iter().find(|source| source["source"] == name);
        found.expect("it is counted")["dimensions"].clone()
    };
    assert_eq!(
        dimensions("acme-cli/usage"),
        json!(["submission_date", "os", "version"])
    );
    assert_eq!(
        dimensions("acme/usage"),
        json!(["submission_date", "os"]),
        "nobody declared more"
    );
}

#[tokio::test]
async fn keys_of_a_custom_distribution_are_read_by_its_definition_where_all_are_its_bounds() {
    let api = api();
    let asked = "/api/v1/aggregates?source=acme/usage&metric=ui.pages&percentiles=50,100";
    let answer = get_json(&api, &format!("{asked}&group_by=os")).await;
    assert_eq!(
        (&answer["unit"], &answer["kind"]),
        (&json!("pages"), &json!("distribution"))
    );
    let rows = answer["data"].as_array().expect("rows");
    let row = |os: &str| rows.iter().find(|row| row["os"] == os).expect("a row");
    let linux = row("Linux");
    assert_eq!(
        linux["layout"],
        json!({"kind": "linear", "min": 1, "max": 100, "buckets": 12})
    );
    assert_eq!(linux["bins"], json!([[1, 2], [60, 1], [100, 1]]));
    // By hand: the second of four samples lies in the bin from 1 to 10, the last one in that without end.
    assert_eq!(linux["percentiles"]["50"]["low"], 1);
    assert_eq!(linux["percentiles"]["50"]["high"], 10);
    assert_eq!(
        linux["percentiles"]["100"],
        json!({"value": 100, "low": 100, "high": null})
    );
    // 61 is no bound: another layout counted there.
    assert_eq!(row("Darwin")["layout"], json!({"kind": "keys"}));
    assert_eq!(row("Darwin")["bins"], json!([[1, 1], [61, 1]]));
    let together = get_json(&api, asked).await;
    assert_eq!(together["data"][0]["layout"], json!({"kind": "keys"}));
    assert_eq!(together["data"][0]["samples"], 6);
}

#[tokio::test]
async fn an_answer_has_the_unit_and_the_description_of_its_definition() {
    let api = api();
    let of = |metric: &'static str| {
        let api = &api;
        async move {
            get_json(
                api,
                &format!("/api/v1/aggregates?source=acme/usage&metric={metric}"),
            )
            .await
        }
    };
    let tabs = of("ui.tabs").await;
    assert_eq!(
        (&tabs["unit"], &tabs["description"]),
        (&json!("tabs"), &json!("Open tabs."))
    );
    let load = of("ui.load").await;
    assert_eq!(
        (&load["unit"], &load["description"]),
        (&json!("ns"), &json!("Of a page."))
    );
    let new = of("ui.new").await;
    assert_eq!((&new["unit"], &new["description"]), (&Value::Null, &Value::Null));
}

/// Telemetry's: a scalar that is a text, one that is a number, and a categorical histogram of two releases.
fn telemetry() -> Api {
    let set = || firefox("20150630", "20150701");
    let text = |process: &str, held: Cell| cell("SCALARS_UI.THEME", set(), process, Layout::CATEGORIES, held);
    let times = |times: i128| Cell::new(1, 0, [(0, times)]);
    let categorical = |bins: u32, held: Cell| {
        cell(
            "REASON",
            set(),
            "parent",
            of_kind(HistogramKind::Categorical, bins),
            held,
        )
    };
    let cells = vec![
        text("parent", Cell::new(2, 0, [])),
        labelled(text("parent", Cell::new(2, 0, [(0, 2)])), "=dark"),
        text("content", Cell::new(1, 0, [])),
        labelled(text("content", times(1)), "=light"),
        cell("SCALARS_UI.TABS", set(), "parent", Layout::COUNT, sample(7)),
        categorical(51, Cell::new(3, 4, [(0, 2), (1, 1), (3, 1)])),
        categorical(52, Cell::new(1, 7, [(1, 1), (50, 1)])),
    ];
    World::of(Facts {
        cells,
        ..Facts::default()
    })
    .define("ui:\n  theme: {kind: string, description: Its colours.}\n  tabs: {kind: uint, description: How many.}\n")
    .define(r#"{"REASON": {"kind": "categorical", "labels": ["user", "system"], "description": "Why."}}"#)
    .api()
}

#[tokio::test]
async fn a_text_of_a_scalar_is_a_category_of_each_process() {
    let api = telemetry();
    let asked = "/api/v1/aggregates?source=telemetry/main&metric=SCALARS_UI.THEME";
    let all = get_json(&api, asked).await;
    assert_eq!(
        (&all["kind"], &all["description"]),
        (&json!("category"), &json!("Its colours."))
    );
    assert_eq!(all["data"][0]["bins"], json!([["dark", 2], ["light", 1]]));
    let by_process = get_json(&api, &format!("{asked}&group_by=process")).await;
    let rows: Vec<_> = by_process["data"].as_array().expect("rows").iter().collect();
    let of = |process: &str| rows.iter().find(|row| row["process"] == process).expect("a row");
    assert_eq!(
        (&of("parent")["pings"], &of("parent")["bins"]),
        (&json!(2), &json!([["dark", 2]]))
    );
    assert_eq!(
        (&of("content")["pings"], &of("content")["bins"]),
        (&json!(1), &json!([["light", 1]]))
    );
    let metrics = metrics_of(&api, "telemetry/main").await;
    let theme = metrics
        .iter()
        .find(|metric| metric["metric"] == "SCALARS_UI.THEME")
        .expect("it is listed");
    assert_eq!(
        (&theme["kind"], &theme["labelled"], &theme["declared"]),
        (&json!("category"), &json!(false), &json!(true))
    );
}

#[tokio::test]
async fn the_originals_routes_know_no_texts() {
    let api = telemetry();
    let options = get_json(&api, "/filters/?channel=nightly&version=41").await;
    assert_eq!(options["metric"], json!(["REASON", "SCALARS_UI.TABS"]));
    let dates = "&dates=20150630";
    assert_eq!(
        get(&api, &format!("{NIGHTLY}{dates}&metric=SCALARS_UI.THEME"))
            .await
            .status,
        404
    );
    assert_eq!(
        get(&api, &format!("{NIGHTLY}{dates}&metric=SCALARS_UI.TABS"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_categorical_histogram_has_its_labels_whatever_its_number_of_bins() {
    let answer = get_json(
        &telemetry(),
        "/api/v1/aggregates?source=telemetry/main&metric=REASON",
    )
    .await;
    assert_eq!(
        (&answer["kind"], &answer["description"]),
        (&json!("category"), &json!("Why."))
    );
    let rows = answer["data"].as_array().expect("rows");
    assert_eq!(rows.len(), 1, "{answer}");
    assert_eq!(rows[0]["layout"], json!({"kind": "categories"}));
    // By hand: what lies behind the labels, 3 and 50, is spilled.
    assert_eq!(rows[0]["bins"], json!([["spill", 2], ["system", 2], ["user", 2]]));
    assert_eq!(rows[0]["pings"], 4);
}
