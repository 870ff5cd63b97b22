//! Target: the reader of Glean's pings against its slow one. Both count the same, or refuse for the same reason; what the slow
//! one cannot read as text, the fast one mends or refuses.

use ping::SubmissionDate;
use readers::glean::oracle::{self, Totals};
use readers::glean::{CustomLayouts, GleanError, GleanReader, Received};
use sketch::Layout;

/// A byte that says what is known beside the body, and the body.
pub fn target(data: &[u8]) {
    let Some((flags, body)) = data.split_first() else {
        return;
    };
    let day: SubmissionDate = "20261128".parse().expect("a date");
    let received = Received {
        namespace: "acme",
        document_type: if flags & 4 == 0 {
            "usage"
        } else {
            "deletion-request"
        },
        date: day,
        source_tags: (flags & 2 != 0).then_some("automation, a-tag-that-is-far-too-long,x,x,y,z,u,v"),
        is_declared: flags & 1 != 0,
    };
    let layouts = [
        ("a.b", Layout::glean_linear(1, 100, 12)),
        ("a.c", Layout::exponential(1, 60_000, 50)),
    ];
    let custom: CustomLayouts = layouts
        .map(|(metric, layout)| (metric.to_owned(), layout))
        .into_iter()
        .collect();
    let mut reader = GleanReader::default();
    let mut read = || {
        let mut totals = Totals::default();
        reader
            .read(body, &received, &custom, &mut totals)
            .map(|()| totals)
    };
    let fast = read();
    assert_eq!(read(), fast, "read again, it counts the same");
    match oracle::read(body, &received, &custom) {
        Err(GleanError::Json(_)) => {
            let is_plain = body
                .iter()
                .all(|byte| (b' '..=b'~').contains(byte) && *byte != b'\\');
            assert!(
                !is_plain || fast.is_err(),
                "a body of plain texts that is no JSON is refused"
            );
        }
        slow => assert_eq!(fast, slow, "the reader counts what the slow one counts"),
    }
}

/// Small bodies that have each section.
pub fn seeds() -> Vec<Vec<u8>> {
    let client = r#""client_info":{"app_build":"20260101000000","app_channel":"beta","app_display_version":"1.2","architecture":"x86_64","build_date":"1970-01-01T00:00:00+00:00","client_id":"f45756e3-8a9b-46a3-92ae-51f78b6d4635","os":"Linux","os_version":"10.0.1","locale":"de"}"#;
    let ping = r#""ping_info":{"seq":0,"reason":"daily","start_time":"2026-11-28T20:52-00:00"}"#;
    let events = r#""events":[{"category":"ui","name":"saved","timestamp":0,"session":{"session_sample_rate":0.25}},{"category":"ui","name":"saved","timestamp":5}]"#;
    let numbers = r#""counter":{"a.b":7},"quantity":{"a.c":9007199254740993},"timespan":{"a.d":{"time_unit":"millisecond","value":1234}},"rate":{"a.e":{"denominator":10,"numerator":1}},"datetime":{"a.f":"2026-10-02T12:00+5.5:00"}"#;
    let names = r#""boolean":{"b.a":true},"string":{"b.b":"dark"},"string_list":{"b.c":["x","y","x"]},"url":{"b.d":"https://A.example:80/"},"uuid":{"b.e":"x"},"object":{"b.f":{"x":[1]}}"#;
    let distributions = r#""timing_distribution":{"c.a":{"sum":961549,"values":{"961548":1,"0":0}}},"memory_distribution":{"c.b":{"sum":2046,"values":{"1023":2}}},"custom_distribution":{"a.b":{"sum":10,"values":{"10":1}},"a.c":{"sum":8,"values":{"8":1}}}"#;
    let labelled = r#""labeled_counter":{"d.a":{"open":1,"__other__":2}},"labeled_string":{"d.b":{"x":"y"}},"labeled_custom_distribution":{"a.b":{"x":{"sum":1,"values":{"1":1}}}},"dual_labeled_counter":{"d.c":{"k/1":{"m%":1}}}"#;
    let bodies = [
        format!("{{{client},{events},{ping}}}"),
        format!("{{{ping},\"metrics\":{{{numbers},{names}}}}}"),
        format!("{{\"metrics\":{{{distributions}}}}}"),
        format!("{{\"metrics\":{{{labelled}}},{client}}}"),
        "{}".to_owned(),
    ];
    let odd = b"\x01{\"metrics\":{\"string\":{\"a\":\"caf\xe9\\ud800\"},\"labeled_counter\":{\"a\":{\"\xe8\":1,\"\xe9\":2}}}}";
    let bodies = bodies.into_iter().zip([1_u8, 3, 1, 0, 5]);
    let seeds = bodies.map(|(body, flags)| [&[flags], body.as_bytes()].concat());
    seeds.chain([odd.to_vec()]).collect()
}
