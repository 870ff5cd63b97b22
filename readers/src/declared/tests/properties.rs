//! The reader against the slow one, for random declarations and bodies.

use std::sync::LazyLock;

use ping::{Submission, SubmissionDate};
use proptest::prelude::*;
use serde_json::Value;

use super::dice::{body, declaration};
use crate::declaration::{Declaration, From, UriPart};
use crate::declared::oracle::{self, Recorder, Told};
use crate::declared::{BodyError, Reader, Room, Submitted};

/// What both readers of a declaration are told besides the body.
fn received() -> SubmissionDate {
    SubmissionDate::from_yyyymmdd(20_261_101).expect("a date")
}

fn header(name: &str) -> Option<&'static str> {
    (name == "x-one").then_some("7.8")
}

/// Version and channel stand in its URI, and neither application nor build.
static SUBMISSION: LazyLock<Submission> = LazyLock::new(|| Submission {
    app_version: Some("10.12.1".to_owned()),
    app_update_channel: Some("a/b".to_owned()),
    ..Submission::default()
});

fn read(reader: &Reader, body: &[u8], room: &mut Room) -> Result<Told, BodyError> {
    let mut recorder = Recorder::of(reader);
    let submitted = Submitted {
        received: received(),
        header: &header,
        submission: Some(&SUBMISSION),
    };
    reader.read(body, submitted, room, &mut recorder)?;
    Ok(recorder.told)
}

fn compiled(text: &str) -> (Declaration, Reader) {
    // What is refused today may be in force.
    let declaration = Declaration::in_force(text).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
    let reader = Reader::new(&declaration, 0).expect("a source");
    (declaration, reader)
}

fn slow(declaration: &Declaration, body: &Value) -> Told {
    oracle::read(declaration, 0, body, received(), &|from| match from {
        From::Header(name) => header(name).map(str::to_owned),
        From::Uri(UriPart::Version) => Some("10.12.1".to_owned()),
        From::Uri(UriPart::Channel) => Some("a/b".to_owned()),
        _ => None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_walk_tells_what_the_slow_reader_tells(text in declaration(), bodies in prop::collection::vec(body(), 1..4)) {
        let (declaration, reader) = compiled(&text);
        let mut room = Room::default();
        for body in bodies {
            let told = read(&reader, body.to_string().as_bytes(), &mut room);
            prop_assert_eq!(told, Ok(slow(&declaration, &body)), "{}\n{}", text, body);
        }
    }

    #[test]
    fn a_damaged_body_is_refused_exactly_if_it_is_no_json(
        text in declaration(), body in body(), at: prop::sample::Index, damage in 0..4_usize, byte: u8,
    ) {
        let (_, reader) = compiled(&text);
        let mut bytes = body.to_string().into_bytes();
        let at = at.index(bytes.len());
        match damage {
            0 => bytes.truncate(at),
            1 => bytes[at] = byte,
            2 => { bytes.remove(at); }
            _ => bytes.insert(at, byte),
        }
        let told = read(&reader, &bytes, &mut Room::default());
        let tree: Result<Value, _> = serde_json::from_slice(&bytes);
        match (told, tree) {
            (Err(BodyError::Json(_)), tree) => prop_assert!(tree.is_err(), "{:?}", tree),
            (Err(BodyError::NotAnObject), tree) => prop_assert!(tree.is_ok_and(|tree| !tree.is_object())),
            (Err(BodyError::DuplicateKey), _) => {}
            // What stands between quotes may be any bytes.
            (Ok(_), tree) => prop_assert!(tree.is_ok() || bytes.contains(&b'"')),
        }
    }
}

#[test]
fn crowds_of_labels_and_values_are_cut_as_the_slow_reader_cuts_them() {
    let (declaration, reader) = compiled(
        "$highwater: product/1\nsources: [inky/a]\nmetrics:\n  all:\n    m0: { type: labeled_counter, path: \"/a/*\" }\n    m1: { type: string_list, path: /b }\n    m2: { type: labeled_string_list, path: \"/c/*\" }\n    m3: { type: labeled_rate, path: \"/d/*\" }\n",
    );
    let names = |count: usize| (0..count).map(|number| format!("n{number:04}"));
    let body = serde_json::json!({
        "a": names(600).map(|name| (name, Value::from(2))).collect::<serde_json::Map<_, _>>(),
        "b": names(700).chain(names(700)).map(Value::from).collect::<Vec<_>>(),
        "c": names(510).map(|name| (name, names(3).map(Value::from).collect())).collect::<serde_json::Map<_, _>>(),
        "d": names(502).map(|name| (name, serde_json::json!({"numerator": 1}))).collect::<serde_json::Map<_, _>>(),
    });
    let told = read(&reader, body.to_string().as_bytes(), &mut Room::default()).expect("read");
    assert_eq!(told, slow(&declaration, &body));
    assert_eq!(told.notes.len(), 4);
}
