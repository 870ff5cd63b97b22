//! Active users against exact sets of clients.

use std::collections::BTreeSet;

use index_schema::ProductCount;
use serde_json::{Value, json};
use sketch::{STANDARD_ERROR, UserSketch, coupon_of};

use super::store::Facts;
use super::world::{World, firefox_users, get, get_json};

/// Who was active: (days after 2017-01-01, operating system, clients).
type Activity = (i64, &'static str, std::ops::Range<u32>);

fn date(offset: i64) -> String {
    let first: ping::SubmissionDate = "20170101".parse().expect("a date");
    first.plus_days(offset).to_string()
}

fn facts(activity: &[Activity]) -> Facts {
    let users = activity.iter().map(|(offset, os, clients)| {
        let mut sketch = UserSketch::new();
        sketch.extend(
            clients
                .clone()
                .filter_map(|client| coupon_of(&format!("client-{client}"))),
        );
        (firefox_users(&date(*offset), "41", os), sketch)
    });
    Facts {
        users: users.collect(),
        ..Facts::default()
    }
}

fn exact(activity: &[Activity], days: std::ops::RangeInclusive<i64>, os: Option<&str>) -> usize {
    let active = activity
        .iter()
        .filter(|(offset, of, _)| days.contains(offset) && os.is_none_or(|os| os == *of));
    active
        .flat_map(|(_, _, clients)| clients.clone())
        .collect::<BTreeSet<u32>>()
        .len()
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

#[tokio::test]
async fn daily_and_monthly_users_are_within_three_standard_errors_and_few_are_exact() {
    let activity: Vec<Activity> = (0..40)
        .flat_map(|day| {
            let start = u32::try_from(day).expect("small") * 700;
            [
                (day, "Windows_NT", start..start + 6_000),
                (day, "Linux", 500_000 + start..500_000 + start + 20),
            ]
        })
        .collect();
    let api = World::of(facts(&activity)).api();
    let answer = get_json(
        &api,
        &format!("/api/v1/engagement?from={}&to={}&group_by=os", date(0), date(39)),
    )
    .await;
    assert_eq!(number(&answer["standard_error"]), STANDARD_ERROR);
    assert_eq!(answer["group_by"], "os");
    let data = answer["data"].as_array().expect("data");
    assert_eq!(data.len(), 80);
    for (at, entry) in (0_i64..).zip(data) {
        let (day, os) = (at / 2, ["Linux", "Windows_NT"][(at % 2) as usize]);
        assert_eq!((&entry["date"], &entry["group"]), (&json!(date(day)), &json!(os)));
        let truths = [
            exact(&activity, day..=day, Some(os)),
            exact(&activity, day - 27..=day, Some(os)),
        ];
        for (found, truth) in [&entry["dau"], &entry["mau"]].into_iter().zip(truths) {
            let allowed = if truth < 300 {
                0.0
            } else {
                3.0 * STANDARD_ERROR * truth as f64
            };
            assert!(
                (number(found) - truth as f64).abs() <= allowed,
                "{entry}: {truths:?}"
            );
        }
        let ratio = number(&entry["dau"]) / number(&entry["mau"]);
        assert!((number(&entry["er"]) - ratio).abs() < 0.03, "{entry}");
    }
}

#[tokio::test]
async fn filters_narrow_and_without_a_group_every_day_has_one_entry() {
    let activity = [(0, "Linux", 0..5), (0, "Darwin", 3..9), (2, "Linux", 4..6)];
    let api = World::of(facts(&activity)).api();
    let ask = |filter: &str| format!("/api/v1/engagement?from={}&to={}{filter}", date(0), date(2));
    let all = get_json(&api, &ask("")).await;
    let entry = |offset, dau: u64, mau: u64, er: f64| json!({"date": date(offset), "group": "", "dau": dau, "mau": mau, "er": er});
    assert_eq!(all["group_by"], Value::Null);
    assert_eq!((&all["from"], &all["to"]), (&json!(date(0)), &json!(date(2))));
    let rounded = |answer: &Value| {
        let mut data = answer["data"].as_array().expect("data").clone();
        for entry in &mut data {
            entry["er"] = json!((number(&entry["er"]) * 1e3).round() / 1e3);
        }
        data
    };
    assert_eq!(
        rounded(&all),
        [entry(0, 9, 9, 1.0), entry(1, 0, 9, 0.0), entry(2, 2, 9, 0.222)]
    );
    let linux = get_json(
        &api,
        &ask("&os=Linux&channel=nightly&version=41&application=Firefox"),
    )
    .await;
    assert_eq!(
        rounded(&linux),
        [entry(0, 5, 5, 1.0), entry(1, 0, 5, 0.0), entry(2, 2, 6, 0.333)]
    );
    let nobody = get_json(&api, &ask("&os=Plan9")).await;
    assert_eq!(
        nobody["data"][0],
        json!({"date": date(0), "group": "", "dau": 0, "mau": 0, "er": null})
    );
    let grouped = get_json(&api, &ask("&os=Plan9&group_by=os")).await;
    assert_eq!(grouped["data"], json!([]));
}

#[tokio::test]
async fn a_question_that_cannot_be_is_400_with_the_reason() {
    let api = World::of(Facts::default()).api();
    let (code, reason, sentence) = get(&api, "/api/v1/engagement?from=2017-01-01&to=20170102")
        .await
        .refusal();
    assert_eq!((code, reason.as_str()), (400, "invalid_parameter"));
    assert!(sentence.contains("YYYYMMDD"), "{sentence}");
    assert_eq!(
        get(&api, "/api/v1/engagement?from=20170101").await.refusal().1,
        "missing_parameter"
    );
}

#[tokio::test]
async fn what_is_stored_and_not_counted_is_said_and_named_where_no_user_is() {
    let product = |namespace: &str, doc_type: &str, records| ProductCount {
        namespace: namespace.to_owned(),
        doc_type: doc_type.to_owned(),
        app_name: "UNKNOWN".to_owned(),
        records,
    };
    let ask = format!("/api/v1/engagement?from={}&to={}", date(0), date(2));
    let answer = async |activity: &[Activity], products: &[ProductCount]| {
        let mut world = World::of(facts(activity));
        world.products = products.to_vec();
        get_json(&world.api(), &ask).await
    };
    let glean = [
        product("shop", "metrics", 20),
        product("shop", "baseline", 3),
        product("OTHER", "OTHER", 2),
    ];
    let nobody = answer(&[], &glean).await;
    assert_eq!(nobody["data"][0]["dau"], 0);
    assert_eq!(nobody["not_counted"], 23);
    let note = nobody["note"].as_str().expect("a note");
    for words in [
        "23 stored pings",
        "shop metrics (20), shop baseline (3)",
        "2 stored pings lie under OTHER",
    ] {
        assert!(note.contains(words), "{words}: {note}");
    }
    let somebody = answer(&[(0, "Linux", 0..5)], &glean).await;
    assert_eq!(
        (&somebody["not_counted"], somebody.get("note")),
        (&json!(23), None)
    );
    for products in [&[][..], &[product("telemetry", "main", 7)]] {
        let nothing = answer(&[], products).await;
        assert_eq!((nothing.get("not_counted"), nothing.get("note")), (None, None));
    }
}
