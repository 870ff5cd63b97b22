//! Texts that hold what JSON does not admit: no ping loses its numbers for them.

use super::{fold, of_values, oracle};

/// What the fold makes of a body, and the oracle as well: how many cells, and how many repaired texts.
fn both(body: &[u8]) -> Result<(usize, i128), &'static str> {
    let folded = fold(&[(body, 1)]);
    assert_eq!(folded, oracle(body), "{}", String::from_utf8_lossy(body));
    folded.map(|totals| {
        let repaired = totals.refused.get("text_repaired").copied();
        (of_values(totals).len(), repaired.unwrap_or(0))
    })
}

/// What stands between quotes and is no JSON there.
const ODD: [&[u8]; 9] = [
    b"gr\xe2phique",
    b"\xff\xfe",
    b"\\ud800",
    b"\\udc00\\ud800",
    b"\\x41",
    b"\\u12",
    b"a\0b",
    b"a\nb\tc",
    b"\xed\xa0\x80",
];

fn with(before: &str, odd: &[u8], behind: &str) -> Vec<u8> {
    [before.as_bytes(), odd, behind.as_bytes()].concat()
}

#[test]
fn what_is_not_looked_at_may_be_any_bytes_between_quotes() {
    let behind = r#""}},"payload":{"processes":{"parent":{"scalars":{"a":1,"b":"text"}}}}}"#;
    for odd in ODD {
        for before in [
            r#"{"environment":{"addons":{"name":""#,
            r#"{"environment":{"addons":{"x":1,"a":[{"b":1}],"name":""#,
            r#"{"application":{"vendor":{"name":""#,
        ] {
            assert_eq!(both(&with(before, odd, behind)), Ok((1, 0)));
        }
        let key = with(
            "{\"environment\":{\"",
            odd,
            "\":[1,{}]},\"payload\":{\"processes\":{\"parent\":{\"scalars\":{\"a\":1}}}}}",
        );
        assert_eq!(both(&key), Ok((1, 0)));
        let scalar = with(
            "{\"payload\":{\"processes\":{\"parent\":{\"scalars\":{\"a\":1,\"b\":\"",
            odd,
            "\"}}}}}",
        );
        assert_eq!(both(&scalar), Ok((1, 0)));
    }
}

#[test]
fn what_is_looked_at_is_repaired_and_counted() {
    let in_parent = |sections: &str| format!("{{\"payload\":{{\"processes\":{{\"parent\":{{{sections}");
    for odd in ODD {
        let name = with(&in_parent("\"scalars\":{\""), odd, "\":1}}}}}");
        assert_eq!(both(&name), Ok((1, 1)));
        let label = with(
            &in_parent("\"keyedScalars\":{\"m\":{\""),
            odd,
            "\":1,\"l\":2}}}}}}",
        );
        assert_eq!(both(&label), Ok((2, 1)));
        let process = with(
            "{\"payload\":{\"processes\":{\"",
            odd,
            "\":{\"scalars\":{\"a\":1}}}}}",
        );
        assert_eq!(both(&process), Ok((1, 1)));
        let channel = with(
            "{\"application\":{\"channel\":\"",
            odd,
            "\"},\"payload\":{\"simpleMeasurements\":{\"a\":1}}}",
        );
        assert_eq!(both(&channel), Ok((1, 1)));
        let client = with(
            "{\"clientId\":\"",
            odd,
            "\",\"payload\":{\"simpleMeasurements\":{\"a\":1}}}",
        );
        assert_eq!(both(&client), Ok((1, 1)));
    }
}

#[test]
fn a_repaired_name_reads_as_it_was_sent_but_for_what_could_not_be_read() {
    let body =
        b"{\"payload\":{\"histograms\":{\"CAF\xc9\":{\"histogram_type\":2,\"sum\":1,\"values\":{\"1\":1}}}}}";
    let folded = fold(&[(body, 1)]).expect("a ping");
    let metrics: Vec<_> = of_values(folded).into_keys().map(|key| key.1).collect();
    assert_eq!(metrics, ["CAF\u{fffd}"]);
}

#[test]
fn names_that_are_one_after_repair_add_up_and_cost_nothing() {
    for (first, second) in [
        (b"caf\xe9".as_slice(), b"caf\xe8".as_slice()),
        (b"caf\xe9", b"caf\xe9"),
        (b"caf\xe9", "caf\u{fffd}".as_bytes()),
        ("caf\u{fffd}".as_bytes(), b"caf\\ud800"),
    ] {
        let odd = [first, b"\":1,\"", second].concat();
        let body = with(
            "{\"payload\":{\"processes\":{\"parent\":{\"keyedScalars\":{\"m\":{\"",
            &odd,
            "\":2}}}}}}",
        );
        let folded = fold(&[(&body, 1)]);
        assert_eq!(folded, oracle(&body));
        let sums: Vec<_> = of_values(folded.expect("a ping")).into_values().collect();
        assert_eq!((sums.len(), sums[0].count, sums[0].sum), (1, 2, 3));
    }
    let twice = "{\"payload\":{\"processes\":{\"parent\":{\"keyedScalars\":{\"m\":{\"\u{fffd}\":1,\"\u{fffd}\":1}}}}}}";
    assert_eq!(both(twice.as_bytes()), Err("duplicate_key"));
}

#[test]
fn what_stands_outside_of_quotes_must_be_json_and_a_text_must_end() {
    for body in [
        b"\xef\xbb\xbf{}".as_slice(),
        b"{\"a\":\xe9}",
        b"{\"a\":1}\xff",
        b"{\"a\":\"\\\"}",
        b"{\"a\":\"\xe9}",
        b"{\"a\" \0:1}",
        b"\xff\xfe{\0}\0",
    ] {
        assert_eq!(both(body), Err("not_json"));
    }
}

#[test]
fn a_byte_of_a_later_ping_is_not_taken_for_that_of_an_earlier_one() {
    // The first ping's header is remembered, and compared byte by byte.
    let body = |odd: &[u8]| {
        with(
            "{\"payload\":{\"histograms\":{\"A\":{\"range\":[1,2],\"bucket_count\":3,\"histogram_type\":2,\"",
            odd,
            "\":{\"0\":1},\"sum\":0}}}}",
        )
    };
    let (good, odd) = (body(b"values"), body(b"valu\xe9s"));
    let folded = fold(&[(&good, 1), (&odd, 1)]).expect("pings");
    assert_eq!(folded.refused.get("values_missing"), Some(&1));
    let cells: Vec<_> = of_values(folded).into_values().collect();
    assert_eq!((cells.len(), cells[0].count), (1, 1));
}
