//! Sends generated pings over HTTP, as a client would: one after the other, not faster than the rate, again when told
//! to come back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use ping::Timestamp;
use sample_pings::{Population, SamplePing, gzip};
use service::clock::Clock;
use service::task;
use tokio::net::TcpStream;

/// How clients of the field pack their pings.
const GZIP_LEVEL: u32 = 6;

/// When the server cannot be reached or asks to come again without saying when.
const PAUSE: Duration = Duration::from_millis(500);

/// A client of the edge.
pub(super) struct Sender {
    address: SocketAddr,
    connection: Option<SendRequest<Full<Bytes>>>,
    population: Arc<Population>,
    clock: Arc<dyn Clock>,
    interval: Duration,
    due: Duration,
}

impl Sender {
    /// Sends to this address at most `rate` pings a second; 0 is as fast as it goes.
    pub(super) fn new(address: SocketAddr, population: Population, rate: u32, clock: Arc<dyn Clock>) -> Self {
        let interval = Duration::from_secs(1).checked_div(rate).unwrap_or_default();
        let due = clock.monotonic();
        Self {
            address,
            connection: None,
            population: Arc::new(population),
            clock,
            interval,
            due,
        }
    }

    /// The number of the ping that this one repeats; its own if it repeats none.
    pub(super) fn original(&self, number: u64) -> u64 {
        self.population.original(number)
    }

    /// Sends a ping when it is its turn, until it is answered 200.
    pub(super) async fn send(&mut self, number: u64) -> anyhow::Result<SamplePing> {
        self.due = (self.due + self.interval).max(self.clock.monotonic());
        let (population, received) = (
            self.population.clone(),
            Timestamp::from_micros(self.clock.now_micros()),
        );
        let (ping, packed) = task::blocking(move || {
            let ping = population.ping(number, received);
            let packed = Bytes::from(gzip(&ping.body, GZIP_LEVEL));
            (ping, packed)
        })
        .await;
        task::sleep(self.due.saturating_sub(self.clock.monotonic())).await;
        loop {
            match self.post(&ping, packed.clone()).await {
                Ok(StatusCode::OK) => return Ok(ping),
                Ok(StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE) => {
                    task::sleep(PAUSE).await;
                }
                Ok(status) => anyhow::bail!("a generated ping was answered {status}"),
                Err(_) => {
                    self.connection = None;
                    task::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn post(&mut self, ping: &SamplePing, body: Bytes) -> anyhow::Result<StatusCode> {
        if self.connection.as_ref().is_none_or(SendRequest::is_closed) {
            let stream = TcpStream::connect(self.address)
                .await
                .context("cannot reach the edge")?;
            stream.set_nodelay(true)?;
            let (sender, connection) = handshake(TokioIo::new(stream)).await?;
            task::spawn("demo connection", connection);
            self.connection = Some(sender);
        }
        let connection = self.connection.as_mut().context("made above")?;
        let mut request = Request::post(&ping.uri).header(header::HOST, self.address.to_string());
        for (name, value) in &ping.headers {
            request = request.header(*name, value);
        }
        connection.ready().await?;
        let response = connection.send_request(request.body(Full::new(body))?).await?;
        let status = response.status();
        response.into_body().collect().await?;
        Ok(status)
    }
}
