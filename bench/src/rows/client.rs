//! A small HTTP/1.1 client on one kept connection. It costs nothing that is measured: it runs in this process.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use service::task;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bodies::Sent;

/// How often a ping is sent that is refused for want of room, each time 10 ms later.
const PATIENCE: u64 = 1_000;

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    address: String,
    read: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// Connects.
    pub(crate) async fn connect(address: &str) -> Result<Self> {
        Ok(Self {
            stream: connect(address).await?,
            address: address.to_owned(),
            read: Vec::new(),
        })
    }

    /// GET.
    pub(crate) async fn get(&mut self, target: &str) -> Result<Answer> {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        self.ask(request.as_bytes()).await
    }

    /// POSTs a body that is compressed with gzip.
    pub(crate) async fn post(
        &mut self,
        uri: &str,
        headers: &[(&str, String)],
        gzip: &[u8],
    ) -> Result<Answer> {
        let mut request = format!("POST {uri} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n", gzip.len()));
        let mut request = request.into_bytes();
        request.extend_from_slice(gzip);
        self.ask(&request).await
    }

    /// POSTs a sample ping to another URI, again while there is no room for it. Answers how often it was refused so.
    pub(crate) async fn submit(&mut self, uri: &str, ping: &Sent) -> Result<u64> {
        for refused in 0..PATIENCE {
            match self.post(uri, &ping.headers, &ping.gzip).await {
                Ok(Answer { status: 200, .. }) => return Ok(refused),
                Ok(Answer {
                    status: 503 | 507, ..
                }) => {}
                Ok(Answer { status, body }) => {
                    bail!("a ping was answered {status}: {}", String::from_utf8_lossy(&body));
                }
                // Refused before its body was read, so that the answer was lost with the connection.
                Err(error) => drop(error),
            }
            task::sleep(Duration::from_millis(10)).await;
            self.stream = connect(&self.address).await?;
        }
        bail!("a ping was refused {PATIENCE} times for want of room")
    }

    async fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.write_all(request).await?;
        self.read.clear();
        let head = loop {
            if let Some(end) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end;
            }
            self.read_more().await?;
        };
        let text = String::from_utf8_lossy(&self.read[..head]).to_ascii_lowercase();
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length
            .map_or(Ok(0), |length| length.trim().parse())
            .context("a content-length")?;
        while self.read.len() < head + 4 + length {
            self.read_more().await?;
        }
        let body = self.read[head + 4..head + 4 + length].to_vec();
        Ok(Answer {
            status: status.context("no status line")?,
            body,
        })
    }

    async fn read_more(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.read).await? == 0 {
            bail!("the connection was closed before the answer");
        }
        Ok(())
    }
}

async fn connect(address: &str) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
