//! Target: a line of an import. What is read has a submission's URI and the body as it is written.

use ping::Submission;

/// The reader itself: it lies in the program, which is no library.
#[path = "../../highwater/src/import/line.rs"]
mod line;

/// A line.
pub fn target(data: &[u8]) {
    let Ok(line) = line::Line::parse(data) else { return };
    assert!(Submission::parse(&line.uri).is_ok());
    assert!(data.windows(line.body.len()).any(|window| window == line.body));
    assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&line.body).is_ok());
    assert_eq!(line.date.to_string().parse(), Ok(line.date));
    // Wrapped anew, it is the same line.
    let date = serde_json::to_string(&line.date.to_string()).expect("a text");
    let uri = serde_json::to_string(&line.uri).expect("a text");
    let body = std::str::from_utf8(&line.body).expect("JSON is UTF-8");
    let again = format!("{{\"submissionDate\":{date},\"uri\":{uri},\"body\":{body}}}");
    assert_eq!(line::Line::parse(again.as_bytes()), Ok(line));
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
