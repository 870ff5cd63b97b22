//! Use counters: what documents leave over.

use serde_json::json;
use sketch::{Cell, HistogramKind, Layout};

use super::store::Facts;
use super::world::{NIGHTLY, World, cell, firefox, get, get_json, of_kind};

#[tokio::test]
async fn a_use_counters_false_bin_is_what_the_documents_leave_over() {
    let boolean = of_kind(HistogramKind::Boolean, 3);
    let on = |build: &str| firefox(build, "20150705");
    let (counter, documents) = ("USE_COUNTER2_X_DOCUMENT", "[[COUNT]]_CONTENT_DOCUMENTS_DESTROYED");
    let destroyed = |build: &str, process: &str, n: i64| {
        cell(
            documents,
            on(build),
            process,
            Layout::COUNT,
            Cell::new(2, i128::from(n), [(0, 2)]),
        )
    };
    let used = |build: &str, process: &str, n: i64| {
        let times = Cell::new(1, i128::from(n), [(1, i128::from(n))]);
        cell(counter, on(build), process, boolean, times)
    };
    let cells = vec![
        used("20150701", "content", 11),
        destroyed("20150701", "content", 348),
        destroyed("20150701", "parent", 52),
        used("20150702", "content", 3), // no denominator
        used("20150703", "socket", 3),  // only under another filter
        destroyed("20150703", "content", 7),
        destroyed("20150704", "content", 8), // no use counter at all
    ];
    let api = World::of(Facts {
        cells,
        ..Facts::default()
    })
    .api();
    let dates = "&dates=20150701,20150702,20150703,20150704";
    let answer = get_json(&api, &format!("{NIGHTLY}&metric={counter}{dates}")).await;
    let point = |date: &str, histogram: [i64; 3], sum: i64, count: i64| json!({"date": date, "label": "", "histogram": histogram, "sum": sum, "count": count});
    let expected = [
        point("20150701", [389, 11, 0], 11, 1),
        point("20150702", [0, 3, 0], 3, 1),
        point("20150703", [7, 0, 0], 0, 2),
    ];
    assert_eq!(answer["data"], json!(expected));
    let content = get_json(
        &api,
        &format!("{NIGHTLY}&metric={counter}&dates=20150701&child=content"),
    )
    .await;
    assert_eq!(content["data"], json!([point("20150701", [337, 11, 0], 11, 1)]));
    let (_, reason, _) = get(&api, &format!("{NIGHTLY}&metric={counter}&dates=20150704"))
        .await
        .refusal();
    assert_eq!(reason, "dates_without_data");
}
