//! The door seen from a raw socket: every recorded case of the original, and what a hostile or unlucky client does.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use edge::door::{DoorLimits, Origins, Rejections, SubmissionHandler};
use edge::intake::{Accepted, Intake, Refusal};
use serde_json::{Value, json};
use service::dockerflow::{Check, Health, Version};
use service::http::{BodyLimits, ConnectionLimits, Listener};
use service::shutdown::{Shutdown, Trigger};
use service::task;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATH: &str =
    "/submit/telemetry/ce39b608-f595-4c69-b6a6-f7a436604648/main/Firefox/61.0a1/nightly/20180328030202";

/// Keeps what it is given in memory, or refuses everything.
#[derive(Debug, Default)]
struct Memory {
    kept: Mutex<Vec<Accepted>>,
    refusal: Mutex<Option<Refusal>>,
    admits_all: bool,
}

impl Memory {
    fn refusal(&self) -> Result<(), Refusal> {
        self.refusal.lock().expect("never poisoned").map_or(Ok(()), Err)
    }

    fn last(&self) -> Accepted {
        self.kept
            .lock()
            .expect("never poisoned")
            .last()
            .cloned()
            .expect("something was kept")
    }

    fn len(&self) -> usize {
        self.kept.lock().expect("never poisoned").len()
    }
}

impl Intake for Memory {
    fn admit(&self, _: u64) -> Result<(), Refusal> {
        if self.admits_all { Ok(()) } else { self.refusal() }
    }

    async fn submit(&self, accepted: Accepted) -> Result<(), Refusal> {
        self.refusal()?;
        self.kept.lock().expect("never poisoned").push(accepted);
        Ok(())
    }
}

struct World {
    address: SocketAddr,
    intake: Arc<Memory>,
    rejections: Arc<Rejections>,
    _trigger: Trigger,
}

async fn world(limits: DoorLimits, intake: Memory) -> World {
    world_open_to(Origins::Any, limits, intake).await
}

async fn world_open_to(origins: Origins, limits: DoorLimits, intake: Memory) -> World {
    let version = Version {
        source: "s",
        version: "1",
        commit: "c",
        build: "b",
    };
    let health = Health::new(version)
        .check("check_disk_bytes_free", || Check::Ok)
        .check("check_queue_size", || Check::Ok);
    let intake = Arc::new(intake);
    let handler = SubmissionHandler::new(Arc::clone(&intake), health, limits).open_to(origins);
    let rejections = handler.rejections();
    let listener = Listener::bind("edge", ([127, 0, 0, 1], 0).into(), ConnectionLimits::default())
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let (trigger, shutdown) = Shutdown::new();
    task::spawn("edge", listener.serve(handler, shutdown));
    World {
        address,
        intake,
        rejections,
        _trigger: trigger,
    }
}

async fn plain() -> World {
    world(DoorLimits::default(), Memory::default()).await
}

impl World {
    /// Sends bytes as they are, and reads status, headers and body to the connection's end.
    async fn send(&self, bytes: &[u8]) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        stream.write_all(bytes).await.expect("sent");
        let mut answer = Vec::new();
        timeout(Duration::from_secs(20), stream.read_to_end(&mut answer))
            .await
            .expect("the server closes")
            .expect("no reset");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head
            .get(9..12)
            .and_then(|status| status.parse().ok())
            .unwrap_or(0);
        (status, head.to_lowercase(), body.to_owned())
    }

    async fn post(&self, path: &str, headers: &str, body: &[u8]) -> (u16, String, String) {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
        );
        self.send(&[head.as_bytes(), body].concat()).await
    }
}

/// The recorded data beside the project, if it is there.
fn shared_data() -> Option<PathBuf> {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found = manifest
        .ancestors()
        .map(|folder| folder.join("shared/data"))
        .find(|path| path.is_dir());
    if found.is_none() {
        eprintln!("left out: ../shared is absent");
    }
    found
}

#[tokio::test]
async fn every_recorded_case_is_answered_as_the_original_does() {
    let Some(data) = shared_data() else {
        return;
    };
    let text = std::fs::read_to_string(data.join("edge/cases.jsonl")).expect("the cases");
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).expect("a case");
        run_case(&case).await;
    }
}

async fn run_case(case: &Value) {
    let (name, request) = (&case["name"], &case["request"]);
    let world = plain().await;
    if request["state"] == "queue full" {
        let full = Refusal::Full {
            retry_after: Duration::from_secs(5),
        };
        *world.intake.refusal.lock().expect("never poisoned") = Some(full);
    }
    let body = match request["body_size"].as_u64() {
        Some(size) => vec![b'x'; usize::try_from(size).expect("a length")],
        None => request["body"].as_str().unwrap_or_default().as_bytes().to_vec(),
    };
    let mut head = format!(
        "{} {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n",
        text(&request["method"]),
        text(&request["path"])
    );
    let mut raw = Vec::new();
    let headers = request["headers"].as_object().cloned().unwrap_or_default();
    for (name, value) in &headers {
        raw.extend(format!("{name}: ").into_bytes());
        match text(value) {
            "x*1024" => raw.extend([b'x'; 1024]),
            "0x80..0xff raw" => raw.extend(0x80..=0xff_u8),
            plain => raw.extend(plain.bytes()),
        }
        raw.extend(b"\r\n");
    }
    if !headers.contains_key("Transfer-Encoding") && request["method"] != "GET" {
        head += &format!("content-length: {}\r\n", body.len());
    }
    let (status, _, answer) = world
        .send(&[head.as_bytes(), &raw, b"\r\n", &body].concat())
        .await;
    let expected = &case["expect"];
    match expected["status"].as_u64() {
        Some(expected) => assert_eq!(u64::from(status), expected, "{name}: {answer}"),
        None => assert_eq!(status, 200, "{name}: accepted where the original may do either"),
    }
    if expected["json"].is_object() {
        assert_eq!(
            serde_json::from_str::<Value>(&answer).expect("JSON"),
            expected["json"],
            "{name}"
        );
    }
    for key in expected["json_keys"].as_array().into_iter().flatten() {
        assert!(answer.contains(text(key)), "{name}: {answer}");
    }
    if status == 200 && request["method"] == "POST" {
        assert_eq!(world.intake.last().body, body, "{name}");
        assert_eq!(world.intake.last().uri, text(&request["path"]), "{name}");
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

#[tokio::test]
async fn a_submission_is_kept_byte_for_byte_with_its_stored_headers() {
    let world = plain().await;
    let headers =
        "Content-Encoding: gzip\r\nX-Forwarded-For: 203.0.113.7\r\nUser-Agent: \u{e9}t\u{e9}\r\nDNT: 1\r\n";
    let body: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let (status, _, answer) = world.post(&format!("{PATH}?v=4"), headers, &body).await;
    assert_eq!((status, answer.as_str()), (200, "OK"));
    let kept = world.intake.last();
    assert_eq!(kept.body, body);
    assert_eq!(kept.uri, format!("{PATH}?v=4"));
    let stored: Vec<(&str, &str)> = kept
        .headers
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    assert_eq!(
        stored,
        [
            ("content-length", "100000"),
            ("content-encoding", "gzip"),
            ("user-agent", "été"),
            ("dnt", "1")
        ]
    );
}

#[tokio::test]
async fn a_put_is_a_post_and_a_kept_connection_takes_many() {
    let world = plain().await;
    let one = format!("PUT {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{{}}");
    let last = one.replace("host: x", "host: x\r\nconnection: close");
    let (status, _, rest) = world.send(format!("{}{last}", one.repeat(99)).as_bytes()).await;
    assert_eq!(status, 200);
    assert_eq!(rest.matches("HTTP/1.1 200 OK").count(), 99);
    assert_eq!(world.intake.len(), 100);
}

#[tokio::test]
async fn every_refusal_says_what_to_do_and_is_counted_by_its_reason() {
    let world = plain().await;
    let (status, head, body) = world
        .send(format!("DELETE {PATH} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
        .await;
    assert_eq!(status, 405);
    assert!(
        head.contains("allow: post, put") && body.contains("POST or PUT"),
        "{head}\n{body}"
    );
    assert_eq!(world.post("/submit/Telemetry/x", "", b"").await.0, 404);
    assert_eq!(world.post("/elsewhere", "", b"").await.0, 404);
    assert_eq!(
        world
            .send(format!("POST {PATH} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
            .await
            .0,
        411
    );
    assert_eq!(
        world
            .post(&format!("{PATH}?{}", "x".repeat(2000)), "", b"")
            .await
            .0,
        414
    );
    let header = format!("User-Agent: {}\r\n", "x".repeat(1025));
    let (status, _, body) = world.post(PATH, &header, b"").await;
    assert_eq!(status, 431);
    assert!(body.starts_with("header too large\n"), "{body}");
    assert_eq!(
        world.rejections.by_reason(),
        [
            ("method", 1),
            ("path", 2),
            ("length_required", 1),
            ("uri_too_long", 1),
            ("header_too_large", 1)
        ]
    );
    assert_eq!(world.intake.len(), 0);
}

#[tokio::test]
async fn a_refused_body_is_never_asked_for() {
    let world = plain().await;
    let expecting = "host: x\r\nexpect: 100-continue\r\n";
    let head = format!(
        "POST {PATH} HTTP/1.1\r\n{expecting}content-length: {}\r\n\r\n",
        (8 << 20) + 1
    );
    assert_eq!(world.send(head.as_bytes()).await.0, 413);
    *world.intake.refusal.lock().expect("never poisoned") = Some(Refusal::Unavailable);
    let head = format!("POST {PATH} HTTP/1.1\r\n{expecting}content-length: 100\r\n\r\n");
    assert_eq!(world.send(head.as_bytes()).await.0, 503);
}

#[tokio::test]
async fn a_full_log_is_507_with_a_time_to_come_again_and_ends_by_itself() {
    for admits_all in [false, true] {
        let world = world(
            DoorLimits::default(),
            Memory {
                admits_all,
                ..Memory::default()
            },
        )
        .await;
        let full = Refusal::Full {
            retry_after: Duration::from_millis(1500),
        };
        *world.intake.refusal.lock().expect("never poisoned") = Some(full);
        let (status, head, _) = world.post(PATH, "", b"{}").await;
        assert_eq!(status, 507);
        assert!(head.contains("retry-after: 2"), "{head}");
        *world.intake.refusal.lock().expect("never poisoned") = Some(Refusal::Unavailable);
        let (status, head, _) = world.post(PATH, "", b"{}").await;
        assert_eq!(status, 503);
        assert!(head.contains("retry-after: "), "{head}");
        *world.intake.refusal.lock().expect("never poisoned") = None;
        assert_eq!(world.post(PATH, "", b"{}").await.0, 200);
        assert_eq!(
            world.rejections.by_reason(),
            [("log_full", 1), ("log_unavailable", 1)]
        );
    }
}

#[tokio::test]
async fn a_413_reaches_a_client_that_sends_its_body_all_the_same() {
    let world = plain().await;
    let (status, _, body) = world.post(PATH, "", &vec![b'x'; 9 << 20]).await;
    assert_eq!(status, 413);
    assert!(body.contains("compress"), "{body}");
}

#[tokio::test]
async fn slow_and_cut_bodies_are_closed_without_an_answer_and_counted() {
    let body = BodyLimits {
        grace: Duration::from_millis(200),
        ..BodyLimits::default()
    };
    let world = world(
        DoorLimits {
            body,
            ..DoorLimits::default()
        },
        Memory::default(),
    )
    .await;
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc");
    let (status, head_back, _) = world.send(head.as_bytes()).await;
    assert_eq!((status, head_back.as_str()), (0, ""));
    let mut stream = TcpStream::connect(world.address).await.expect("a connection");
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream.shutdown().await.expect("closed");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("no reset");
    assert_eq!(answer, b"");
    assert_eq!(world.rejections.by_reason(), [("body_slow", 1), ("body_cut", 1)]);
    assert_eq!(world.intake.len(), 0);
}

#[tokio::test]
async fn bodies_beyond_their_memory_are_503() {
    let limits = DoorLimits {
        bodies_bytes_max: 1 << 20,
        ..DoorLimits::default()
    };
    let world = world(limits, Memory::default()).await;
    let (status, head, _) = world.post(PATH, "", &vec![b'x'; 2 << 20]).await;
    assert_eq!(status, 503);
    assert!(head.contains("retry-after: 30"), "{head}");
    assert_eq!(world.post(PATH, "", &vec![b'x'; 1 << 20]).await.0, 200);
}

#[tokio::test]
async fn the_paths_of_operators_are_answered() {
    let world = plain().await;
    let get =
        |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").into_bytes();
    for path in [
        "/__heartbeat__",
        "/__lbheartbeat__",
        "/__version__",
        "/status",
        "/metrics",
    ] {
        assert_eq!(world.send(&get(path)).await.0, 200, "{path}");
    }
    assert_eq!(world.send(&get("/status")).await.2, "OK");
    let version: Value = serde_json::from_str(&world.send(&get("/__version__")).await.2).expect("JSON");
    assert_eq!(
        version,
        json!({"source": "s", "version": "1", "commit": "c", "build": "b"})
    );
    assert!(world.rejections.by_reason().is_empty());
}

#[tokio::test]
async fn malformed_requests_are_400_and_not_kept() {
    let world = plain().await;
    for request in [
        format!("POST {PATH} with spaces HTTP/1.1\r\nhost: x\r\n\r\n"),
        format!("POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n"),
        format!("POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"),
    ] {
        assert_eq!(world.send(request.as_bytes()).await.0, 400, "{request}");
    }
    assert_eq!(world.intake.len(), 0);
}

#[tokio::test]
async fn an_absolute_target_is_stored_as_path_and_query() {
    let world = plain().await;
    let (status, ..) = world
        .post(&format!("http://telemetry.example{PATH}?v=4"), "", b"")
        .await;
    assert_eq!(status, 200);
    assert_eq!(world.intake.last().uri, Bytes::from(format!("{PATH}?v=4")));
}

const PAGE: &str = "https://page.example:8443";

/// The value of a header of an answer's head, which is in lower case.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// Whether a browser shows an answer to a page's script that sent with credentials, by the rules of the Fetch standard.
fn shows(head: &str, origin: &str) -> bool {
    header(head, "access-control-allow-origin") == Some(origin)
        && header(head, "access-control-allow-credentials") == Some("true")
}

#[tokio::test]
async fn a_preflight_lets_a_page_of_any_origin_send_json_with_credentials() {
    let world = plain().await;
    for (origin, method, asked) in [
        (PAGE, "POST", "content-type"),
        (
            "null",
            "PUT",
            "content-encoding,content-type,date,x-debug-id,x-source-tags,x-telemetry-agent",
        ),
    ] {
        let request = format!(
            "OPTIONS {PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\norigin: {origin}\r\naccess-control-request-method: {method}\r\n\
             access-control-request-headers: {asked}\r\n\r\n"
        );
        let (status, head, _) = world.send(request.as_bytes()).await;
        assert!((200..300).contains(&status), "{status}");
        assert!(shows(&head, origin), "{head}");
        let list = |name| -> Vec<String> {
            let value = header(&head, name).unwrap_or_default();
            value.split(',').map(|word| word.trim().to_owned()).collect()
        };
        let (methods, headers) = (
            list("access-control-allow-methods"),
            list("access-control-allow-headers"),
        );
        assert!(methods.contains(&method.to_lowercase()), "{methods:?}");
        // With credentials, a star would be a header of that name.
        for name in asked.split(',') {
            assert!(headers.contains(&name.to_owned()), "{name} {headers:?}");
        }
        assert_eq!(header(&head, "vary"), Some("origin"));
    }
    assert_eq!(world.intake.len(), 0);
    assert!(
        world.rejections.by_reason().is_empty(),
        "a preflight is no rejection"
    );
}

#[tokio::test]
async fn options_that_no_browser_sends_are_refused_as_before() {
    let world = plain().await;
    for headers in [
        "",
        "origin: https://page.example\r\n",
        "access-control-request-method: POST\r\n",
    ] {
        let request = format!("OPTIONS {PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
        assert_eq!(world.send(request.as_bytes()).await.0, 405, "{headers}");
    }
}

#[tokio::test]
async fn a_script_is_shown_every_answer_refusals_too() {
    let origin = format!("origin: {PAGE}\r\n");
    let world = world(
        DoorLimits {
            bodies_bytes_max: 1000,
            ..DoorLimits::default()
        },
        Memory::default(),
    )
    .await;
    let refuse = |refusal| *world.intake.refusal.lock().expect("never poisoned") = refusal;
    let json = format!("{origin}content-type: application/json; charset=utf-8\r\n");
    let plain = format!("{origin}content-type: text/plain;charset=UTF-8\r\n");
    let mut answers = vec![
        (200, world.post(PATH, &json, b"{}").await),
        (200, world.post(PATH, &plain, b"{\"n\":1}").await),
    ];
    assert_eq!(world.intake.last().body, Bytes::from("{\"n\":1}"));
    refuse(Some(Refusal::Full {
        retry_after: Duration::from_secs(7),
    }));
    answers.push((507, world.post(PATH, &origin, b"{}").await));
    refuse(Some(Refusal::Unavailable));
    answers.push((503, world.post(PATH, &origin, b"{}").await));
    refuse(None);
    answers.push((503, world.post(PATH, &origin, &[b'x'; 2000]).await));
    answers.push((413, world.post(PATH, &origin, &vec![b'x'; 9 << 20]).await));
    answers.push((404, world.post("/submit/Telemetry/x", &origin, b"").await));
    answers.push((404, world.post("/elsewhere", &origin, b"").await));
    let long = format!("{PATH}?{}", "x".repeat(2000));
    answers.push((414, world.post(&long, &origin, b"").await));
    let large = format!("{origin}x-debug-id: {}\r\n", "x".repeat(2000));
    answers.push((431, world.post(PATH, &large, b"").await));
    for (status, method) in [(405, "DELETE"), (404, "GET"), (411, "POST")] {
        let request = format!("{method} {PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{origin}\r\n");
        answers.push((status, world.send(request.as_bytes()).await));
    }
    for (expected, (status, head, _)) in answers {
        assert_eq!(status, expected, "{head}");
        assert!(shows(&head, PAGE), "{status}\n{head}");
        assert_eq!(header(&head, "vary"), Some("origin"), "{status}");
        let tells_when = header(&head, "retry-after").is_some();
        assert_eq!(tells_when, matches!(status, 503 | 507), "{head}");
        assert_eq!(
            header(&head, "access-control-expose-headers"),
            Some("retry-after")
        );
        assert_eq!(header(&head, "set-cookie"), None);
    }
    let (status, head, _) = world.post(PATH, "", b"{}").await;
    assert_eq!(
        (status, head.contains("access-control")),
        (200, false),
        "no page, no headers for it"
    );
}

#[tokio::test]
async fn a_list_of_origins_keeps_browsers_of_others_from_sending_and_loses_nothing_that_comes() {
    let origins = Origins::parse([PAGE]).expect("an origin");
    let world = world_open_to(origins, DoorLimits::default(), Memory::default()).await;
    for (origin, admitted) in [(PAGE, true), ("https://other.example", false)] {
        let request = format!(
            "OPTIONS {PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\norigin: {origin}\r\naccess-control-request-method: POST\r\n\r\n"
        );
        let (status, head, told) = world.send(request.as_bytes()).await;
        assert_eq!(
            (status < 300, shows(&head, origin)),
            (admitted, admitted),
            "{head}"
        );
        assert!(admitted || told.contains("--submit-origins"), "{told}");
        let (status, head, _) = world.post(PATH, &format!("origin: {origin}\r\n"), b"{}").await;
        assert_eq!(
            (status, shows(&head, origin)),
            (200, admitted),
            "a simple request is kept"
        );
        assert_eq!(header(&head, "vary"), Some("origin"));
    }
    assert_eq!(world.intake.len(), 2);
}
