//! The client and the dimensions, of `client_info`, `ping_info`, the URI and a header.

use super::super::{GleanDimension, Received, limits};
use super::{Totals, read, read_as, received};

fn client(fields: &str) -> Totals {
    read(&format!(r#"{{"client_info":{{{fields}}}}}"#))
}

fn value(totals: &Totals, dimension: GleanDimension) -> Option<&str> {
    totals.dimensions.get(&dimension.place()).map(String::as_str)
}

/// The value of a dimension by these fields of `client_info`.
fn of(dimension: GleanDimension, fields: &str) -> Option<String> {
    value(&client(fields), dimension).map(str::to_owned)
}

#[test]
fn the_application_is_the_namespace() {
    let totals = read("{}");
    assert_eq!(value(&totals, GleanDimension::Application), Some("acme"));
    assert_eq!((totals.dimensions.len(), totals.client), (1, None));
}

#[test]
fn texts_are_dimensions_as_they_are() {
    let totals = client(r#""app_channel":"nightly","architecture":"x86_64","os":"Linux","locale":"de-DE""#);
    for (dimension, expected) in [
        (GleanDimension::Channel, "nightly"),
        (GleanDimension::Architecture, "x86_64"),
        (GleanDimension::Os, "Linux"),
        (GleanDimension::Locale, "de-DE"),
    ] {
        assert_eq!(value(&totals, dimension), Some(expected));
    }
    let totals = read(r#"{"ping_info":{"seq":1,"reason":"daily"}}"#);
    assert_eq!(value(&totals, GleanDimension::PingReason), Some("daily"));
}

#[test]
fn the_sdks_word_for_what_it_does_not_know_is_unknown() {
    for text in ["Unknown", "unknown", ""] {
        let fields = [
            "app_channel",
            "app_display_version",
            "architecture",
            "os",
            "os_version",
            "app_build",
        ];
        let fields: Vec<String> = fields
            .iter()
            .map(|field| format!("\"{field}\":\"{text}\""))
            .collect();
        let totals = client(&fields.join(","));
        assert_eq!((totals.dimensions.len(), totals.told().len()), (1, 0), "{text}");
    }
}

#[test]
fn a_version_counts_by_its_leading_digits_and_a_systems_by_two_numbers() {
    let of_version = |text: &str| {
        of(
            GleanDimension::Version,
            &format!("\"app_display_version\":\"{text}\""),
        )
    };
    assert_eq!(of_version("2.0b3").as_deref(), Some("2"));
    assert_eq!(of_version("inaccessible"), None);
    let of_system = |text: &str| of(GleanDimension::OsVersion, &format!("\"os_version\":\"{text}\""));
    assert_eq!(of_system("10.0.19045").as_deref(), Some("10.0"));
    assert_eq!(of_system("14").as_deref(), Some("14"));
    assert_eq!(
        client(r#""app_display_version":"beta""#).told(),
        ["not_a_version dimension 3 1"]
    );
}

#[test]
fn the_build_date_is_that_of_its_field_whatever_offset_follows() {
    let of_date = |text: &str| of(GleanDimension::BuildDate, &format!("\"build_date\":\"{text}\""));
    assert_eq!(of_date("2026-10-05T14:30:07+02:00").as_deref(), Some("20261005"));
    assert_eq!(of_date("2026-10-05T14:30:07+5.5:00").as_deref(), Some("20261005"));
    assert_eq!(of_date("1970-01-01T00:00:00+00:00"), None);
    assert_eq!(
        client(r#""build_date":"soon""#).told(),
        ["not_a_date dimension 1 1"]
    );
}

#[test]
fn without_a_build_date_that_of_the_build_counts() {
    let of_build = |build: &str| {
        let fields = format!(r#""app_build":"{build}","build_date":"1970-01-01T00:00:00+00:00""#);
        of(GleanDimension::BuildDate, &fields)
    };
    assert_eq!(of_build("20260101000000").as_deref(), Some("20260101"));
    assert_eq!(of_build("20260214").as_deref(), Some("20260214"));
    assert_eq!(of_build("1234/A"), None);
    let both = r#""app_build":"20260214","build_date":"2026-10-05""#;
    assert_eq!(of(GleanDimension::BuildDate, both).as_deref(), Some("20261005"));
}

#[test]
fn glean_js_states_the_moment_of_its_start_as_build_date_which_is_not_looked_at() {
    let fields = r#""session_count":1,"build_date":"2026-11-29T01:52:20+5.5:00","app_build":"#;
    let of_build = |build: &str| of(GleanDimension::BuildDate, &format!("{fields}\"{build}\""));
    assert_eq!(of_build("20261001").as_deref(), Some("20261001"));
    assert_eq!(of_build("Unknown"), None);
}

#[test]
fn fields_of_another_type_are_unknown_and_told() {
    let totals = client(r#""os":7,"locale":null,"client_id":[],"app_build":{},"os_version":true"#);
    assert_eq!(totals.dimensions.len(), 1);
    let told = [
        "wrong_type client 1",
        "wrong_type dimension 1 1",
        "wrong_type dimension 5 1",
        "wrong_type dimension 6 1",
    ];
    assert_eq!(totals.told(), told);
    assert_eq!(
        read(r#"{"client_info":7,"ping_info":[]}"#).told(),
        ["wrong_type body 2"]
    );
}

#[test]
fn a_dimension_longer_than_is_taken_is_other() {
    let long = "x".repeat(limits::DIMENSION_BYTES_MAX + 1);
    let totals = client(&format!(r#""os":"{long}""#));
    assert_eq!(value(&totals, GleanDimension::Os), Some("OTHER"));
    assert_eq!(totals.told(), ["text_too_long dimension 5 1"]);
}

#[test]
fn the_client_is_told_as_sent_and_the_placeholder_is_no_client() {
    let sent = "c0ffeec0-ffee-c0ff-eec0-ffeec0ffeec0";
    let totals = client(&format!(r#""client_id":"{sent}""#));
    assert_eq!(totals.client.as_deref(), Some(sent));
    assert_eq!(ping::ClientId::parse(sent), Err(ping::NoClient::Placeholder));
}

#[test]
fn the_tags_of_a_source_are_a_list() {
    let tags = |header| {
        let received = Received {
            source_tags: Some(header),
            ..received()
        };
        let totals = read_as(b"{}", &received).expect("a ping");
        let list: Vec<String> = totals.lists.iter().map(|(_, tag)| tag.clone()).collect();
        (list.join(" "), totals.told().join(" "))
    };
    assert_eq!(
        tags("automation, nightly-lab,automation,"),
        ("automation nightly-lab".into(), String::new())
    );
    assert_eq!(tags(""), (String::new(), String::new()));
    let (list, told) = tags("a,b,c,d,e,f,a");
    assert_eq!(
        (list.as_str(), told.as_str()),
        ("a b c d e", "too_many_values dimension 9 1")
    );
    let (list, told) = tags("a-tag-of-21-signs-abc,a-tag-of-20-signs-ab");
    assert_eq!(
        (list.as_str(), told.as_str()),
        ("OTHER a-tag-of-20-signs-ab", "text_too_long dimension 9 1")
    );
}
