//! Open load: each ticket is due at its time, whatever became of those before it, and its latency counts from then.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::document::{Document, Kind};
use super::ledger::{Ledger, Seen};
use crate::Client;
use crate::program::{now, thread_sleep};

/// Where pings go, if anybody is there.
#[derive(Debug, Default)]
pub(super) struct Target(Mutex<Option<String>>);

impl Target {
    /// This address, for as long as nothing else is said.
    pub(super) fn at(address: &str) -> Self {
        Self(Mutex::new(Some(address.to_owned())))
    }

    pub(super) fn set(&self, address: Option<&str>) {
        *self.0.lock().expect("nobody panics that holds it") = address.map(str::to_owned);
    }

    fn get(&self) -> Option<String> {
        self.0.lock().expect("nobody panics that holds it").clone()
    }
}

/// Load that several senders share.
pub(super) struct Load<'a> {
    pub(super) target: &'a Target,
    pub(super) ledger: &'a Ledger,
    /// Tickets a second; as fast as answers come where there is none.
    rate: Option<f64>,
    start: Instant,
    next: AtomicU64,
    stopped: AtomicBool,
}

/// Stops the load when it goes, also by a panic: who waits for the senders would wait for ever.
pub(super) struct StopAtLast<'a, 'b>(pub(super) &'a Load<'b>);

impl Drop for StopAtLast<'_, '_> {
    fn drop(&mut self) {
        self.0.stopped.store(true, Ordering::SeqCst);
    }
}

impl<'a> Load<'a> {
    /// Load from now on, beginning with this ticket.
    pub(super) fn new(target: &'a Target, ledger: &'a Ledger, rate: Option<f64>, first: u64) -> Self {
        Self {
            target,
            ledger,
            rate,
            start: now(),
            next: AtomicU64::new(first),
            stopped: AtomicBool::new(false),
        }
    }

    /// How long there is load.
    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// The ticket that comes next.
    pub(super) fn next(&self) -> u64 {
        self.next.load(Ordering::SeqCst)
    }

    /// One sender: sends what its tickets say until the load is stopped. `first` is the load's first ticket.
    pub(super) fn send(&self, first: u64, document: impl Fn(u64) -> Document) {
        let mut connection: Option<(String, Client)> = None;
        while !self.stopped.load(Ordering::SeqCst) {
            let ticket = self.next.fetch_add(1, Ordering::SeqCst);
            let document = document(ticket);
            let due = match self.rate {
                Some(rate) => self.start + Duration::from_secs_f64((ticket - first) as f64 / rate),
                None => now(),
            };
            if !self.wait_until(due) {
                return;
            }
            let seen = match self.target.get() {
                None => Seen::Nobody,
                Some(address) => {
                    if connection.as_ref().is_none_or(|(of, _)| *of != address) {
                        connection = Some((address.clone(), Client::new(&address)));
                    }
                    let (_, client) = connection.as_mut().expect("made above");
                    submit(client, &address, &document).map_or(Seen::Broken, Seen::Answer)
                }
            };
            if document.kind == Kind::Hostile {
                self.ledger.hostile(&document.uri, &seen);
            } else {
                let at = self.elapsed();
                self.ledger.ping(document.number, &seen, at, due.elapsed());
            }
            if self.rate.is_none() && seen == Seen::Nobody {
                thread_sleep(Duration::from_millis(20));
            }
        }
    }

    /// Whether the load still goes on then.
    fn wait_until(&self, due: Instant) -> bool {
        loop {
            let left = due.saturating_duration_since(now());
            if left.is_zero() {
                return true;
            }
            if self.stopped.load(Ordering::SeqCst) {
                return false;
            }
            thread_sleep(left.min(Duration::from_millis(100)));
        }
    }
}

/// Sends it; the status of the answer.
fn submit(client: &mut Client, address: &str, document: &Document) -> io::Result<u16> {
    let headers: &[(&str, &str)] = if document.gzipped {
        &[("Content-Encoding", "gzip")]
    } else {
        &[]
    };
    let answer = match document.kind {
        Kind::Ping => client.post(&document.uri, headers, &document.body)?,
        Kind::Hostile => client.raw(document.uri.as_bytes())?,
        Kind::Slow => return submit_slowly(address, document),
    };
    Ok(answer.status)
}

/// Sends head, half of the body, and the rest with pauses between them.
fn submit_slowly(address: &str, document: &Document) -> io::Result<u16> {
    let Document { uri, body, .. } = document;
    let head = format!(
        "POST {uri} HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let (one, other) = body.split_at(body.len() / 2);
    for part in [head.as_bytes(), one, other] {
        stream.write_all(part)?;
        thread_sleep(Duration::from_millis(200));
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let code = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    code.ok_or_else(|| io::Error::other("no status line"))
}
