//! Prints records as NDJSON: a ping's body with its `meta`, or an errored ping with its body as base64.

use std::io::{BufWriter, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chunk::RecordRef;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::compact::{Compacted, append_compact};
use super::meta::{Stored, meta};
use super::names::{BASE64, BODY, CONTENT_ENCODING, META, SENT_BODY};

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The body, compact, with a last member `meta`; its own member of that name is called `body_meta`. What is no JSON
    /// object is left out and counted.
    Pings,
    /// `{"reason", "body" (base64), "meta"}`.
    Errors,
}

/// Writes lines, and counts what it left out.
pub(crate) struct Printer<W: Write> {
    out: BufWriter<W>,
    shape: Shape,
    printed: u64,
    left_out: u64,
    line: String,
}

impl<W: Write> Printer<W> {
    /// A printer of lines of this shape.
    pub(crate) fn new(out: W, shape: Shape) -> Self {
        Self {
            out: BufWriter::with_capacity(1 << 20, out),
            shape,
            printed: 0,
            left_out: 0,
            line: String::new(),
        }
    }

    /// Lines printed so far.
    pub(crate) const fn printed(&self) -> u64 {
        self.printed
    }

    /// Prints one record. `reason` says why it is errored where the record itself does not.
    pub(crate) fn print(&mut self, record: &RecordRef<'_>, reason: Option<&str>) -> anyhow::Result<()> {
        if self.write(record, reason) {
            self.out.write_all(self.line.as_bytes())?;
            self.printed += 1;
        } else {
            self.left_out += 1;
        }
        Ok(())
    }

    /// The line of one record, its end included, printed by whoever asks; none for what is left out.
    pub(crate) fn line(&mut self, record: &RecordRef<'_>) -> Option<&str> {
        self.write(record, None).then_some(self.line.as_str())
    }

    /// Writes the line of one record; false for what is left out.
    fn write(&mut self, record: &RecordRef<'_>, reason: Option<&str>) -> bool {
        let uri = String::from_utf8_lossy(record.uri);
        let stored = Stored {
            id: record.id,
            received: record.received,
            submission_date: record.submission_date,
            uri: &uri,
            headers: record.headers().collect(),
            client_hash: record.client_hash,
            received_bytes: record.received_bytes,
            body_bytes: record.body.len(),
        };
        self.line.clear();
        let written = match self.shape {
            Shape::Pings => self.ping(record.body, &stored),
            Shape::Errors => self.errored(record, &stored, reason),
        };
        if written {
            self.line.push('\n');
        }
        written
    }

    /// Writes what is left, and says on standard error how many were left out.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        self.out.flush()?;
        if self.left_out > 0 {
            eprintln!(
                "left out {} pings whose body is no JSON object (--errors prints errored ones)",
                self.left_out
            );
        }
        Ok(())
    }

    fn ping(&mut self, body: &[u8], stored: &Stored<'_>) -> bool {
        let Some(Compacted { is_repaired }) = append_compact(body, &mut self.line) else {
            return false;
        };
        if !self.line.starts_with('{') || serde_json::from_str::<&RawValue>(&self.line).is_err() {
            return false;
        }
        let mut meta = meta(stored, &self.line);
        // The body is inflated here.
        meta.remove(CONTENT_ENCODING);
        if is_repaired {
            meta.insert(SENT_BODY.to_owned(), STANDARD.encode(body).into());
        }
        self.line.pop();
        if !self.line.ends_with('{') {
            self.line.push(',');
        }
        self.line
            .push_str(&format!("\"{META}\":{}}}", Value::Object(meta)));
        true
    }

    fn errored(&mut self, record: &RecordRef<'_>, stored: &Stored<'_>, reason: Option<&str>) -> bool {
        let (body, reason) = (record.body, record.error.or(reason).unwrap_or("unknown"));
        let mut meta = meta(stored, "");
        if record.error.is_none() {
            // The fold refused it: it is inflated already.
            meta.remove(CONTENT_ENCODING);
        }
        meta.insert(BODY.to_owned(), BASE64.into());
        let line = json!({"reason": reason, "body": STANDARD.encode(body), "meta": meta});
        self.line.push_str(&line.to_string());
        true
    }
}
