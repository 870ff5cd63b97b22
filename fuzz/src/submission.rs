//! Target: a request's head as the door sees it. What passes is a submission, has a partition with a key, is stored
//! without a header that bears an address, and comes back from a record as it was.

use std::collections::BTreeSet;

use bytes::Bytes;
use chunk::{Header, RecordHead, RecordIdentity, records};
use edge::fuzzing::{check_head, stored_headers};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use index_schema::{ChunkKey, ChunkKind};
use ping::{ChunkId, DimensionSchema, Incarnation, RecordId, Submission, SubmissionDate};

/// A request target, then lines of headers: a name, a colon, a value.
pub fn target(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let target = lines.next().unwrap_or_default();
    read_uri(&String::from_utf8_lossy(target), &DimensionSchema::default());
    let Ok(uri) = Uri::try_from(target) else { return };
    let mut request = Request::post(uri).body(()).expect("a request");
    for (name, value) in lines.filter_map(header) {
        request.headers_mut().append(name, value);
    }
    let (head, ()) = request.into_parts();
    let uri = head.uri.path_and_query().map_or("", |uri| uri.as_str());
    let stored = stored_headers(&head.headers);
    check_stored(&head.headers, &stored);
    if check_head(&head, data.len() as u64).is_ok() {
        assert!(Submission::parse(uri).is_ok(), "what is taken is a submission");
        assert!(uri.len() <= 1_024);
        assert!(stored.iter().all(|(_, value)| value.chars().count() <= 1_024));
        store_and_read(uri, stored);
    }
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    Some((name, HeaderValue::from_bytes(&line[colon + 1..]).ok()?))
}

/// Reads a URI; if it is a submission, it has a partition whose key can be read.
pub(crate) fn read_uri(uri: &str, schema: &DimensionSchema) {
    let Ok(submission) = Submission::parse(uri) else {
        return;
    };
    assert!(!submission.namespace.is_empty() && submission.namespace.len() <= 64);
    let date: SubmissionDate = "20170131".parse().expect("a date");
    let key = ChunkKey {
        prefix: "pings".to_owned(),
        kind: ChunkKind::Pings,
        partition: schema.partition(&submission, date),
        id: ChunkId {
            incarnation: Incarnation::from_bytes([1; 16]),
            boot: 1,
            plan: 1,
        },
    };
    assert_eq!(ChunkKey::parse(&key.to_string()).as_ref(), Ok(&key));
}

fn check_stored(all: &HeaderMap, stored: &[(String, String)]) {
    let allowed = BTreeSet::from([
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "dnt",
        "user-agent",
        "x-debug-id",
        "x-foxsec-ip-reputation",
        "x-lb-tags",
        "x-pingsender-version",
        "x-pipeline-proxy",
        "x-source-tags",
        "x-telemetry-agent",
    ]);
    assert!(stored.iter().all(|(name, _)| allowed.contains(name.as_str())));
    let wanted = all.iter().filter(|(name, _)| allowed.contains(name.as_str()));
    assert_eq!(
        wanted.count(),
        stored.len(),
        "each that is stored, once for each value"
    );
}

fn store_and_read(uri: &str, headers: Vec<(String, String)>) {
    let head = RecordHead {
        id: RecordId {
            incarnation: Incarnation::from_bytes([1; 16]),
            sequence: 1,
        },
        received: "20170131".parse::<SubmissionDate>().expect("a date").start(),
        submission_date: "20170131".parse().expect("a date"),
        uri: Bytes::copy_from_slice(uri.as_bytes()),
        headers: headers
            .into_iter()
            .map(|(name, value)| Header { name, value })
            .collect(),
        received_bytes: 2,
        error: None,
        client_hash: None,
    };
    let mut raw = Vec::new();
    head.append_to(b"{}", &mut raw);
    assert_eq!(raw.len(), head.stream_len(2));
    let mut read = records(&raw);
    let record = read.next().expect("one").expect("a record");
    assert_eq!((record.to_head(), record.body), (head, b"{}".as_slice()));
    assert!(read.next().is_none());
    let _ = RecordIdentity::new(record.id, record.received, record.uri).key();
}

/// URIs of all shapes with the headers of a client.
pub fn seeds() -> Vec<Vec<u8>> {
    let headers = "\ncontent-length:2\nuser-agent:pingsender/1.0\nX-Forwarded-For:203.0.113.7\nx-debug-id:Gr\u{fc}\n\
                   content-encoding:gzip\nx-lb-tags:a\nx-lb-tags:b";
    let id = "ce39b608-f595-4c69-b6a6-f7a436604648";
    [
        format!("/submit/telemetry/{id}/main/Firefox/61.0a1/nightly/20180328030202?v=4"),
        "/submit/telemetry//update/Firefox/61.0a1".to_owned(),
        format!("/submit/eng-workflow/hgpush/1/{id}"),
        format!("//submit//eng-workflow/hgpush/{id}?v=%00&v=5#x"),
        "/submit/telemetry/%25%2F%ff/main/a%20b".to_owned(),
        "http://host/submit/telemetry/x".to_owned(),
    ]
    .map(|uri| (uri + headers).into_bytes())
    .to_vec()
}
