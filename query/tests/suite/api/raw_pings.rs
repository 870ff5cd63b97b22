//! Raw pings: what is asked for, how much of it, and where they are not answered.

use std::sync::{Arc, Mutex};

use aggregate_store::{Filter, Source};
use async_trait::async_trait;
use http::Method;
use query::{FindPings, FindPingsError, PingsAsked, PingsDoor, PingsFound};

use super::pings::{GLEAN, cells, pings};
use super::store::Facts;
use super::world::{World, get, request};

/// Notes what it is asked for, and finds the same always.
#[derive(Debug, Default)]
struct Noting(Mutex<Vec<PingsAsked>>);

#[async_trait]
impl FindPings for Noting {
    async fn find(&self, asked: PingsAsked) -> Result<PingsFound, FindPingsError> {
        let is_cut = asked.limit == 1;
        self.0.lock().expect("a list").push(asked);
        Ok(PingsFound {
            lines: b"{\"a\":1}\n".to_vec(),
            is_cut,
            unread: 2 * u64::from(is_cut),
        })
    }
}

fn world() -> World {
    World::of(Facts {
        cells: cells(&pings()),
        ..Facts::default()
    })
}

#[tokio::test]
async fn the_dimensions_of_a_source_are_filters_and_what_is_found_is_a_line_each() {
    let noting = Arc::new(Noting::default());
    let mut world = world();
    world.pings = PingsDoor::Open {
        finder: noting.clone(),
        forwarded: false,
    };
    let api = world.api();
    let plain = get(&api, &format!("/api/v1/pings?source={GLEAN}")).await;
    assert_eq!(
        (plain.status.as_u16(), plain.header("content-type")),
        (200, "application/x-ndjson")
    );
    assert_eq!(plain.body, b"{\"a\":1}\n");
    assert_eq!(plain.header("x-highwater-cut"), "false");
    assert!(!plain.has("x-highwater-chunks-left-out"));
    assert!(plain.has("etag") && !plain.has("access-control-allow-origin"));
    let question = "country=DE,a%252Cb&os=Linux&from=20260101&sample_id=42&limit=1&fields=a,/b/c";
    let asked = get(&api, &format!("/api/v1/pings?source={GLEAN}&{question}")).await;
    assert_eq!(asked.header("x-highwater-cut"), "true");
    assert_eq!(asked.header("x-highwater-chunks-left-out"), "2");
    let noted = noting.0.lock().expect("a list");
    assert_eq!(
        (noted[0].limit, noted[0].filters.len(), noted[0].sample_id),
        (100, 0, None)
    );
    let countries = vec!["DE".to_owned(), "a,b".to_owned()];
    let filters = vec![
        Filter::any_of("country", countries),
        Filter::is("os", "Linux"),
        Filter::between("submission_date", Some("20260101".to_owned()), None),
    ];
    assert_eq!(noted[1].source, Source::named(GLEAN));
    assert_eq!(noted[1].filters, filters);
    assert_eq!((noted[1].sample_id, noted[1].limit), (Some(42), 1));
    assert_eq!(noted[1].fields, ["a", "/b/c"]);
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_with_what_can() {
    let mut world = world();
    world.pings = PingsDoor::Open {
        finder: Arc::new(Noting::default()),
        forwarded: false,
    };
    let api = world.api();
    for (question, status, reason) in [
        ("", 404, "missing_parameter"),
        ("source=demo-app/metrics&oss=x", 400, "unknown_parameter"),
        ("source=demo-app/metrics&limit=10001", 400, "invalid_parameter"),
        ("source=demo-app/metrics&limit=0", 400, "invalid_parameter"),
        ("source=demo-app/metrics&sample_id=100", 400, "invalid_parameter"),
        ("source=demo-app/metrics&from=20260231", 400, "invalid_parameter"),
        ("source=shop/visit&plan=x", 400, "unknown_parameter"),
    ] {
        let refused = get(&api, &format!("/api/v1/pings?{question}")).await.refusal();
        assert_eq!((refused.0, refused.1.as_str()), (status, reason), "{question}");
    }
    let stored_only = get(&api, "/api/v1/pings?source=shop/visit&submission_date=20260101").await;
    assert_eq!(stored_only.status.as_u16(), 200);
}

#[tokio::test]
async fn what_a_proxy_passed_on_gets_no_raw_pings_unless_they_are_open_to_it() {
    for (forwarded, status) in [(false, 403), (true, 200)] {
        let mut world = world();
        world.pings = PingsDoor::Open {
            finder: Arc::new(Noting::default()),
            forwarded,
        };
        let api = world.api();
        let target = format!("/api/v1/pings?source={GLEAN}");
        for header in [
            "Forwarded",
            "Via",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Real-IP",
        ] {
            let answer = request(&api, Method::GET, &target, &[(header, "10.0.0.1")]).await;
            assert_eq!(answer.status.as_u16(), status, "{header}");
        }
        assert_eq!(get(&api, &target).await.status.as_u16(), 200);
    }
}

#[tokio::test]
async fn where_raw_pings_are_closed_it_is_said_why_whatever_is_asked() {
    let api = world().api();
    for question in ["", "source=no/such", "source=demo-app/metrics&limit=0"] {
        let (status, reason, sentence) = get(&api, &format!("/api/v1/pings?{question}")).await.refusal();
        assert_eq!(
            (status, reason.as_str(), sentence.as_str()),
            (403, "pings_closed", "Not here.")
        );
    }
}

#[tokio::test]
async fn the_catalogue_names_what_there_is_and_its_questions_have_answers() {
    let api = world().api();
    let catalogue = get(&api, "/api/v1/catalogue.json").await.json();
    let sources = catalogue["sources"].as_array().expect("sources");
    assert_eq!(sources.len(), 2);
    for source in sources {
        assert_eq!(
            source["listed_metrics"].as_array().expect("metrics").len(),
            source["metrics"]
        );
        assert_eq!(source["has_more_metrics"], false);
        let questions = source["questions"].as_array().expect("questions");
        assert_eq!(questions.len(), 4);
        for question in questions {
            let answer = get(&api, question.as_str().expect("an address")).await;
            assert_eq!(answer.status.as_u16(), 200, "{question}");
            let answer = answer.json();
            let list = ["values", "metrics", "data"]
                .iter()
                .find_map(|name| answer[*name].as_array());
            assert!(list.is_some_and(|list| !list.is_empty()), "{question}: {answer}");
        }
    }
}
