//! A message of Heka or Hindsight: the envelope in which the original's edge and decoder wrote pings to files.
//!
//! The body is the payload, or the field `submission` or `content`. The original's decoder took its large sections out, into
//! fields such as `payload.histograms`: they are put back. The URI is the field `uri` with `args`, or is made of the dimensions.

use std::fmt::Write;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use ping::Timestamp;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::attribute_map::encoding_of;
use super::line::{BODY_BYTES_MAX, Line};
use super::object::{Object, is_json};
use super::printing::HEADERS;

/// Fields of a message: the decoder made about sixty.
const FIELDS_MAX: usize = 1_000;

/// What stands around a body: fields that are not taken, and the envelope.
const AROUND_BYTES_MAX: usize = 1 << 20;

/// Longest message, packed or not.
pub(super) const MESSAGE_BYTES_MAX: usize = BODY_BYTES_MAX + AROUND_BYTES_MAX;

/// A field's first value.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Bytes(Bytes),
    Whole(i64),
    Fraction(f64),
}

/// What is taken of a message.
#[derive(Debug, Default)]
struct Message {
    nanoseconds: Option<i64>,
    payload: Bytes,
    fields: Vec<(String, Value)>,
}

/// Reads a message: raw Snappy, or as it is.
pub(super) fn read(message: &Bytes) -> Result<Line, String> {
    let unpacked = unpacked(message).and_then(|plain| Message::parse(plain).ok());
    let message = match unpacked {
        Some(message) => message,
        None => Message::parse(message.clone())?,
    };
    message.line()
}

/// Whether these bytes can be taken apart, to their end.
pub(super) fn is_message(message: &[u8]) -> bool {
    let message = Bytes::copy_from_slice(message);
    let is_packed = unpacked(&message).is_some_and(|plain| Message::parse(plain).is_ok());
    is_packed || Message::parse(message).is_ok()
}

/// What a message in raw Snappy holds.
fn unpacked(message: &Bytes) -> Option<Bytes> {
    let length = snap::raw::decompress_len(message).ok()?;
    if length > MESSAGE_BYTES_MAX {
        return None;
    }
    let plain = snap::raw::Decoder::new().decompress_vec(message).ok()?;
    Some(plain.into())
}

impl Message {
    fn parse(message: Bytes) -> Result<Self, String> {
        let mut parsed = Self::default();
        let read = each_field(message, |tag, wire, rest| {
            match (tag, wire) {
                (2, WireType::Varint) => parsed.nanoseconds = Some(whole(rest)?),
                (6, WireType::LengthDelimited) => parsed.payload = delimited(rest)?,
                (10, WireType::LengthDelimited) => {
                    let field = field(delimited(rest)?)?;
                    if parsed.fields.len() == FIELDS_MAX {
                        return Err(format!("it has too many fields, more than {FIELDS_MAX}"));
                    }
                    parsed.fields.extend(field);
                }
                _ => return Ok(false),
            }
            Ok(true)
        });
        read.map_err(|error| format!("this is no Heka message: {error}"))?;
        Ok(parsed)
    }

    fn value(&self, name: &str) -> Option<&Value> {
        let mut fields = self.fields.iter();
        fields.find(|(field, _)| field == name).map(|(_, value)| value)
    }

    fn text(&self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Value::Whole(whole) => Some(whole.to_string()),
            Value::Fraction(fraction) => Some(fraction.to_string()),
        }
    }

    fn line(&self) -> Result<Line, String> {
        let nanoseconds = self
            .nanoseconds
            .ok_or("the message has no timestamp: when was it received?")?;
        let body = self.body()?;
        let headers = HEADERS.iter().filter(|(name, _)| *name != "content-encoding");
        let headers = headers.filter_map(|(name, shown)| {
            let value = self.text(shown).or_else(|| self.text(name))?;
            Some(((*name).to_owned(), value))
        });
        let headers = encoding_of(&body).into_iter().chain(headers).collect();
        Line::new(
            Timestamp::from_micros(nanoseconds.div_euclid(1_000)),
            self.uri()?,
            headers,
            body,
        )
    }

    fn body(&self) -> Result<Bytes, String> {
        let field = |name| match self.value(name) {
            Some(Value::Bytes(bytes)) => Some(bytes.clone()),
            _ => None,
        };
        let payload = Some(self.payload.clone()).filter(|payload| !payload.is_empty());
        let body = field("submission").or_else(|| field("content")).or(payload);
        let body =
            body.ok_or("the message has no body: neither a payload nor a field `submission` or `content`")?;
        let mut taken_out: Vec<(&str, &str, &Bytes)> = Vec::new();
        for (name, value) in &self.fields {
            if let (Some((section, name)), Value::Bytes(bytes)) = (name.split_once('.'), value)
                && ["environment", "payload"].contains(&section)
                && is_json(bytes)
            {
                taken_out.push((section, name, bytes));
            }
        }
        if taken_out.is_empty() {
            return Ok(body);
        }
        put_back(&body, &taken_out)
    }

    /// The URI as it was sent, or one that says the same.
    fn uri(&self) -> Result<String, String> {
        if let Some(mut uri) = self.text("uri").or_else(|| self.text("Uri")) {
            if let Some(args) = self
                .text("args")
                .filter(|args| !args.is_empty() && !uri.contains('?'))
            {
                let _ = write!(uri, "?{args}");
            }
            return Ok(uri);
        }
        let of = |name| self.text(name).filter(|text| !text.is_empty());
        let (id, kind) = of("documentId").zip(of("docType")).ok_or(
            "the message has neither a field `uri` nor `documentId` and `docType`, of which one could be made",
        )?;
        let namespace = of("sourceName").unwrap_or_else(|| "telemetry".to_owned());
        let version = of("sourceVersion");
        let mut uri = "/submit".to_owned();
        let parts = if namespace == "telemetry" {
            let names = ["appName", "appVersion", "appUpdateChannel", "appBuildId"];
            let known = names.into_iter().map_while(of);
            [namespace, id, kind].into_iter().chain(known).collect()
        } else {
            let version = version.clone().unwrap_or_else(|| "1".to_owned());
            vec![namespace, kind, version, id]
        };
        for part in &parts {
            uri.push('/');
            push_encoded(part, &mut uri);
        }
        if parts[0] == "telemetry"
            && let Some(version) = version
        {
            uri.push_str("?v=");
            push_encoded(&version, &mut uri);
        }
        Ok(uri)
    }
}

/// Puts members back into sections of a body.
fn put_back(body: &Bytes, taken_out: &[(&str, &str, &Bytes)]) -> Result<Bytes, String> {
    const NO_OBJECT: &str =
        "fields hold parts of the body, which is no JSON object that they could be put back into";
    let object = Object::of(body).ok_or(NO_OBJECT)?;
    let mut sections: Vec<&str> = taken_out.iter().map(|(section, ..)| *section).collect();
    sections.sort_unstable();
    sections.dedup();
    let mut out = BytesMut::new();
    let begin = |out: &mut BytesMut, spelled: &[u8]| {
        out.put_u8(if out.is_empty() { b'{' } else { b',' });
        out.put_u8(b'"');
        out.put_slice(spelled);
        out.put_slice(b"\":");
    };
    let put = |out: &mut BytesMut, section: &str, mut first: bool| {
        for (_, name, value) in taken_out.iter().filter(|(other, ..)| *other == section) {
            if !first {
                out.put_u8(b',');
            }
            first = false;
            out.put_slice(serde_json::Value::from(*name).to_string().as_bytes());
            out.put_u8(b':');
            out.put_slice(value);
        }
    };
    for (name, spelled, value) in object.members() {
        begin(&mut out, spelled);
        let at = sections.iter().position(|section| *section == name);
        match at.map(|at| sections.remove(at)) {
            None => out.put_slice(value),
            Some(section) => {
                let end = value.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
                let inside = end.ok_or(NO_OBJECT)?.trim_ascii();
                out.put_u8(b'{');
                out.put_slice(inside);
                put(&mut out, section, inside.is_empty());
                out.put_u8(b'}');
            }
        }
    }
    for section in sections {
        begin(&mut out, section.as_bytes());
        out.put_u8(b'{');
        put(&mut out, section, true);
        out.put_u8(b'}');
    }
    out.put_u8(b'}');
    Ok(out.freeze())
}

/// Appends a part of a path.
fn push_encoded(part: &str, uri: &mut String) {
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~+".contains(&byte) {
            uri.push(byte.into());
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
}

/// A field's name and first value; none without a value.
fn field(field: Bytes) -> Result<Option<(String, Value)>, String> {
    let (mut name, mut value) = (None, None);
    each_field(field, |tag, wire, rest| {
        match (tag, wire) {
            (1, WireType::LengthDelimited) => {
                name = Some(String::from_utf8_lossy(&delimited(rest)?).into_owned());
            }
            (4 | 5, WireType::LengthDelimited) => {
                let bytes = delimited(rest)?;
                value.get_or_insert(Value::Bytes(bytes));
            }
            (6, WireType::Varint) => {
                let first = whole(rest)?;
                value.get_or_insert(Value::Whole(first));
            }
            (6, WireType::LengthDelimited) => {
                let mut packed = delimited(rest)?;
                if packed.has_remaining() {
                    let first = whole(&mut packed)?;
                    value.get_or_insert(Value::Whole(first));
                }
            }
            (7, WireType::SixtyFourBit) => {
                let first = rest.try_get_f64_le().map_err(|_| "cut".to_owned())?;
                value.get_or_insert(Value::Fraction(first));
            }
            (7, WireType::LengthDelimited) => {
                let first = delimited(rest)?.try_get_f64_le();
                if let Ok(first) = first {
                    value.get_or_insert(Value::Fraction(first));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(name.zip(value))
}

/// Goes through the fields of a protobuf message; what `take` does not take is passed. A walk, not a tree: a message of
/// empty fields would make a tree seventy times its size.
fn each_field(
    mut message: Bytes,
    mut take: impl FnMut(u32, WireType, &mut Bytes) -> Result<bool, String>,
) -> Result<(), String> {
    while message.has_remaining() {
        let (tag, wire) = decode_key(&mut message).map_err(|error| error.to_string())?;
        if !take(tag, wire, &mut message)? {
            skip_field(wire, tag, &mut message, DecodeContext::default())
                .map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn delimited(rest: &mut Bytes) -> Result<Bytes, String> {
    let length = decode_varint(rest).map_err(|error| error.to_string())?;
    match usize::try_from(length) {
        Ok(length) if length <= rest.len() => Ok(rest.split_to(length)),
        _ => Err("it is cut".to_owned()),
    }
}

fn whole(rest: &mut Bytes) -> Result<i64, String> {
    let bits = decode_varint(rest).map_err(|error| error.to_string())?;
    Ok(bits.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::encoding;

    /// A field of text, bytes or numbers, as Heka writes it.
    fn field_of(name: &str, value: &Value) -> Vec<u8> {
        let mut field = Vec::new();
        encoding::string::encode(1, &name.to_owned(), &mut field);
        match value {
            Value::Bytes(bytes) if name == "content" => encoding::bytes::encode(5, bytes, &mut field),
            Value::Bytes(bytes) => encoding::bytes::encode(4, bytes, &mut field),
            Value::Whole(whole) => encoding::int64::encode_packed(6, &[*whole, 7], &mut field),
            Value::Fraction(fraction) => encoding::double::encode_packed(7, &[*fraction], &mut field),
        }
        field
    }

    fn message(payload: &str, fields: &[(&str, Value)]) -> Vec<u8> {
        let mut message = Vec::new();
        encoding::bytes::encode(1, &vec![7_u8; 16], &mut message);
        encoding::int64::encode(2, &1_485_824_523_000_004_321, &mut message);
        encoding::string::encode(3, &"telemetry".to_owned(), &mut message);
        if !payload.is_empty() {
            encoding::string::encode(6, &payload.to_owned(), &mut message);
        }
        for (name, value) in fields {
            encoding::bytes::encode(10, &field_of(name, value), &mut message);
        }
        message
    }

    fn text(text: &str) -> Value {
        Value::Bytes(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn line(payload: &str, fields: &[(&str, Value)]) -> Result<Line, String> {
        read(&message(payload, fields).into())
    }

    fn dimensions() -> Vec<(&'static str, Value)> {
        vec![
            ("sourceName", text("telemetry")),
            ("documentId", text("c4582ba1-79fc-4f47-8e2a-671118dccd8b")),
            ("docType", text("main")),
            ("appName", text("Firefox")),
            ("appVersion", text("54.0a1")),
            ("appUpdateChannel", text("release/cck")),
            ("appBuildId", text("20170130030205")),
            ("sourceVersion", Value::Whole(4)),
            ("remote_addr", text("203.0.113.7")),
            ("X-Forwarded-For", text("203.0.113.7")),
            ("User-Agent", text("pingsender/1.0")),
        ]
    }

    #[test]
    fn a_decoded_message_is_the_ping_it_was_made_of() {
        let mut fields = dimensions();
        fields.push(("environment.addons", text(r#"{"a": 1}"#)));
        fields.push(("payload.histograms", text(r#"{"GC_MS":{}}"#)));
        fields.push(("payload.log", text("no JSON")));
        fields.push(("other.part", text("1")));
        let line = line(r#"{"clientId":"x","payload":{"a":1.50}}"#, &fields).expect("a line");
        assert_eq!(
            line.uri,
            "/submit/telemetry/c4582ba1-79fc-4f47-8e2a-671118dccd8b/main/Firefox/54.0a1/release%2Fcck/20170130030205?v=4"
        );
        assert_eq!(line.received.as_micros(), 1_485_824_523_000_004);
        let body = r#"{"clientId":"x","payload":{"a":1.50,"histograms":{"GC_MS":{}}},"environment":{"addons":{"a": 1}}}"#;
        assert_eq!(line.body, body.as_bytes());
        assert_eq!(
            line.headers,
            [("user-agent".to_owned(), "pingsender/1.0".to_owned())]
        );
        assert!(!format!("{line:?}").contains("203.0.113"));
    }

    #[test]
    fn a_message_of_the_edge_has_its_uri_and_its_body_packed_or_plain() {
        for body in [b"{}".as_slice(), b"\x1f\x8b\x08"] {
            let fields = [
                ("uri", text("/submit/telemetry/a/main/Firefox")),
                ("args", text("v=4")),
                ("content", Value::Bytes(Bytes::copy_from_slice(body))),
            ];
            let line = line("", &fields).expect("a line");
            assert_eq!(
                (line.uri.as_str(), line.body.as_ref()),
                ("/submit/telemetry/a/main/Firefox?v=4", body)
            );
            assert_eq!(line.headers.len(), usize::from(body[0] == 0x1f));
        }
    }

    #[test]
    fn other_namespaces_have_the_uris_of_theirs() {
        let fields = [
            ("sourceName", text("acme-notes")),
            ("sourceVersion", Value::Fraction(1.0)),
            ("documentId", text("an id")),
            ("docType", text("metrics")),
            ("submission", text("{}")),
        ];
        assert_eq!(
            line("", &fields).expect("a line").uri,
            "/submit/acme-notes/metrics/1/an%20id"
        );
    }

    #[test]
    fn a_message_in_snappy_is_unpacked_first() {
        let plain = message("{}", &dimensions());
        let packed = snap::raw::Encoder::new().compress_vec(&plain).expect("packed");
        assert_eq!(read(&packed.into()), read(&plain.into()));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (said, words) in [
            (line("", &dimensions()), "no body"),
            (line("{}", &[]), "`uri`"),
            (
                line("[]", &[dimensions(), vec![("payload.info", text("{}"))]].concat()),
                "put back",
            ),
            (read(&Bytes::from_static(b"\xff\xff")), "no Heka message"),
            (read(&Bytes::new()), "no timestamp"),
        ] {
            let said = said.expect_err(words);
            assert!(said.contains(words), "{said}");
        }
        let many = vec![("a", text("b")); FIELDS_MAX + 1];
        assert!(line("{}", &many).expect_err("too many").contains("too many"));
        let mut bomb = Vec::new();
        encoding::encode_varint(u64::from(u32::MAX), &mut bomb);
        bomb.extend([0xfe; 64]);
        assert!(read(&bomb.into()).is_err());
    }
}
