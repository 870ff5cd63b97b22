//! A crowd of connections that misbehave all alike, and the honest clients beside them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tests::{Client, Pipeline, SmallPing};

/// Connections of a large crowd.
pub(super) const MANY: usize = 10_000;

/// Waits for this process's turn to have a crowd, which takes most of the descriptors that it may have open. To be held from
/// before there is an honest client: who waits beside it may wait for longer than a connection may be idle.
pub(super) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Open connections, all alike.
pub(super) struct Crowd(Vec<TcpStream>);

impl Crowd {
    /// As many connections as wanted, or as this process may have open; each has sent the opening.
    pub(super) fn gather(address: &str, wanted: usize, opening: &[u8]) -> Self {
        let members = wanted.min(raise_open_files().saturating_sub(200));
        if members < wanted {
            tell(&format!(
                "only {members} connections, for lack of file descriptors"
            ));
        }
        let per_thread = members.div_ceil(8);
        let streams = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        (0..per_thread)
                            .map(|_| connect(address, opening))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().expect("no connection is refused"))
                .collect()
        });
        Self(streams)
    }

    /// Each sends one byte more, as long as its connection is open; how many could.
    pub(super) fn trickle(&mut self, byte: u8) -> usize {
        self.0
            .iter_mut()
            .filter_map(|stream| stream.write(&[byte]).ok())
            .count()
    }

    /// Waits until the program has closed every connection, and answers how many got a byte of an answer.
    pub(super) fn answered_before_the_end(self) -> usize {
        let answered = |mut stream: TcpStream| {
            stream
                .set_read_timeout(Some(Duration::from_secs(60)))
                .expect("a time-out");
            let mut byte = [0];
            // A reset is an end, too.
            matches!(stream.read(&mut byte), Ok(1))
        };
        self.0
            .into_iter()
            .map(answered)
            .filter(|answered| *answered)
            .count()
    }
}

/// Connects. The program's queue may be full for a moment: the system then tries again by itself.
fn connect(address: &str, opening: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a connection");
    // One that was asked to make room by now cannot be written to.
    let _ = stream.write_all(opening);
    stream
}

/// Raises this process's limit of open files as far as it may; the limit then.
fn raise_open_files() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("up to the hard limit it may be raised");
    maximum.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX))
}

/// Posts a ping on a new connection; it must be accepted.
pub(super) fn an_honest_client_is_served(pipeline: &Pipeline, number: u64) {
    post(&mut pipeline.edge_client(), number);
}

/// Posts a ping on this connection; it must be accepted.
pub(super) fn post(client: &mut Client, number: u64) {
    let ping = SmallPing::numbered(number);
    let response = client.post(&ping.uri(), &[], &ping.body()).expect("an answer");
    assert_eq!(response.status, 200, "{}", response.text());
}

/// Waits a moment of real time.
#[expect(
    clippy::disallowed_methods,
    reason = "a test of real processes waits in real time"
)]
pub(super) fn wait(duration: Duration) {
    std::thread::sleep(duration);
}

/// Tells whoever reads the test's output.
#[expect(clippy::print_stdout, reason = "figures of a test")]
pub(super) fn tell(text: &str) {
    println!("{text}");
}
