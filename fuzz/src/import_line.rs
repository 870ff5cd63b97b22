//! Target: a line of an import. What is read has a submission's URI, and the body as it is written or said in base64.

use crate::import::read_line;

/// A line.
pub fn target(data: &[u8]) {
    let Some((body, date)) = read_line(data) else {
        return;
    };
    assert_eq!(date.len(), 8);
    let has = |part: &[u8]| data.windows(part.len()).any(|window| window == part);
    if has(b"attributeMap") || has(b"meta") || has(b"\\") {
        return;
    }
    assert!(has(&body), "the body stands in the line");
    // What stands inside of an object is for the fold to judge; if the line is JSON, so is its body.
    let is_json = |bytes: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
    assert!(body.starts_with(b"{") || is_json(&body));
    assert!(!is_json(data) || is_json(&body));
}

/// A line as it is written, one with odd spellings, and one of each other form.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        r#"{"submissionDate":"20170130","uri":"/submit/telemetry/x/main/Firefox/61.0a1/nightly/1?v=4","body":{"a":1.50,"a":[ ]}}"#,
        r#" {"uri" : "\/submit/telemetry/\u0000\ud83d\ude00", "x":null, "body": "text" , "submissionDate":"20240229"} "#,
        r#"{"attributeMap":{"uri":"/submit/telemetry/x/main","args":"v=4","submission_timestamp":"2017-01-31T01:02:03.000004Z","dnt":"1"},"payload":"H4sIAAD/"}"#,
        r#"{"a":1,"body_meta":2,"meta":{"submissionDate":"20170130","Timestamp":1485819100278123000,"uri":"/submit/telemetry/x/main","recordId":"1","DNT":"1"}}"#,
        r#"{"reason":"x","body":"eyJh","meta":{"submissionDate":"20170130","uri":"/submit/telemetry/x/main","recordId":"1","body":"base64","Content-Encoding":"gzip"}}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
