//! The accept loop: a bounded number of connections, a graceful end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::connection::{self, Shared};
use super::connection_limit::{ConnectionLimit, Seat};
use super::{ConnectionLimits, Handler};
use crate::shutdown::Shutdown;
use crate::{metrics, task};

/// How long to wait after an accept failed, most often for lack of file descriptors: they come back as connections end, and
/// one that is silent or slow is asked to.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound address, not yet accepting.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    name: &'static str,
    limits: Arc<ConnectionLimits>,
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else listens there.
    #[error(
        "cannot listen on {address} for the {name}: the port is in use; end what uses it, or choose another port"
    )]
    InUse {
        /// The listener's name.
        name: &'static str,
        /// The address asked for.
        address: SocketAddr,
    },
    /// Anything else.
    #[error("cannot listen on {address} for the {name}: {source}; choose an address of this machine")]
    Other {
        /// The listener's name.
        name: &'static str,
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
}

impl Listener {
    /// Binds an address; port 0 takes a free one. The name goes to metrics and log lines.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(
        name: &'static str,
        address: SocketAddr,
        limits: ConnectionLimits,
    ) -> Result<Self, BindError> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| match source.kind() {
                io::ErrorKind::AddrInUse => BindError::InUse { name, address },
                _ => BindError::Other {
                    name,
                    address,
                    source,
                },
            })?;
        let limits = Arc::new(limits);
        Ok(Self {
            listener,
            name,
            limits,
        })
    }

    /// The address that was bound.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Accepts and serves connections until the shutdown is wished; then answers what is in flight, for as long as the
    /// limits allow, closes what is idle, and returns.
    pub async fn serve<H: Handler>(self, handler: H, shutdown: Shutdown) {
        let (cut_trigger, cut) = Shutdown::new();
        let Self {
            listener,
            name,
            limits,
        } = self;
        let limit = ConnectionLimit::new(limits.connections, limits.heartbeat_seats);
        let drain_timeout = limits.drain_timeout;
        let shared = Arc::new(Shared {
            handler,
            listener: name,
            limits,
            drain: shutdown.clone(),
            cut,
        });
        tokio::select! {
            biased;
            () = shutdown.wished() => {}
            () = accept_all(&listener, &limit, &shared) => {}
        }
        drop(listener);
        if timeout(drain_timeout, limit.all_gone()).await.is_err() {
            let left = limit.taken();
            tracing::warn!(
                listener = name,
                connections = left,
                "requests in flight took too long and are cut"
            );
            cut_trigger.pull();
            limit.all_gone().await;
        }
    }
}

/// Accepts for ever. One connection beyond the limit is accepted and waits for it; the others wait in the operating
/// system's queue.
async fn accept_all<H: Handler>(
    listener: &TcpListener,
    limit: &Arc<ConnectionLimit>,
    shared: &Arc<Shared<H>>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => begin(stream, limit.take().await, shared),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                metrics::accept_failures(shared.listener).increment(1);
                tracing::warn!(listener = shared.listener, %error, "cannot accept a connection, trying again: see the limit of open files");
                limit.ask_one_to_yield();
                task::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn begin<H: Handler>(stream: TcpStream, seat: Arc<Seat>, shared: &Arc<Shared<H>>) {
    let shared = Arc::clone(shared);
    metrics::accepted(shared.listener).increment(1);
    let _ = stream.set_nodelay(true); // an answer of two packets must not wait for an acknowledgement
    task::spawn("connection", async move {
        let _open = Open::new(shared.listener);
        connection::serve(shared, stream, seat).await;
    });
}

/// An open connection: counted as long as it is, also when its handler panics.
struct Open {
    listener: &'static str,
}

impl Open {
    fn new(listener: &'static str) -> Self {
        metrics::connections(listener).increment(1);
        Self { listener }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::connections(self.listener).decrement(1);
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}
