//! Target: a line of an import. What is read has a submission's URI and the body as it is written.

use bytes::Bytes;
use ping::Submission;

/// The reader itself: it lies in the program, which is no library.
#[path = "../../highwater/src/import/line.rs"]
mod line;
/// Where it finds the body.
#[path = "../../highwater/src/import/outline.rs"]
mod outline;

/// A line.
pub fn target(data: &[u8]) {
    let parse = |bytes: &[u8]| line::Line::parse(&Bytes::copy_from_slice(bytes));
    let Ok(line) = parse(data) else { return };
    assert!(Submission::parse(&line.uri).is_ok());
    assert!(data.windows(line.body.len()).any(|window| window == line.body));
    // What stands inside of an object is for the fold to judge; if the line is JSON, so is its body.
    let is_json = |bytes: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
    assert!(line.body.starts_with(b"{") || is_json(&line.body));
    assert!(!is_json(data) || is_json(&line.body));
    assert_eq!(line.date.to_string().parse(), Ok(line.date));
    // Wrapped anew, it is the same line.
    let date = serde_json::to_string(&line.date.to_string()).expect("a text");
    let uri = serde_json::to_string(&line.uri).expect("a text");
    let head = format!("{{\"submissionDate\":{date},\"uri\":{uri},\"body\":");
    let again = [head.as_bytes(), &line.body, b"}"].concat();
    assert_eq!(parse(&again), Ok(line));
}

/// A line as it is printed, and one with odd spellings.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        r#"{"submissionDate":"20170130","uri":"/submit/telemetry/x/main/Firefox/61.0a1/nightly/1?v=4","body":{"a":1.50,"a":[ ]}}"#,
        r#" {"uri" : "\/submit/telemetry/\u0000\ud83d\ude00", "x":null, "body": "text" , "submissionDate":"20240229"} "#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
