//! A small blocking HTTP/1.1 client on one connection: plain enough to be trusted by a test, and able to send what no
//! proper client would.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// A connection to one address, opened when needed and again after an error.
#[derive(Debug)]
pub struct Client {
    address: String,
    stream: Option<BufReader<TcpStream>>,
    patience: Duration,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as text.
    ///
    /// # Panics
    /// When it is no UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text()))
    }
}

impl Client {
    /// A client of this address, such as `127.0.0.1:8080`.
    pub fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            stream: None,
            patience: Duration::from_secs(60),
        }
    }

    /// The same, which waits only so long for each piece of an answer.
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// GET.
    ///
    /// # Errors
    /// Those of the connection; then nothing is known of the request.
    pub fn get(&mut self, target: &str) -> io::Result<Response> {
        self.request("GET", target, &[], b"")
    }

    /// POST.
    ///
    /// # Errors
    /// Those of the connection; then nothing is known of the request.
    pub fn post(&mut self, target: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Response> {
        self.request("POST", target, headers, body)
    }

    /// Any request with a Content-Length.
    ///
    /// # Errors
    /// Those of the connection; then nothing is known of the request.
    pub fn request(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Response> {
        let mut head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        self.raw(&bytes)
    }

    /// Sends these bytes and reads one answer.
    ///
    /// # Errors
    /// Those of the connection; then nothing is known of the request.
    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<Response> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(&self.address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(self.patience))?;
                stream.set_write_timeout(Some(self.patience))?;
                self.stream.insert(BufReader::new(stream))
            }
        };
        let result = stream
            .get_mut()
            .write_all(bytes)
            .and_then(|()| read_response(stream));
        let keep = result.as_ref().is_ok_and(|response| {
            response
                .headers
                .get("connection")
                .is_none_or(|value| value != "close")
        });
        if !keep {
            self.stream = None;
        }
        result
    }
}

fn read_response(stream: &mut BufReader<TcpStream>) -> io::Result<Response> {
    let mut line = String::new();
    let mut next_line = |stream: &mut BufReader<TcpStream>| -> io::Result<String> {
        line.clear();
        match stream.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    };
    loop {
        let first = next_line(stream)?;
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status: u16 = status.ok_or_else(|| io::Error::other(format!("no status line: {first}")))?;
        let mut headers = BTreeMap::new();
        loop {
            let header = next_line(stream)?;
            let Some((name, value)) = header.split_once(':') else {
                break;
            };
            headers.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
        if status == 100 {
            continue;
        }
        let length = headers
            .get("content-length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        return Ok(Response {
            status,
            headers,
            body,
        });
    }
}
