//! Bodies that are no pings, and what is no Glean ping.

use super::super::{GleanError, Received};
use super::{read, read_as, received};
use crate::json::JsonError;

fn refused(body: &[u8]) -> Option<GleanError> {
    read_as(body, &received()).err()
}

#[test]
fn a_body_is_a_glean_ping_by_its_ping_info_or_by_what_is_declared() {
    let undeclared = Received {
        is_declared: false,
        ..received()
    };
    let read = |body: &[u8]| read_as(body, &undeclared).map(|totals| totals.lines().len());
    assert_eq!(read(br#"{"ping_info":{},"metrics":{"counter":{"a":1}}}"#), Ok(1));
    for body in ["{}", r#"{"metrics":{"counter":{"a":1}}}"#, r#"{"ping_info":7}"#] {
        assert_eq!(read(body.as_bytes()), Err(GleanError::NotGlean), "{body}");
    }
    assert_eq!(refused(br#"{"metrics":{"counter":{"a":1}}}"#), None);
}

#[test]
fn a_deletion_request_is_never_read() {
    let request = Received {
        document_type: "deletion-request",
        ..received()
    };
    for body in [
        &br#"{"ping_info":{},"client_info":{"client_id":"x"}}"#[..],
        b"not JSON",
    ] {
        assert_eq!(read_as(body, &request).err(), Some(GleanError::DeletionRequest));
    }
}

#[test]
fn what_is_no_json_object_is_refused() {
    let bodies: [&[u8]; 12] = [
        b"",
        b"{",
        b"{}{}",
        b"{\"metrics\":{\"counter\":{\"a\":01}}}",
        b"{\"metrics\":{\"counter\":{\"a\":1,}}}",
        b"{\"metrics\":{\"counter\":{\"a\":1e999}}}",
        b"{\"metrics\":{\"timing_distribution\":{\"a\":{\"values\":{\"1\":1 \"2\":1}}}}}",
        b"{\"events\":[{\"name\":\"x\"]}",
        b"{\"events\":[,]}",
        b"{\"client_info\":{\"os\":\"x}}",
        b"\xef\xbb\xbf{}",
        b"\x1f\x8b\x08",
    ];
    for body in bodies {
        let text = String::from_utf8_lossy(body);
        assert_eq!(
            refused(body),
            Some(GleanError::Json(JsonError::NotJson)),
            "{text}"
        );
    }
    for body in ["[]", "7", "null", "\"x\"", "[{\"ping_info\":{}}]"] {
        assert_eq!(refused(body.as_bytes()), Some(GleanError::NotAnObject), "{body}");
    }
}

#[test]
fn a_body_that_is_cut_anywhere_is_refused() {
    let body = r#"{"client_info":{"os":"Linux"},"events":[{"category":"a","name":"b","session":{"session_sample_rate":0.5}}],"metrics":{"counter":{"a":1},"rate":{"b":{"denominator":1,"numerator":2}},"labeled_timing_distribution":{"c":{"d":{"sum":1,"values":{"1":1}}}}},"ping_info":{"reason":"x"}}"#;
    assert_eq!(read(body).lines().len(), 5);
    for end in 0..body.len() {
        let cut = &body.as_bytes()[..end];
        assert_eq!(refused(cut), Some(GleanError::Json(JsonError::NotJson)), "{end}");
    }
}

#[test]
fn deep_nesting_is_refused_without_a_deep_stack() {
    let deep = |depth: usize| {
        let value = ["[".repeat(depth), "]".repeat(depth)].concat();
        format!(r#"{{"metrics":{{"object":{{"a":{value}}}}}}}"#)
    };
    assert_eq!(refused(deep(120).as_bytes()), None);
    assert_eq!(
        refused(deep(1_000_000).as_bytes()),
        Some(GleanError::Json(JsonError::TooDeep))
    );
}

#[test]
fn a_key_that_stands_twice_makes_the_ping_an_errored_one() {
    for body in [
        r#"{"metrics":{},"metrics":{}}"#,
        r#"{"client_info":{"os":"a","os":"a"}}"#,
        r#"{"ping_info":{"reason":"a","reason":"b"}}"#,
        r#"{"metrics":{"counter":{},"counter":{}}}"#,
        r#"{"metrics":{"counter":{"a":1,"b":1,"a":1}}}"#,
        r#"{"metrics":{"labeled_counter":{"a":{"x":1,"x":2}}}}"#,
        r#"{"metrics":{"dual_labeled_counter":{"a":{"x":{},"x":{}}}}}"#,
        r#"{"metrics":{"dual_labeled_counter":{"a":{"x":{"y":1,"y":1}}}}}"#,
        r#"{"metrics":{"rate":{"a":{"numerator":1,"numerator":1,"denominator":1}}}}"#,
        r#"{"metrics":{"timespan":{"a":{"value":1,"value":1,"time_unit":"day"}}}}"#,
        r#"{"metrics":{"timing_distribution":{"a":{"sum":1,"sum":1,"values":{"1":1}}}}}"#,
        r#"{"metrics":{"timing_distribution":{"a":{"sum":1,"values":{"1":1,"2":1,"1":0}}}}}"#,
        r#"{"events":[{"name":"a","name":"a","category":"b"}]}"#,
        r#"{"events":[{"name":"a","category":"b","session":{"session_sample_rate":1,"session_sample_rate":1}}]}"#,
    ] {
        assert_eq!(refused(body.as_bytes()), Some(GleanError::DuplicateKey), "{body}");
    }
    let not_read = r#"{"x":1,"x":2,"events":[{"extra":{"a":"","a":""},"name":"a","category":"b"}]}"#;
    assert_eq!(refused(not_read.as_bytes()), None);
}

#[test]
fn bytes_of_another_encoding_cost_a_ping_nothing() {
    let body = b"{\"client_info\":{\"os\":\"caf\xe9\"},\"metrics\":{\"string\":{\"a\":\"caf\xe9\",\"b\":\"\\ud800\"},\"labeled_counter\":{\"c\":{\"\xe8\":1,\"\xe9\":2}}}}";
    let totals = read_as(body, &received()).expect("a ping");
    assert_eq!(
        totals.lines(),
        [
            "c[\u{fffd}] functional(2,8,0) 3 1:1 2:1",
            "a caf\u{fffd}:1",
            "b \u{fffd}:1",
        ]
    );
    assert_eq!(
        totals.told(),
        [
            "text_repaired a 1",
            "text_repaired b 1",
            "text_repaired c 2",
            "text_repaired dimension 5 1"
        ]
    );
}
