//! The listener seen from a raw socket: what is slow, idle, cut or too much, with time-outs shortened.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use service::http::{
    Answer, BodyBudget, BodyError, BodyLimits, ConnectionLimits, Handler, Hangup, Listener, read_body, text,
};
use service::shutdown::{Shutdown, Trigger};
use service::task;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Answers `/echo` with the body, `/slow` after half a second, `/long` after five, `/big` with 64 MiB, `/heartbeat` also on a seat kept for
/// it, all else with 403 unread.
struct Echo {
    limits: BodyLimits,
    budget: BodyBudget,
    handled: Arc<AtomicUsize>,
}

impl Handler for Echo {
    async fn handle(&self, request: Request<Incoming>) -> Answer {
        self.handled.fetch_add(1, Ordering::SeqCst);
        let (head, body) = request.into_parts();
        match head.uri.path() {
            "/echo" => match read_body(body, &head.extensions, &self.limits, &self.budget).await {
                Ok(body) => Ok(text(StatusCode::OK, Bytes::copy_from_slice(&body))),
                Err(BodyError::TooLarge) => Ok(text(StatusCode::PAYLOAD_TOO_LARGE, "too large")),
                Err(BodyError::NoRoom) => Ok(text(StatusCode::SERVICE_UNAVAILABLE, "no room")),
                Err(BodyError::Slow | BodyError::Cut) => Err(Hangup),
            },
            "/slow" => {
                task::sleep(Duration::from_millis(500)).await;
                Ok(text(StatusCode::OK, "slow"))
            }
            "/long" => {
                task::sleep(Duration::from_secs(5)).await;
                Ok(text(StatusCode::OK, "long"))
            }
            "/big" => Ok(text(StatusCode::OK, Bytes::from(vec![b'x'; 64 << 20]))),
            "/panic" => panic!("a handler's mistake"),
            "/heartbeat" => Ok(text(StatusCode::OK, "alive")),
            _ => Ok(text(StatusCode::FORBIDDEN, "no")),
        }
    }

    fn is_heartbeat(&self, request: &Request<Incoming>) -> bool {
        request.uri().path() == "/heartbeat"
    }
}

struct World {
    address: SocketAddr,
    handled: Arc<AtomicUsize>,
    budget: BodyBudget,
    trigger: Trigger,
    served: JoinHandle<()>,
}

fn short() -> ConnectionLimits {
    ConnectionLimits {
        header_timeout: Duration::from_millis(300),
        idle_timeout: Duration::from_secs(20),
        write_timeout: Duration::from_millis(400),
        drain_timeout: Duration::from_secs(5),
        ..ConnectionLimits::default()
    }
}

async fn world(limits: ConnectionLimits) -> World {
    let body = BodyLimits {
        bytes_max: 1 << 20,
        timeout: Duration::from_millis(1500),
        grace: Duration::from_millis(300),
        bytes_per_second_min: 1000,
    };
    world_with(limits, body).await
}

/// The same, whose bodies may take as long as they like.
async fn patient_world(limits: ConnectionLimits) -> World {
    let body = BodyLimits {
        bytes_max: 1 << 20,
        timeout: Duration::from_secs(60),
        grace: Duration::from_secs(60),
        bytes_per_second_min: 1,
    };
    world_with(limits, body).await
}

async fn world_with(limits: ConnectionLimits, body: BodyLimits) -> World {
    let listener = Listener::bind("test", ([127, 0, 0, 1], 0).into(), limits)
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let (trigger, shutdown) = Shutdown::new();
    let (handled, budget) = (Arc::new(AtomicUsize::new(0)), BodyBudget::new(2 << 20));
    let echo = Echo {
        limits: body,
        budget: budget.clone(),
        handled: Arc::clone(&handled),
    };
    let served = task::spawn("listener", listener.serve(echo, shutdown));
    World {
        address,
        handled,
        budget,
        trigger,
        served,
    }
}

impl World {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Sends bytes and reads to the end; panics when the server does not close in time.
    async fn tell(&self, bytes: &[u8]) -> (String, Duration) {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.expect("sent");
        read_to_close(&mut stream).await
    }
}

/// How long anything may take that is waited for: on a machine with little to spare, many times what it takes elsewhere.
const PATIENCE: Duration = Duration::from_secs(60);

async fn read_to_close(stream: &mut TcpStream) -> (String, Duration) {
    let (started, mut answer) = (now(), Vec::new());
    timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("the server closes")
        .expect("no reset");
    (String::from_utf8_lossy(&answer).into_owned(), started.elapsed())
}

/// Reads until the text is there.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains(end) {
        let read = timeout(PATIENCE, stream.read_buf(&mut answer)).await;
        assert!(
            read.expect("in time").expect("no reset") > 0,
            "closed after {answer:?}"
        );
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[expect(clippy::disallowed_methods, reason = "a test measures real time")]
fn now() -> Instant {
    Instant::now()
}

/// Not before its time, and soon after it on a busy machine.
fn about(took: Duration, millis: u64) {
    let millis = Duration::from_millis(millis);
    let soon = millis + Duration::from_secs(3);
    assert!(
        took + Duration::from_millis(30) >= millis && took < soon,
        "took {took:?}, not {millis:?}"
    );
}

#[tokio::test]
async fn a_connection_that_sends_nothing_is_closed_without_an_answer() {
    let (answer, took) = world(short()).await.tell(b"").await;
    assert_eq!(answer, "");
    about(took, 300);
}

#[tokio::test]
async fn headers_that_trickle_are_cut_at_the_deadline_without_an_answer() {
    let world = world(short()).await;
    let mut stream = world.connect().await;
    let started = now();
    let (mut reader, mut writer) = stream.split();
    let trickle = async {
        for byte in b"GET / HTTP/1.1\r\nhost: x\r\nx-long: "
            .iter()
            .chain(std::iter::repeat(&b'a'))
        {
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
            task::sleep(Duration::from_millis(50)).await;
        }
    };
    let mut answer = Vec::new();
    tokio::select! {
        () = trickle => {}
        _ = reader.read_to_end(&mut answer) => {}
    }
    about(started.elapsed(), 300);
    assert_eq!(answer, b"");
    assert_eq!(world.handled.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_kept_connection_may_idle_longer_than_headers_may_take() {
    let idle_timeout = Duration::from_millis(1500);
    let world = world(ConnectionLimits {
        idle_timeout,
        ..short()
    })
    .await;
    let mut stream = world.connect().await;
    let request = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi";
    stream.write_all(request).await.expect("sent");
    read_until(&mut stream, "hi").await;
    task::sleep(Duration::from_millis(500)).await;
    stream.write_all(request).await.expect("sent");
    read_until(&mut stream, "hi").await;
    let (rest, took) = read_to_close(&mut stream).await;
    assert_eq!(rest, "");
    about(took, 1500);
}

#[tokio::test]
async fn a_later_head_that_stalls_is_cut_too() {
    let world = world(short()).await;
    let mut stream = world.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    read_until(&mut stream, "no").await;
    stream.write_all(b"GET / HTTP/1.1\r\n").await.expect("sent");
    let (rest, took) = read_to_close(&mut stream).await;
    assert_eq!(rest, "");
    about(took, 300);
}

#[tokio::test]
async fn a_body_that_stalls_is_closed_without_an_answer() {
    let world = world(short()).await;
    let (answer, took) = world
        .tell(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nstart")
        .await;
    assert_eq!(answer, "");
    about(took, 300);
    assert_eq!(world.budget.free_bytes(), 2 << 20);
}

#[tokio::test]
async fn a_body_above_the_minimum_rate_still_ends_at_the_absolute_time_out() {
    let world = world(short()).await;
    let mut stream = world.connect().await;
    let started = now();
    stream
        .write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 900000\r\n\r\n")
        .await
        .expect("sent");
    let piece = [b'a'; 500];
    while stream.write_all(&piece).await.is_ok() && started.elapsed() < Duration::from_secs(4) {
        task::sleep(Duration::from_millis(100)).await;
    }
    about(started.elapsed(), 1500);
}

#[tokio::test]
async fn a_cut_body_is_no_request() {
    let world = world(short()).await;
    let mut stream = world.connect().await;
    stream
        .write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nstart")
        .await
        .expect("sent");
    stream.shutdown().await.expect("closed");
    assert_eq!(read_to_close(&mut stream).await.0, "");
}

#[tokio::test]
async fn a_client_that_closes_its_side_still_has_its_answer() {
    let world = world(short()).await;
    let mut stream = world.connect().await;
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    stream.shutdown().await.expect("closed");
    assert!(read_to_close(&mut stream).await.0.ends_with("slow"));
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_given_up() {
    let world = world(short()).await;
    let mut stream = world.connect().await;
    stream
        .write_all(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    task::sleep(Duration::from_millis(1500)).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("closed");
    assert!(answer.len() < 64 << 20, "{} bytes came", answer.len());
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let world = world(short()).await;
    let mut requests = Vec::new();
    for number in 0..50 {
        let body = format!("number {number};");
        let head = format!(
            "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        requests.extend(head.into_bytes());
    }
    requests.extend(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let (answers, _) = world.tell(&requests).await;
    let mut at = 0;
    for number in 0..50 {
        let text = format!("number {number};");
        at += answers[at..]
            .find(&text)
            .unwrap_or_else(|| panic!("{text} after byte {at}"));
    }
}

#[tokio::test]
async fn a_body_that_is_expected_is_asked_for_and_one_that_is_refused_is_not() {
    let world = world(short()).await;
    let mut stream = world.connect().await;
    stream
        .write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        .await
        .expect("sent");
    assert!(
        read_until(&mut stream, "\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 100 ")
    );
    stream.write_all(b"hi").await.expect("sent");
    assert!(read_until(&mut stream, "hi").await.starts_with("HTTP/1.1 200 "));
    for path in ["/refused", "/echo"] {
        let length = if path == "/echo" { 2 << 20 } else { 5 };
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
        );
        let (answer, _) = world.tell(head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_goes_on_sending() {
    let world = world(short()).await;
    let mut stream = world.connect().await;
    let head = b"POST /refused HTTP/1.1\r\nhost: x\r\ncontent-length: 8000000\r\n\r\n";
    stream.write_all(head).await.expect("sent");
    stream
        .write_all(&vec![b'a'; 8_000_000])
        .await
        .expect("all of it is taken");
    assert!(read_to_close(&mut stream).await.0.starts_with("HTTP/1.1 403 "));
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_for_their_turn() {
    let world = world(ConnectionLimits {
        connections: 2,
        ..short()
    })
    .await;
    let silent = (world.connect().await, world.connect().await);
    let (answer, took) = world
        .tell(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    about(took, 300);
    drop(silent);
}

#[tokio::test]
async fn silent_connections_yield_to_honest_ones_when_there_is_no_more_room() {
    let world = world(ConnectionLimits {
        connections: 4,
        header_timeout: Duration::from_secs(60),
        ..short()
    })
    .await;
    let mut busy = world.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(world.connect().await);
    }
    for _ in 0..4 {
        let (answer, _) = world
            .tell(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    }
    let answer = read_until(&mut busy, "slow").await;
    assert!(
        answer.starts_with("HTTP/1.1 200 "),
        "a request that is answered keeps its room: {answer}"
    );
    drop(silent);
}

#[tokio::test]
async fn bodies_beyond_the_budget_are_refused_and_room_comes_back() {
    let world = world(short()).await;
    let mut holders = Vec::new();
    for _ in 0..2 {
        let mut stream = world.connect().await;
        let head = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1048576\r\n\r\n";
        stream.write_all(head).await.expect("sent");
        stream.write_all(&vec![b'a'; 1_000_000]).await.expect("sent");
        holders.push(stream);
    }
    task::sleep(Duration::from_millis(200)).await;
    let request = b"POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\nping";
    assert!(world.tell(request).await.0.starts_with("HTTP/1.1 503 "));
    drop(holders);
    task::sleep(Duration::from_millis(100)).await;
    assert!(world.tell(request).await.0.ends_with("ping"));
    assert_eq!(world.budget.free_bytes(), 2 << 20);
}

#[tokio::test]
async fn a_chunked_body_is_read_up_to_the_limit() {
    let world = world(short()).await;
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let (answer, _) = world
        .tell(format!("{head}2\r\nhi\r\n3\r\n yo\r\n0\r\n\r\n").as_bytes())
        .await;
    assert!(answer.ends_with("hi yo"), "{answer}");
    let long = format!("{head}200000\r\n{}\r\n0\r\n\r\n", "a".repeat(0x20_0000));
    assert!(world.tell(long.as_bytes()).await.0.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn what_is_no_http_is_answered_400() {
    let (answer, _) = world(short())
        .await
        .tell(b"GET /with space HTTP/1.1\r\nhost: x\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn a_panic_costs_its_connection_only() {
    let world = world(ConnectionLimits {
        connections: 1,
        ..short()
    })
    .await;
    assert_eq!(world.tell(b"GET /panic HTTP/1.1\r\nhost: x\r\n\r\n").await.0, "");
    assert!(
        world
            .tell(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await
            .0
            .starts_with("HTTP/1.1 403 ")
    );
}

#[tokio::test]
async fn a_head_beyond_the_buffer_is_refused() {
    let head = format!(
        "GET / HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n",
        "a".repeat(300_000)
    );
    let (answer, _) = world(short()).await.tell(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn a_shutdown_answers_what_is_in_flight_and_closes_what_is_idle() {
    let world = world(ConnectionLimits {
        header_timeout: Duration::from_secs(30),
        ..short()
    })
    .await;
    let (mut silent, mut idle, mut half) = (
        world.connect().await,
        world.connect().await,
        world.connect().await,
    );
    idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    read_until(&mut idle, "no").await;
    half.write_all(b"GET / HT").await.expect("sent");
    let mut busy = world.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    task::sleep(Duration::from_millis(100)).await;
    let started = now();
    world.trigger.pull();
    assert_eq!(read_to_close(&mut silent).await.0, "");
    assert_eq!(read_to_close(&mut idle).await.0, "");
    let (answer, _) = read_to_close(&mut busy).await;
    assert!(answer.ends_with("slow"), "{answer}");
    assert!(
        TcpStream::connect(world.address).await.is_err(),
        "nobody listens any more"
    );
    assert_eq!(read_to_close(&mut half).await.0, "");
    world.served.await.expect("the listener ends");
    assert!(
        started.elapsed() < Duration::from_millis(2500),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_request_that_outlives_the_drain_is_cut() {
    let limits = ConnectionLimits {
        drain_timeout: Duration::from_millis(100),
        ..short()
    };
    let world = world(limits).await;
    let mut busy = world.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    task::sleep(Duration::from_millis(100)).await;
    world.trigger.pull();
    world.served.await.expect("the listener ends");
    assert_eq!(read_to_close(&mut busy).await.0, "");
}

#[tokio::test]
async fn a_busy_port_is_a_clear_error() {
    let world = world(short()).await;
    let error = Listener::bind("edge", world.address, short())
        .await
        .expect_err("taken");
    assert!(error.to_string().contains("in use"), "{error}");
}

const ECHO_HEAD: &[u8] =
    b"POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 900000\r\n\r\n";
const PLAIN: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
const HEARTBEAT: &[u8] = b"GET /heartbeat HTTP/1.1\r\nhost: x\r\n\r\n";

/// Waits until the handler was asked so often.
async fn until_handled(world: &World, requests: usize) {
    for _ in 0..500 {
        if world.handled.load(Ordering::SeqCst) >= requests {
            return;
        }
        task::sleep(Duration::from_millis(20)).await;
    }
    panic!(
        "{} of {requests} requests came",
        world.handled.load(Ordering::SeqCst)
    );
}

#[tokio::test]
async fn the_slowest_body_yields_when_there_is_no_more_room() {
    let world = patient_world(ConnectionLimits {
        connections: 3,
        ..short()
    })
    .await;
    // From the slowest to the fastest: one that sent much at once and nothing since, one that trickles, one that flows.
    let mut bodies = Vec::new();
    for _ in 0..3 {
        let mut stream = world.connect().await;
        stream.write_all(ECHO_HEAD).await.expect("sent");
        bodies.push(stream);
    }
    until_handled(&world, 3).await;
    bodies[0].write_all(&[b'a'; 50_000]).await.expect("sent");
    for _ in 0..25 {
        bodies[1].write_all(&[b'a'; 10]).await.expect("sent");
        bodies[2].write_all(&[b'a'; 10_000]).await.expect("sent");
        task::sleep(Duration::from_millis(100)).await;
    }
    let (answer, _) = world.tell(PLAIN).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_eq!(
        read_to_close(&mut bodies[0]).await.0,
        "",
        "the slowest was closed"
    );
    let mut fast = bodies.pop().expect("three");
    fast.write_all(&vec![b'a'; 650_000]).await.expect("sent");
    let (answer, _) = read_to_close(&mut fast).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "the fastest keeps its room");
}

#[tokio::test]
async fn a_heartbeat_is_answered_while_every_connection_is_taken_by_what_is_being_answered_or_just_began() {
    let world = patient_world(ConnectionLimits {
        connections: 8,
        heartbeat_seats: 2,
        ..short()
    })
    .await;
    let mut busy = Vec::new();
    for _ in 0..8 {
        let mut stream = world.connect().await;
        stream
            .write_all(b"GET /long HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await
            .expect("sent");
        busy.push(stream);
    }
    until_handled(&world, 8).await;
    let mut waiting = world.connect().await;
    waiting.write_all(PLAIN).await.expect("sent");
    let (answer, took) = world.tell(HEARTBEAT).await;
    assert!(answer.ends_with("alive"), "{answer}");
    assert!(
        answer.contains("connection: close"),
        "the seat is given back: {answer}"
    );
    assert!(
        took < Duration::from_secs(4),
        "before any of the others ended, not after {took:?}"
    );
    for mut stream in busy {
        read_until(&mut stream, "long").await;
    }
    let answer = read_until(&mut waiting, "no").await;
    assert!(
        answer.starts_with("HTTP/1.1 403 "),
        "who waits has its turn: {answer}"
    );
}

#[tokio::test]
async fn who_waits_longest_for_a_seat_is_told_to_come_again_when_the_kept_ones_are_needed() {
    let world = patient_world(ConnectionLimits {
        connections: 1,
        heartbeat_seats: 2,
        ..short()
    })
    .await;
    let mut busy = world.connect().await;
    busy.write_all(b"GET /long HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    until_handled(&world, 1).await;
    let flow = async {
        loop {
            let mut stream = world.connect().await;
            stream.write_all(PLAIN).await.expect("sent");
            task::sleep(Duration::from_millis(30)).await;
            drop(stream);
        }
    };
    let mut first = world.connect().await;
    first.write_all(PLAIN).await.expect("sent");
    let told = async {
        let (answer, _) = read_to_close(&mut first).await;
        let (heartbeat, _) = world.tell(HEARTBEAT).await;
        (answer, heartbeat)
    };
    let (answer, heartbeat) = tokio::select! {
        never = flow => never,
        told = told => told,
    };
    let head = answer.to_lowercase();
    assert!(
        head.starts_with("http/1.1 503 ") && head.contains("retry-after: "),
        "{answer}"
    );
    assert!(heartbeat.ends_with("alive"), "{heartbeat}");
}

#[tokio::test]
async fn the_memory_that_slow_bodies_hold_is_given_to_who_sends() {
    let world = patient_world(short()).await;
    let mut slow = Vec::new();
    for _ in 0..2 {
        let mut stream = world.connect().await;
        let head = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1048576\r\n\r\n";
        stream.write_all(head).await.expect("sent");
        stream.write_all(&vec![b'a'; 1_000_000]).await.expect("sent");
        slow.push(stream);
    }
    until_handled(&world, 2).await;
    // They hold all memory for bodies, and are waited for as long as nobody else can be slow.
    task::sleep(Duration::from_millis(1500)).await;
    let request = b"POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\nping";
    let (answer, _) = world.tell(request).await;
    assert!(answer.ends_with("ping"), "{answer}");
}

#[tokio::test]
async fn a_body_that_is_kept_on_takes_its_part_of_the_budget_until_it_is_let_go() {
    /// Keeps every body and answers at once.
    struct Keeper(BodyBudget, std::sync::mpsc::Sender<Bytes>);
    impl Handler for Keeper {
        async fn handle(&self, request: Request<Incoming>) -> Answer {
            let (head, body) = request.into_parts();
            let limits = BodyLimits::default();
            let body = read_body(body, &head.extensions, &limits, &self.0).await;
            self.1.send(body.map_err(|_| Hangup)?).map_err(|_| Hangup)?;
            Ok(text(StatusCode::OK, ""))
        }
    }
    let (budget, (keep, kept)) = (BodyBudget::new(1000), std::sync::mpsc::channel());
    let listener = Listener::bind("test", ([127, 0, 0, 1], 0).into(), short())
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let (_trigger, shutdown) = Shutdown::new();
    task::spawn("listener", listener.serve(Keeper(budget.clone(), keep), shutdown));
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream
        .write_all(b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\nping")
        .await
        .expect("sent");
    assert!(read_to_close(&mut stream).await.0.starts_with("HTTP/1.1 200 "));
    let body = kept.recv().expect("kept");
    let part = body.slice(1..2);
    drop(body);
    assert_eq!(
        budget.free_bytes(),
        996,
        "the answered request is gone, its body is not"
    );
    drop(part);
    assert_eq!(budget.free_bytes(), 1000);
}
