//! A record: a ping as it stands in a data frame, written and read. Each is a protobuf `PingRecord` with its length
//! before it as a varint. Reading borrows: no body is copied.

use bytes::Bytes;
use index_schema::proto::Header;
use ping::{ClientHash, Incarnation, RecordId, SubmissionDate, Timestamp};

use crate::wire::{self, Field};

/// All of a record but its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordHead {
    /// Its permanent identity.
    pub id: RecordId,
    /// When it was received.
    pub received: Timestamp,
    /// The UTC day of receipt.
    pub submission_date: SubmissionDate,
    /// The request target (path and query) as sent.
    pub uri: Bytes,
    /// The stored headers, names in lower case, in the order of the request.
    pub headers: Vec<Header>,
    /// Bytes of the body as received, before inflating.
    pub received_bytes: u64,
    /// In error chunks only, and never empty there: why the body could not be taken apart, such as `gzip_cut`.
    pub error: Option<String>,
    /// The keyed hash of the client's id, where its product's declaration has it made. The id is then not in the body.
    pub client_hash: Option<ClientHash>,
}

/// A record as it lies in a decoded data frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecordRef<'a> {
    /// Its permanent identity.
    pub id: RecordId,
    /// When it was received.
    pub received: Timestamp,
    /// The UTC day of receipt.
    pub submission_date: SubmissionDate,
    /// The request target (path and query) as sent.
    pub uri: &'a [u8],
    /// Bytes of the body as received, before inflating.
    pub received_bytes: u64,
    /// Why the body could not be taken apart: in error chunks only.
    pub error: Option<&'a str>,
    /// The keyed hash of the client's id, where there is one.
    pub client_hash: Option<ClientHash>,
    /// The body, inflated; in error chunks as sent.
    pub body: &'a [u8],
    /// The whole `PingRecord`, fields unknown here included.
    pub encoded: &'a [u8],
}

/// The bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record at raw byte {at} of its frame: {what}")]
pub struct RecordError {
    /// Where the record begins in its frame's raw bytes.
    pub at: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

/// The records of a decoded data frame, in order. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    raw: &'a [u8],
    at: usize,
}

/// The records of a decoded data frame.
pub const fn records(frame_raw: &[u8]) -> Records<'_> {
    Records {
        raw: frame_raw,
        at: 0,
    }
}

impl RecordHead {
    /// Bytes that the record takes in a frame with a body of this length, the length before it included.
    pub fn stream_len(&self, body_len: usize) -> usize {
        let message = self.message_len(body_len);
        wire::varint_len(message as u64) + message
    }

    /// Appends the record as it stands in a frame. The body is copied once.
    pub fn append_to(&self, body: &[u8], into: &mut Vec<u8>) {
        let Self {
            id,
            received,
            submission_date,
            uri,
            headers,
            received_bytes,
            error,
            client_hash,
        } = self;
        into.reserve(self.stream_len(body.len()));
        wire::put_varint(self.message_len(body.len()) as u64, into);
        wire::put_bytes(1, id.incarnation.as_bytes(), into);
        wire::put_number(2, id.sequence, into);
        wire::put_number(3, received.as_micros() as u64, into);
        wire::put_number(4, u64::from(submission_date.as_yyyymmdd()), into);
        wire::put_bytes(5, uri, into);
        for header in headers {
            wire::put_length(6, header_len(header), into);
            wire::put_bytes(1, header.name.as_bytes(), into);
            wire::put_bytes(2, header.value.as_bytes(), into);
        }
        wire::put_number(7, *received_bytes, into);
        wire::put_bytes(8, error.as_deref().unwrap_or("").as_bytes(), into);
        if let Some(hash) = client_hash {
            wire::put_bytes(9, hash.as_bytes(), into);
        }
        wire::put_bytes(15, body, into);
    }

    fn message_len(&self, body_len: usize) -> usize {
        let number = |value: u64| {
            if value == 0 {
                0
            } else {
                1 + wire::varint_len(value)
            }
        };
        let bytes = |length: usize| {
            if length == 0 {
                0
            } else {
                1 + wire::varint_len(length as u64) + length
            }
        };
        let header = |header| 1 + wire::varint_len(header_len(header) as u64) + header_len(header);
        18 + number(self.id.sequence)
            + number(self.received.as_micros() as u64)
            + number(u64::from(self.submission_date.as_yyyymmdd()))
            + bytes(self.uri.len())
            + self.headers.iter().map(header).sum::<usize>()
            + number(self.received_bytes)
            + bytes(self.error.as_deref().map_or(0, str::len))
            + bytes(self.client_hash.map_or(0, |hash| hash.as_bytes().len()))
            + bytes(body_len)
    }
}

fn header_len(header: &Header) -> usize {
    let text = |text: &str| {
        if text.is_empty() {
            0
        } else {
            1 + wire::varint_len(text.len() as u64) + text.len()
        }
    };
    text(&header.name) + text(&header.value)
}

impl<'a> RecordRef<'a> {
    /// Reads a `PingRecord`. Unknown fields are skipped; of a field that comes twice the last counts.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(encoded: &'a [u8]) -> Result<Self, &'static str> {
        let (mut incarnation, mut sequence, mut received, mut date) = (None, 0, 0, 0);
        let (mut uri, mut received_bytes, mut error, mut body) = (&[][..], 0, "", &[][..]);
        let mut client_hash = None;
        let mut rest = encoded;
        while !rest.is_empty() {
            match wire::take_field(&mut rest).ok_or("it is no protobuf message")? {
                (1, Field::Bytes(bytes)) => incarnation = Incarnation::from_slice(bytes),
                (2, Field::Varint(value)) => sequence = value,
                (3, Field::Varint(value)) => received = value as i64,
                (4, Field::Varint(value)) => date = value,
                (5, Field::Bytes(bytes)) => uri = bytes,
                (6, Field::Bytes(bytes)) => drop(parse_header(bytes).ok_or("a header is malformed")?),
                (7, Field::Varint(value)) => received_bytes = value,
                (8, Field::Bytes(bytes)) => {
                    error = str::from_utf8(bytes).map_err(|_| "its error is not UTF-8")?;
                }
                (9, Field::Bytes(bytes)) => {
                    client_hash =
                        Some(ClientHash::from_slice(bytes).ok_or("its client hash has not 16 bytes")?);
                }
                (15, Field::Bytes(bytes)) => body = bytes,
                (1..=9 | 15, _) => return Err("a field has the wrong wire type"),
                _ => {}
            }
        }
        let incarnation = incarnation.ok_or("its incarnation has not 16 bytes")?;
        let submission_date = u32::try_from(date)
            .ok()
            .and_then(SubmissionDate::from_yyyymmdd)
            .ok_or("its submission date is none")?;
        Ok(Self {
            id: RecordId {
                incarnation,
                sequence,
            },
            received: Timestamp::from_micros(received),
            submission_date,
            uri,
            received_bytes,
            error: (!error.is_empty()).then_some(error),
            client_hash,
            body,
            encoded,
        })
    }

    /// The stored headers, names and values, in the order of the request.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut rest = self.encoded;
        std::iter::from_fn(move || {
            while !rest.is_empty() {
                if let (6, Field::Bytes(bytes)) = wire::take_field(&mut rest)? {
                    return parse_header(bytes);
                }
            }
            None
        })
    }

    /// All of it but the body, owned.
    pub fn to_head(&self) -> RecordHead {
        let header = |(name, value): (&str, &str)| Header {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        RecordHead {
            id: self.id,
            received: self.received,
            submission_date: self.submission_date,
            uri: Bytes::copy_from_slice(self.uri),
            headers: self.headers().map(header).collect(),
            received_bytes: self.received_bytes,
            error: self.error.map(str::to_owned),
            client_hash: self.client_hash,
        }
    }
}

fn parse_header(mut rest: &[u8]) -> Option<(&str, &str)> {
    let (mut name, mut value) = ("", "");
    while !rest.is_empty() {
        match wire::take_field(&mut rest)? {
            (1, Field::Bytes(bytes)) => name = str::from_utf8(bytes).ok()?,
            (2, Field::Bytes(bytes)) => value = str::from_utf8(bytes).ok()?,
            (1 | 2, _) => return None,
            _ => {}
        }
    }
    Some((name, value))
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<RecordRef<'a>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at;
        let mut rest = &self.raw[at..];
        if rest.is_empty() {
            return None;
        }
        let record = wire::take_varint(&mut rest)
            .and_then(|length| wire::take(&mut rest, length))
            .ok_or("it is cut")
            .and_then(RecordRef::parse);
        self.at = if record.is_ok() {
            self.raw.len() - rest.len()
        } else {
            self.raw.len()
        };
        Some(record.map_err(|what| RecordError { at, what }))
    }
}
