//! A load from threads that block, one a connection: as fast as answers come, or at moments fixed in advance. Requests are
//! made before.
//!
//! Threads sleep to some 50 microseconds, the timers of the runtime only to a millisecond.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use service::clock::{Clock, SystemClock};

use super::load::CONNECTIONS;
use super::partition::uri_in;
use crate::bodies::Sent;

/// An answer that does not come by then never comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Submissions as bytes, to be sent in turn.
pub(crate) struct Requests(Vec<Vec<u8>>);

/// When submissions are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Each connection sends when it was answered.
    Closed,
    /// One each so often, whatever was answered: the next connection that is free sends it.
    Every(Duration),
}

/// What came of a load, every submission answered well.
#[derive(Debug)]
pub(crate) struct Sending {
    /// Seconds from the moment at which each was to be sent to its answer, ascending. In a closed load that is the
    /// moment at which it was sent.
    pub(crate) latencies: Vec<f64>,
    /// Seconds by which each was sent too late, ascending: all connections were busy, or the machine was.
    pub(crate) delays: Vec<f64>,
}

impl Requests {
    /// Submissions of sample pings by some method, evenly over partitions, which alternate.
    pub(crate) fn new(sample: &[Sent], method: &str, partitions: usize) -> Self {
        let request = |(n, ping): (usize, &Sent)| {
            let mut head = format!(
                "{method} {} HTTP/1.1\r\nhost: bench\r\n",
                uri_in(&ping.uri, n % partitions)
            );
            for (name, value) in &ping.headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str(&format!("content-length: {}\r\n\r\n", ping.gzip.len()));
            [head.as_bytes(), &ping.gzip].concat()
        };
        Self(sample.iter().enumerate().map(request).collect())
    }

    /// Submissions of bodies that are not compressed, to their own URIs.
    pub(crate) fn plain(pings: impl IntoIterator<Item = (String, Vec<u8>)>, method: &str) -> Self {
        let request = |(uri, body): (String, Vec<u8>)| {
            let head = format!(
                "{method} {uri} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            [head.as_bytes(), &body].concat()
        };
        Self(pings.into_iter().map(request).collect())
    }

    /// Questions.
    pub(crate) fn gets(targets: Vec<String>) -> Self {
        let request = |target| format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes();
        Self(targets.into_iter().map(request).collect())
    }

    /// Sends `number` of them one after the other over one connection. Answers the seconds each took, ascending.
    pub(crate) fn ask_in_turn(&self, address: &str, number: usize) -> Result<Vec<f64>> {
        let clock = SystemClock::shared();
        let mut connection = Connection::open(address)?;
        let mut seconds = Vec::with_capacity(number);
        for request in self.0.iter().cycle().take(number) {
            let begun = clock.monotonic();
            let status = connection.ask(request)?;
            seconds.push((clock.monotonic() - begun).as_secs_f64());
            ensure!(
                status == 200,
                "a question was answered {status}: {}",
                String::from_utf8_lossy(request)
            );
        }
        seconds.sort_by(f64::total_cmp);
        Ok(seconds)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Sends `number` of them over 64 connections.
    pub(crate) fn send(&self, address: &str, number: usize, pace: Pace) -> Result<Sending> {
        let connections = (0..CONNECTIONS).map(|_| Connection::open(address));
        let connections: Vec<Connection> = connections.collect::<Result<_>>()?;
        let load = Load {
            requests: &self.0,
            number,
            pace,
            next: AtomicUsize::new(0),
            clock: SystemClock::shared(),
        };
        let load = &load;
        let results: Vec<Result<Vec<Sample>>> = thread::scope(|scope| {
            let threads: Vec<_> = connections
                .into_iter()
                .map(|connection| scope.spawn(move || load.serve(connection)))
                .collect();
            let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
            joined
                .map(|joined| joined.unwrap_or_else(|_| bail!("a sender panicked")))
                .collect()
        });
        let samples: Vec<Sample> = results.into_iter().collect::<Result<Vec<_>>>()?.concat();
        let sorted = |of: fn(&Sample) -> f64| {
            let mut figures: Vec<f64> = samples.iter().map(of).collect();
            figures.sort_by(f64::total_cmp);
            figures
        };
        Ok(Sending {
            latencies: sorted(|sample| sample.latency),
            delays: sorted(|sample| sample.delay),
        })
    }
}

/// The figure that a share of ascending ones do not exceed; NaN when there are none.
pub(crate) fn quantile(ascending: &[f64], share: f64) -> f64 {
    let last = ascending.len().saturating_sub(1);
    let at = (last as f64 * share).ceil() as usize;
    ascending.get(at).copied().unwrap_or(f64::NAN)
}

#[derive(Clone, Copy)]
struct Sample {
    latency: f64,
    delay: f64,
}

struct Load<'a> {
    requests: &'a [Vec<u8>],
    number: usize,
    pace: Pace,
    next: AtomicUsize,
    /// Its time is counted from the begin of the load.
    clock: std::sync::Arc<dyn Clock>,
}

impl Load<'_> {
    /// Sends what is next until there is nothing.
    fn serve(&self, mut connection: Connection) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        loop {
            let turn = self.next.fetch_add(1, Ordering::Relaxed);
            if turn >= self.number {
                return Ok(samples);
            }
            let due = match self.pace {
                Pace::Closed => self.clock.monotonic(),
                Pace::Every(interval) => self.wait_until(interval.mul_f64(turn as f64)),
            };
            let begun = self.clock.monotonic();
            let status = connection.ask(&self.requests[turn % self.requests.len()])?;
            ensure!((200..300).contains(&status), "a ping was answered {status}");
            samples.push(Sample {
                latency: (self.clock.monotonic() - due).as_secs_f64(),
                delay: (begun - due).as_secs_f64(),
            });
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the runtime's timers are too coarse for what is measured"
    )]
    fn wait_until(&self, due: Duration) -> Duration {
        thread::sleep(due.saturating_sub(self.clock.monotonic()));
        due
    }
}

/// A kept connection.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            read: Vec::new(),
        })
    }

    /// Sends a request and reads its answer to the end; answers the status.
    fn ask(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request)?;
        self.read.clear();
        loop {
            if let Some((status, bytes)) = answer(&self.read)?
                && self.read.len() >= bytes
            {
                return Ok(status);
            }
            let mut piece = [0; 4_096];
            let read = self.stream.read(&mut piece)?;
            ensure!(read > 0, "the connection was closed before the answer");
            self.read.extend_from_slice(&piece[..read]);
        }
    }
}

/// The status of the answer that begins here, and its bytes with its body; none while its head is not whole.
fn answer(bytes: &[u8]) -> Result<Option<(u16, usize)>> {
    let Some(head) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes[..head])?;
    let status = text.split(' ').nth(1).context("no status")?.parse()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim())
    });
    let body: usize = length.map_or(Ok(0), str::parse)?;
    Ok(Some((status, head + 4 + body)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[expect(clippy::disallowed_methods, reason = "a server that is slow on purpose")]
    fn be_slow(after: Duration) {
        thread::sleep(after);
    }

    /// A server that answers each connection's requests after so long, whatever they say.
    fn slow_server(after: Duration) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        thread::Builder::new()
            .spawn(move || {
                for stream in listener.incoming().take(CONNECTIONS) {
                    let mut stream = stream.expect("a connection");
                    thread::Builder::new()
                        .spawn(move || {
                            let mut piece = [0; 4_096];
                            while stream.read(&mut piece).is_ok_and(|read| read > 0) {
                                be_slow(after);
                                let written =
                                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK");
                                written.expect("read");
                            }
                        })
                        .expect("a thread");
                }
            })
            .expect("a thread");
        address
    }

    #[test]
    fn in_an_open_load_a_late_answer_delays_all_that_follow_it() {
        let requests = Requests(vec![b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n".to_vec()]);
        // 64 connections and 20 ms for each answer serve 3,200 a second at most; 10,000 are wanted, all in 64 ms.
        let address = slow_server(Duration::from_millis(20));
        let clock = SystemClock::shared();
        let sending = requests
            .send(&address, 640, Pace::Every(Duration::from_micros(100)))
            .expect("answered");
        assert_eq!(sending.latencies.len(), 640);
        // Ten answers on each connection take 200 ms; the last was due after 64.
        assert!(
            quantile(&sending.latencies, 1.0) > 0.120,
            "{:?}",
            sending.latencies.last()
        );
        assert!(
            quantile(&sending.delays, 1.0) > 0.100,
            "{:?}",
            sending.delays.last()
        );
        assert!(clock.monotonic() > Duration::from_millis(180));
    }

    #[test]
    fn an_answer_is_whole_with_its_body() {
        let text = b"HTTP/1.1 201 Created\r\nX: y\r\ncontent-length: 3\r\n\r\nabc";
        assert_eq!(answer(text).expect("one"), Some((201, text.len())));
        assert_eq!(answer(&text[..20]).expect("not yet"), None);
        assert_eq!(
            answer(b"HTTP/1.1 204 No Content\r\n\r\n").expect("one"),
            Some((204, 27))
        );
        assert!(answer(b"HTTP/1.1 what\r\n\r\n").is_err());
    }

    #[test]
    fn a_quantile_is_one_of_the_figures() {
        let figures: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(quantile(&figures, 0.99), 99.0);
        assert_eq!(quantile(&figures, 1.0), 100.0);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
