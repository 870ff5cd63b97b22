//! Target: bodies of a declared product. A body is refused as the decoder of JSON refuses it, keeps the promises of the sink, and
//! tells what the slow reader tells; what is taken out before it is stored is in nothing that stays.

use std::cell::RefCell;

use ping::SubmissionDate;
use readers::declaration::{Declaration, From};
use readers::declared::oracle::{self, Recorder, Told};
use readers::declared::{BodyError, Reader, Room, Submitted};
use readers::privacy::{Redactor, SourceRules};
use serde_json::Value;

/// A declaration that says all that can be said.
pub const DECLARATION: &str = r#"$highwater: product/1
sources: [inky/a, inky/b]
description: Inky.
since: 2026-10-01
public: true
public_floor: 30
client_id: { path: /id }
dimensions:
  version: { path: /version, as: major, default: "1" }
  system: { path: /os/version, as: major_minor }
  built: { path: /built, as: date }
  channel: { path: /channel, values: [steady, fast], default: steady }
  host: { path: /page, as: host }
  name: { header: X-Name, as: lower }
metrics:
  a:
    flag: { type: boolean, path: /flag }
    size: { type: quantity, path: /size, layout: { exponential: [1, 1000, 30] } }
    driver: { type: string, path: /driver, values: [ps2, pcl_6], max_length: 20 }
    fonts: { type: string_list, path: /fonts }
    first: { type: string, path: /fonts/0 }
    age: { type: datetime, path: /built }
    hits: { type: rate, path: /hits }
    wait: { type: timespan, path: /wait, unit: second }
  all:
    calls: { type: labeled_counter, path: "/calls/*", labels: [paper, tray] }
    inner: { type: labeled_string, path: "/calls/*/*" }
    took: { type: labeled_timing_distribution, path: "/took/*/ms", unit: millisecond }
    map: { type: custom_distribution, path: /map, given_as: map, layout: { linear: [0, 100, 12] } }
    pairs: { type: memory_distribution, path: /pairs, given_as: pairs, unit: kilobyte }
    arrays: { type: custom_distribution, path: /arrays, given_as: arrays, layout: { functional: [2, 16] } }
ignore: [/trace/*]
examples:
  - uri: /submit/inky/a/1/c0b1f5d2-83a4-4e0b-b6a9-5f2d7e914c08
    headers: { X-Name: Inky }
    received: 2026-11-01
    body: { id: me, version: "3.0.7", size: 3, calls: { paper: 2 } }
    expect:
      - { metric: a.size, sum: 3, version: "3" }
      - { metric: all.calls, label: paper, samples: 1 }
      - { name: inky }
keep: { pings: 7d, aggregates: 2y }
drop: [/id, /secret]
by_source: { inky/b: { clients: none } }
"#;

thread_local! {
    static READING: RefCell<(Declaration, Reader, Room)> = RefCell::new({
        let declaration = Declaration::read(DECLARATION).expect("a declaration");
        let reader = Reader::new(&declaration, 0).expect("a source");
        (declaration, reader, Room::default())
    });
}

/// A body.
pub fn target(data: &[u8]) {
    READING.with_borrow_mut(|(declaration, reader, room)| {
        let tree: Result<Value, _> = serde_json::from_slice(data);
        let told = read(reader, room, data);
        assert_eq!(told, read(reader, room, data), "the same twice");
        match told {
            Ok(_) | Err(BodyError::DuplicateKey) => {}
            Err(BodyError::Json(_)) => assert!(tree.is_err()),
            Err(BodyError::NotAnObject) => assert!(tree.as_ref().is_ok_and(|tree| !tree.is_object())),
        }
        take_out(declaration, data, &told);
        // Written again, each key stands once, and in the order of the tree.
        if let Ok(tree) = tree.as_ref().map_err(drop)
            && tree.is_object()
        {
            let told = read(reader, room, tree.to_string().as_bytes());
            let slow = oracle::read(declaration, 0, tree, received(), &|from| match from {
                From::Header(name) => header(name).map(str::to_owned),
                _ => None,
            });
            assert_eq!(told, Ok(slow));
        }
    });
}

/// What stays of a body is JSON as far as that was, without what is taken out, and nothing of it is taken out again.
fn take_out(declaration: &Declaration, body: &[u8], told: &Result<Told, BodyError>) {
    let rules = SourceRules::of(declaration, 0).expect("two members are dropped");
    let (mut redactor, mut again) = (Redactor::default(), Redactor::default());
    let Ok(stays) = redactor.redact(&rules, body) else {
        // The reader does not look behind a key that stands twice.
        return assert!(matches!(told, Err(BodyError::Json(_) | BodyError::DuplicateKey)));
    };
    assert!(!matches!(told, Err(BodyError::Json(_))) && stays.body.len() <= body.len());
    let second = again.redact(&rules, stays.body).expect("what stays is JSON");
    assert_eq!((second.body, second.client), (stays.body, None));
    if serde_json::from_slice::<Value>(body).is_ok() {
        let tree: Value = serde_json::from_slice(stays.body).expect("what stays of JSON is JSON");
        assert!(tree.get("id").is_none() && tree.get("secret").is_none());
    }
}

fn received() -> SubmissionDate {
    SubmissionDate::from_yyyymmdd(20_261_101).expect("a date")
}

fn header(name: &str) -> Option<&'static str> {
    (name == "x-name").then_some("Inky")
}

fn read(reader: &Reader, room: &mut Room, body: &[u8]) -> Result<Told, BodyError> {
    let mut recorder = Recorder::of(reader);
    let submitted = Submitted {
        received: received(),
        header: &header,
        submission: None,
    };
    reader.read(body, submitted, room, &mut recorder)?;
    Ok(recorder.told)
}

/// Bodies that have every declared path.
pub fn seeds() -> Vec<Vec<u8>> {
    let full = r#"{"id":"me","version":"3.0.7","os":{"version":"10.15.7"},"built":"2026-10-01T10:00:00+02:00","channel":"nightly","page":"https://a@X.org:1/y","flag":true,"size":-3,"driver":"ps2","fonts":["a","b","a",1],"hits":{"numerator":1,"denominator":2.5},"wait":1.25,"calls":{"paper":2,"other":{"a/b":"x","%":null}},"took":{"link":{"ms":[1,2.5,-1]},"x":{"ms":7}},"map":{"1":2,"x":3,"-0.5":1},"pairs":[[1,2],[3],[1e9,1099511627777]],"arrays":{"counts":[1,0,"x"],"bins":[5,6,7]},"trace":{"x":[]}}"#;
    let odd = r#"{"id":7,"version":2,"built":20261001,"flag":1,"size":18446744073709551616,"driver":"","fonts":"a","hits":[1],"wait":1e300,"calls":[{"paper":1},{"paper":2}],"took":{"a":[{"ms":1}]},"map":[],"pairs":{},"arrays":{"bins":[1]}}"#;
    [full, odd].map(|text| text.as_bytes().to_vec()).to_vec()
}
