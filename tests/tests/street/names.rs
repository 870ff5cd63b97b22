//! By which names the real listeners are asked, and what each shows.

use tests::{Client, Pipeline};

const PATH: &str =
    "/submit/telemetry/00000000-0000-4000-8000-000000000001/main/Firefox/61.0/nightly/20180328030202?v=4";

/// The status of an answer to a request under a name, and what it says.
fn ask(address: &str, method: &str, target: &str, host: &str) -> (u16, String) {
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    );
    let answer = Client::new(address).raw(request.as_bytes()).expect("an answer");
    (answer.status, answer.text().to_owned())
}

fn get(address: &str, target: &str, host: &str) -> u16 {
    ask(address, "GET", target, host).0
}

#[test]
fn on_loopback_the_api_answers_under_its_own_names_and_pings_are_taken_under_any() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(
        &folder.path().join("data"),
        &["--allowed-host", "dash.example,other.example"],
    );
    let (edge, api) = (pipeline.edge.as_str(), pipeline.api.as_str());
    let targets = ["/", "/api/v1/status", "/filters/", "/metrics", "/__version__"];
    for host in [
        "rebound.example",
        "rebound.example:8081",
        "10.1.2.3",
        "localhost.example",
    ] {
        for target in targets {
            let (status, told) = ask(api, "GET", target, host);
            assert_eq!(status, 421, "{host} {target}");
            assert!(told.contains("--allowed-host"), "{told}");
        }
    }
    for host in [api, "localhost", "LOCALHOST:1", "[::1]:8081", "other.example:443"] {
        for target in targets {
            let status = get(api, target, host);
            assert!(status != 421 && status < 500, "{host} {target} {status}");
        }
    }
    for host in ["incoming.telemetry.example", "highwater", edge] {
        assert_eq!(ask(edge, "POST", PATH, host).0, 200, "{host}");
        assert_eq!(get(edge, "/__heartbeat__", host), 200, "{host}");
    }
    let (status, told) = ask(edge, "GET", "/metrics", edge);
    assert_eq!(status, 404, "the world reaches this listener");
    assert!(told.contains("--edge-metrics"), "{told}");
}

#[test]
fn metrics_are_shown_on_the_listener_for_pings_when_asked_for_and_not_to_other_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipeline = Pipeline::start(&folder.path().join("data"), &["--edge-metrics"]);
    assert_eq!(get(&pipeline.edge, "/metrics", &pipeline.edge), 200);
    assert_eq!(get(&pipeline.edge, "/metrics", "rebound.example"), 421);
}
