//! The paths by which operators and load balancers ask a process how it is: the three of Dockerflow, `/status`, and
//! `/metrics`. Each listener answers them, `/metrics` only where it is shown. Scripts of every origin may read the others.

use std::fmt;

use ::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CONTENT_TYPE, HeaderValue};
use ::http::{Method, Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::{Map, Value, json};

use crate::http::{Answer, Handler, json, text};
use crate::telemetry;

/// Answers a request for one of the paths of this module; `None` when it is for another.
pub fn answer<B>(request: &Request<B>, health: &Health) -> Option<Response<Full<Bytes>>> {
    if !is_asked(request) {
        return None;
    }
    let path = request.uri().path();
    let mut answer = answer_path(request.method(), path, health);
    if path != METRICS {
        let anyone = HeaderValue::from_static("*");
        answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, anyone);
    }
    Some(answer)
}

/// Whether a request is for one of the paths of this module.
pub fn is_asked<B>(request: &Request<B>) -> bool {
    PATHS.contains(&request.uri().path())
}

fn answer_path(method: &Method, path: &str, health: &Health) -> Response<Full<Bytes>> {
    if method != Method::GET && method != Method::HEAD {
        let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, "use GET\n");
        refusal
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    match path {
        "/__heartbeat__" => health.heartbeat(),
        "/__lbheartbeat__" => text(StatusCode::OK, ""),
        "/__version__" => json(StatusCode::OK, health.version.to_json()),
        "/status" => text(StatusCode::OK, "OK"),
        _ if health.shows_metrics => metrics(),
        _ => text(
            StatusCode::NOT_FOUND,
            "not found\nmetrics are shown by the API's listener, and by this one with --edge-metrics\n",
        ),
    }
}

/// Where metrics are shown.
pub const METRICS: &str = "/metrics";

const PATHS: [&str; 5] = [
    "/__heartbeat__",
    "/__lbheartbeat__",
    "/__version__",
    "/status",
    METRICS,
];

/// What runs here.
#[derive(Clone, Copy, Debug)]
pub struct Version {
    /// Where the source is.
    pub source: &'static str,
    /// The released version.
    pub version: &'static str,
    /// The commit it was built from; empty when unknown.
    pub commit: &'static str,
    /// Where it was built; empty when unknown.
    pub build: &'static str,
}

impl Version {
    fn to_json(self) -> String {
        let Self {
            source,
            version,
            commit,
            build,
        } = self;
        json!({"source": source, "version": version, "commit": commit, "build": build}).to_string()
    }
}

/// How one thing stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// Well.
    Ok,
    /// Broken, and by what: the heartbeat answers 500.
    Failed(String),
    /// Not able to work now, though not broken: the heartbeat answers 503.
    Unavailable(String),
    /// Out of room: the heartbeat answers 507.
    Full(String),
}

type Probe = Box<dyn Fn() -> Check + Send + Sync>;

/// What the heartbeat asks.
pub struct Health {
    version: Version,
    probes: Vec<(&'static str, Probe)>,
    shows_metrics: bool,
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.probes.iter().map(|(name, _)| name).collect();
        f.debug_struct("Health")
            .field("version", &self.version)
            .field("probes", &names)
            .field("shows_metrics", &self.shows_metrics)
            .finish()
    }
}

impl Health {
    /// Nothing to ask yet. Metrics are shown beside it.
    pub const fn new(version: Version) -> Self {
        Self {
            version,
            probes: Vec::new(),
            shows_metrics: true,
        }
    }

    /// Shows metrics beside the heartbeat, or not: they tell whoever reaches the listener more than that.
    #[must_use]
    pub const fn show_metrics(mut self, shows: bool) -> Self {
        self.shows_metrics = shows;
        self
    }

    /// Adds a check by its name on the wire, such as `check_queue_size`. It must not block.
    #[must_use]
    pub fn check(mut self, name: &'static str, probe: impl Fn() -> Check + Send + Sync + 'static) -> Self {
        self.probes.push((name, Box::new(probe)));
        self
    }

    /// `{"status", "checks", "details"}`; the first check that is not well decides the HTTP status.
    fn heartbeat(&self) -> Response<Full<Bytes>> {
        let (mut checks, mut details) = (Map::new(), Map::new());
        let mut worst = StatusCode::OK;
        for (name, probe) in &self.probes {
            let (status, message) = match probe() {
                Check::Ok => {
                    checks.insert((*name).to_owned(), Value::from("ok"));
                    continue;
                }
                Check::Failed(message) => (StatusCode::INTERNAL_SERVER_ERROR, message),
                Check::Unavailable(message) => (StatusCode::SERVICE_UNAVAILABLE, message),
                Check::Full(message) => (StatusCode::INSUFFICIENT_STORAGE, message),
            };
            checks.insert((*name).to_owned(), Value::from("error"));
            let detail = json!({"status": "error", "level": 40, "messages": {"highwater.health": message}});
            details.insert((*name).to_owned(), detail);
            if worst == StatusCode::OK {
                worst = status;
            }
        }
        let status = if worst == StatusCode::OK { "ok" } else { "error" };
        let body = json!({"status": status, "checks": checks, "details": details});
        json(worst, body.to_string())
    }
}

/// Answers these paths alone: for a process that has nothing else to say.
#[derive(Debug)]
pub struct HealthOnly(Health);

impl HealthOnly {
    /// Asks this.
    pub const fn new(health: Health) -> Self {
        Self(health)
    }
}

impl Handler for HealthOnly {
    async fn handle(&self, request: Request<Incoming>) -> Answer {
        let known = answer(&request, &self.0);
        Ok(known.unwrap_or_else(|| {
            text(
                StatusCode::NOT_FOUND,
                "there is no such path: /metrics and /__heartbeat__ are\n",
            )
        }))
    }

    fn is_heartbeat(&self, request: &Request<Incoming>) -> bool {
        is_asked(request)
    }
}

fn metrics() -> Response<Full<Bytes>> {
    let mut response = text(StatusCode::OK, telemetry::render());
    let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, format);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    const VERSION: Version = Version {
        source: "src",
        version: "1",
        commit: "abc",
        build: "",
    };

    fn ask(method: Method, path: &str, health: &Health) -> Option<(StatusCode, String)> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(())
            .expect("a request");
        let (head, body) = answer(&request, health)?.into_parts();
        let mut body = std::pin::pin!(body.collect());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(Ok(body)) = Future::poll(body.as_mut(), &mut context) else {
            panic!("a full body is ready");
        };
        Some((
            head.status,
            String::from_utf8(body.to_bytes().to_vec()).expect("text"),
        ))
    }

    fn get(path: &str, health: &Health) -> Option<(StatusCode, Value)> {
        let (status, body) = ask(Method::GET, path, health)?;
        Some((status, serde_json::from_str(&body).unwrap_or(Value::String(body))))
    }

    #[test]
    fn a_well_process_has_an_ok_for_every_check() {
        let health = Health::new(VERSION)
            .check("check_disk_bytes_free", || Check::Ok)
            .check("check_queue_size", || Check::Ok);
        let checks = json!({"check_disk_bytes_free": "ok", "check_queue_size": "ok"});
        let expected = json!({"status": "ok", "checks": checks, "details": {}});
        assert_eq!(get("/__heartbeat__", &health), Some((StatusCode::OK, expected)));
    }

    #[test]
    fn the_first_ill_check_decides_the_status() {
        let health = Health::new(VERSION)
            .check("a", || Check::Ok)
            .check("b", || Check::Full("no room".to_owned()))
            .check("c", || Check::Failed("broken".to_owned()));
        let (status, body) = get("/__heartbeat__", &health).expect("an answer");
        assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE);
        assert_eq!(body["status"], "error");
        assert_eq!(body["checks"], json!({"a": "ok", "b": "error", "c": "error"}));
        assert_eq!(body["details"]["b"]["messages"]["highwater.health"], "no room");
    }

    #[test]
    fn the_other_paths_answer_as_operators_expect() {
        let health = Health::new(VERSION);
        let version = json!({"source": "src", "version": "1", "commit": "abc", "build": ""});
        assert_eq!(get("/__version__", &health), Some((StatusCode::OK, version)));
        assert_eq!(
            get("/__lbheartbeat__", &health),
            Some((StatusCode::OK, Value::from("")))
        );
        assert_eq!(get("/status", &health), Some((StatusCode::OK, Value::from("OK"))));
        assert_eq!(get("/elsewhere", &health), None);
        let (status, _) = ask(Method::POST, "/status", &health).expect("an answer");
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    }

    #[test]
    fn scripts_of_other_origins_may_read_heartbeats_and_never_metrics() {
        for shows in [true, false] {
            let health = Health::new(VERSION).show_metrics(shows);
            for path in PATHS {
                let request = Request::builder().uri(path).body(()).expect("a request");
                let answer = answer(&request, &health).expect("an answer");
                let open = answer.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN).is_some();
                assert_eq!(open, path != METRICS, "{path}");
                let found = answer.status() == StatusCode::OK;
                assert_eq!(found, shows || path != METRICS, "{path}");
            }
        }
    }
}
