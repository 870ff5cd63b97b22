//! Over a real listener: HEAD, ETag, CORS, and the page with every file it loads.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use http::Method;
use query::Api;
use service::http::Listener;
use service::shutdown::{Shutdown, Trigger};
use service::task;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::store::Facts;
use super::world::{World, get, request};

/// Starts a listener; it ends when the trigger is dropped.
pub(crate) async fn listen(api: Api) -> (SocketAddr, Trigger) {
    let (trigger, shutdown) = Shutdown::new();
    let address = "127.0.0.1:0".parse().expect("an address");
    let listener = Listener::bind("API", address, query::connection_limits())
        .await
        .expect("bound");
    let address = listener.local_addr().expect("bound");
    task::spawn("API listener", listener.serve(api, shutdown));
    (address, trigger)
}

/// One request on a connection of its own: status line, headers in lower case, body.
async fn exchange(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &str,
) -> (String, BTreeMap<String, String>, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let text = format!("{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(text.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("answered");
    let split = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a head");
    let head = String::from_utf8(answer[..split].to_vec()).expect("text");
    let mut lines = head.split("\r\n");
    let status = lines.next().expect("a status line").to_owned();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    (status, headers, answer[split + 4..].to_vec())
}

#[tokio::test]
async fn head_is_answered_like_get_without_a_body() {
    let (address, _trigger) = listen(World::of(Facts::default()).api()).await;
    for target in ["/", "/aggregates_by/build_id/channels/", "/filters/", "/status"] {
        let (status, headers, body) = exchange(address, "GET", target, "").await;
        let (head_status, head_headers, head_body) = exchange(address, "HEAD", target, "").await;
        assert_eq!((head_status, head_body.len()), (status.clone(), 0), "{target}");
        assert_eq!(
            headers.get("content-length"),
            Some(&body.len().to_string()),
            "{target}"
        );
        let without_date = |mut headers: BTreeMap<String, String>| {
            headers.remove("date");
            headers
        };
        assert_eq!(
            without_date(head_headers),
            without_date(headers),
            "{target} {status}"
        );
    }
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    let (address, _trigger) = listen(World::of(Facts::default()).api()).await;
    for target in ["/", "/page/main.js", "/aggregates_by/submission_date/channels/"] {
        let (_, headers, body) = exchange(address, "GET", target, "").await;
        assert_eq!(
            headers.get("cache-control").map(String::as_str),
            Some("no-cache"),
            "{target}"
        );
        let tag = headers["etag"].clone();
        for known in [tag.clone(), tag.trim_matches('"').to_owned()] {
            let (status, again, nothing) =
                exchange(address, "GET", target, &format!("If-None-Match: {known}\r\n")).await;
            assert_eq!(
                (status.as_str(), nothing.len()),
                ("HTTP/1.1 304 Not Modified", 0),
                "{target}"
            );
            assert_eq!(again["etag"], tag);
        }
        let (status, _, whole) = exchange(address, "GET", target, "If-None-Match: \"other\"\r\n").await;
        assert_eq!((status.as_str(), whole), ("HTTP/1.1 200 OK", body), "{target}");
    }
}

#[tokio::test]
async fn a_post_is_refused_though_its_body_is_never_read() {
    let (address, _trigger) = listen(World::of(Facts::default()).api()).await;
    let (status, headers, _) = exchange(address, "POST", "/filters/", "Content-Length: 5\r\n").await;
    assert_eq!(status, "HTTP/1.1 405 Method Not Allowed");
    assert_eq!(headers["allow"], "GET, HEAD, OPTIONS");
}

#[tokio::test]
async fn scripts_of_every_origin_may_ask_what_the_original_answered_and_heartbeats_and_nothing_else() {
    let api = World::of(Facts::default()).api();
    for target in [
        "/aggregates_by/build_id/channels/",
        "/aggregates_by/submission_date/channels/nightly/?version=1",
        "/aggregates_by/nothing",
        "/filters/",
        "/filters/?nothing=1",
        "/status",
        "/__heartbeat__",
        "/__version__",
    ] {
        let answer = get(&api, target).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{target}");
    }
    for target in [
        "/",
        "/page/main.js",
        "/manual",
        "/api/v1/status",
        "/api/v1/health",
        "/api/v1/products",
        "/api/v1/engagement?channel=nightly",
        "/api/v1/nothing",
        "/nothing",
        "/metrics",
    ] {
        for method in [Method::GET, Method::OPTIONS, Method::POST] {
            let asked = request(
                &api,
                method.clone(),
                target,
                &[("Origin", "https://page.example")],
            )
            .await;
            assert!(!asked.has("access-control-allow-origin"), "{method} {target}");
        }
    }
    let asked = request(
        &api,
        Method::OPTIONS,
        "/filters/",
        &[("Access-Control-Request-Method", "GET")],
    )
    .await;
    assert_eq!((asked.status.as_u16(), asked.body.len()), (204, 0));
    assert_eq!(asked.header("access-control-allow-origin"), "*");
    assert!(asked.header("access-control-allow-methods").contains("GET"));
    let answer = get(&api, "/api/v1/status").await;
    assert_eq!(answer.header("x-frame-options"), "DENY");
    assert_eq!(answer.header("content-security-policy"), "frame-ancestors 'none'");
}

#[tokio::test]
async fn the_page_loads_nothing_that_is_not_served_with_its_right_type() {
    let api = World::of(Facts::default()).api();
    let mut waiting = vec!["/".to_owned()];
    let mut served = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if !served.insert(path.clone()) {
            continue;
        }
        let answer = get(&api, &path).await;
        assert_eq!(answer.status, 200, "{path}");
        let expected = match path.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            _ => "text/html; charset=utf-8",
        };
        assert_eq!(answer.header("content-type"), expected, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'self'; img-src 'self' data:"),
            "{policy}"
        );
        let text = String::from_utf8(answer.body).expect("text");
        waiting.extend(loads(&text));
    }
    assert!(served.len() > 15, "found only {served:?}");
}

/// The addresses that a file of the page loads: links and scripts of HTML, imports of a module.
fn loads(text: &str) -> Vec<String> {
    let between = |line: &str, open: &str| -> Option<String> {
        let rest = &line[line.find(open)? + open.len()..];
        Some(rest[..rest.find('"')?].to_owned())
    };
    let of_line = |line: &str| {
        let html = ["href=\"page/", "src=\"page/"]
            .iter()
            .filter_map(|open| between(line, open));
        let module = between(line, "from \"./").into_iter();
        html.chain(module)
            .map(|file| format!("/page/{file}"))
            .collect::<Vec<_>>()
    };
    text.lines().flat_map(of_line).collect()
}
