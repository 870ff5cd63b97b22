//! Bodies that a tree of values would not show: keys that stand twice, texts that cannot be read, numbers out of range.

use ping::SubmissionDate;

use crate::declaration::Declaration;
use crate::declared::oracle::{Recorder, Told};
use crate::declared::{BodyError, Reader, Room, Submitted};
use crate::json::JsonError;
use crate::values::Rule;

const DECLARATION: &str = r#"
$highwater: product/1
sources: [inky/a]
client_id: { path: /id }
dimensions:
  os: { path: /os/name }
metrics:
  all:
    size: { type: quantity, path: /size }
    calls: { type: labeled_counter, path: "/calls/*" }
    both: { type: labeled_counter, path: "/calls/*/*" }
    paper: { type: counter, path: /calls/paper }
    first: { type: string, path: /list/0/name }
"#;

fn read(body: &str) -> Result<Told, BodyError> {
    let declaration = Declaration::read(DECLARATION).expect("a declaration");
    let reader = Reader::new(&declaration, 0).expect("a source");
    let mut recorder = Recorder::of(&reader);
    let submitted = Submitted {
        received: SubmissionDate::from_yyyymmdd(20_261_101).expect("a date"),
        header: &|_| None,
        submission: None,
    };
    reader.read(body.as_bytes(), submitted, &mut Room::default(), &mut recorder)?;
    Ok(recorder.told)
}

/// The sums by metric and label.
fn sums(body: &str) -> Vec<(String, i64)> {
    let told = read(body).expect("read");
    let sums = told.numbers.into_iter();
    sums.map(|((name, label, ..), (sum, _))| {
        (
            name + &label.map(|label| format!("[{label}]")).unwrap_or_default(),
            sum,
        )
    })
    .collect()
}

#[test]
fn a_declared_key_that_stands_twice_has_two_answers() {
    for body in [
        r#"{"size":1,"size":2}"#,
        r#"{"os":{},"os":{"name":"x"}}"#,
        r#"{"calls":{"paper":1,"paper":1}}"#,
        r#"{"list":[{"name":"a","name":"b"}]}"#,
    ] {
        assert_eq!(read(body), Err(BodyError::DuplicateKey), "{body}");
    }
    assert!(read(r#"{"free":1,"free":2,"list":[{"name":"a"},{"name":"b"}]}"#).is_ok());
}

#[test]
fn a_label_that_stands_twice_adds_up() {
    let body = r#"{"calls":{"test":1,"test":2}}"#;
    assert_eq!(sums(body), [("all.calls[test]".to_owned(), 3)]);
}

#[test]
fn one_place_may_be_read_by_several_metrics() {
    let body = r#"{"calls":{"paper":4,"a/b":{"c%":5}}}"#;
    let expected = [
        ("all.both[a%2Fb/c%25]", 5),
        ("all.calls[paper]", 4),
        ("all.paper", 4),
    ];
    assert_eq!(sums(body), expected.map(|(name, sum)| (name.to_owned(), sum)));
    let told = read(body).expect("read");
    assert_eq!(told.notes[&("all.calls".to_owned(), Rule::WrongType)], 1);
}

#[test]
fn numbers_that_json_cannot_write_make_the_body_none_that_can_be_read() {
    for body in [
        r#"{"size":NaN}"#,
        r#"{"size":1e400}"#,
        r#"{"size":Infinity}"#,
        r#"{"free":1e400}"#,
        "{",
        "",
    ] {
        assert_eq!(read(body), Err(BodyError::Json(JsonError::NotJson)), "{body}");
    }
    assert_eq!(sums(r#"{"size":-0}"#), [("all.size".to_owned(), 0)]);
    assert_eq!(sums(r#"{"size":18446744073709551616}"#), []);
    assert_eq!(read("[1]"), Err(BodyError::NotAnObject));
    let deep = format!("{{\"free\":{}1{}}}", "[".repeat(127), "]".repeat(127));
    assert_eq!(read(&deep), Err(BodyError::Json(JsonError::TooDeep)));
}

#[test]
fn what_cannot_be_read_in_a_text_is_replaced_and_told() {
    let told = read(r#"{"os":{"name":"Li\ud800nux"},"calls":{"\q":1}}"#).expect("read");
    assert_eq!(told.dimensions["os"], "Li\u{fffd}nux");
    assert_eq!(told.notes[&("os".to_owned(), Rule::TextRepaired)], 1);
    assert_eq!(told.notes[&("body".to_owned(), Rule::TextRepaired)], 1);
}
