//! What is taken out of bodies, held against a tree from which the same is taken out the slow way; and rules as they are kept.

use std::collections::BTreeSet;

use ping::{ClientId, Submission};
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::{ClientSecret, Declared, Redactor, RuleSet, Rules, SourceRules, StoredRulesError};
use crate::declaration::{Declaration, Path, Step};

const CLIENT: &str = "5F3A1C2E-0000-4000-8000-00000000000B";

fn rules(drop: &[&str], client: Option<&str>) -> SourceRules {
    let path = |text: &str| Path::read(text).expect("a path");
    SourceRules {
        drop: drop.iter().copied().map(path).collect(),
        client: client.map(path),
        daily: false,
        forgets_clients: false,
    }
}

fn redacted(rules: &SourceRules, body: &str) -> String {
    let mut redactor = Redactor::default();
    let redacted = redactor.redact(rules, body.as_bytes()).expect("JSON");
    String::from_utf8(redacted.body.to_vec()).expect("UTF-8")
}

/// What stays of a tree. `paths` are what is left of those that lead here.
fn slowly(value: Value, paths: &[&[Step]]) -> Value {
    let below = |at: &str| -> Vec<&[Step]> {
        let meets = |step: &Step| *step == Step::Any || *step == Step::Member(at.to_owned());
        let paths = paths.iter().filter(|path| path.first().is_some_and(meets));
        paths.map(|path| &path[1..]).collect()
    };
    match value {
        Value::Object(members) => {
            let stays = members.into_iter().filter_map(|(key, value)| {
                let below = below(&key);
                let goes = below.iter().any(|path| path.is_empty());
                (!goes).then(|| (key, slowly(value, &below)))
            });
            Value::Object(stays.collect::<Map<_, _>>())
        }
        Value::Array(elements) if paths.iter().any(|path| **path == [Step::Any]) => {
            drop(elements);
            Value::Array(Vec::new())
        }
        Value::Array(elements) => {
            let elements = elements.into_iter().enumerate().map(|(number, element)| {
                let below = below(&number.to_string());
                match below.iter().any(|path| path.is_empty()) {
                    true => Value::Null,
                    false => slowly(element, &below),
                }
            });
            Value::Array(elements.collect())
        }
        plain => plain,
    }
}

/// Keys of paths and bodies: few, so that they meet; some must be escaped.
const KEYS: [&str; 8] = ["a", "b", "0", "1", "x/y", "\"", "\\", "é\u{7f}"];

fn body() -> impl Strategy<Value = String> {
    let space = prop::sample::select(&["", " ", "\n\t"][..]);
    let plain = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i32>().prop_map(|number| number.to_string()),
        "[ -~é]{0,6}".prop_map(|text| Value::String(text).to_string()),
    ];
    plain.prop_recursive(4, 40, 5, move |inner| {
        let spaced = (space.clone(), inner, space.clone())
            .prop_map(|(left, value, right)| format!("{left}{value}{right}"));
        let key = (prop::sample::select(&KEYS[..]), any::<bool>());
        let member = (key, spaced.clone()).prop_map(|((key, escaped), value)| {
            let key = match escaped {
                true => key.chars().fold(String::new(), |all, sign| {
                    all + &format!("\\u{:04x}", u32::from(sign))
                }),
                false => {
                    let quoted = Value::String(key.to_owned()).to_string();
                    quoted[1..quoted.len() - 1].to_owned()
                }
            };
            format!("\"{key}\" :{value}")
        });
        prop_oneof![
            // A key may stand twice.
            prop::collection::vec(member, 0..5).prop_map(|members| format!("{{ {}}}", members.join(" , "))),
            prop::collection::vec(spaced, 0..5).prop_map(|elements| format!("[{}]", elements.join(","))),
        ]
    })
}

fn paths() -> impl Strategy<Value = Vec<String>> {
    let step = prop_oneof![
        4 => prop::sample::select(&KEYS[..]).prop_map(|key| format!("/{}", crate::declaration::as_step(key))),
        1 => Just("/*".to_owned()),
    ];
    let path = prop::collection::vec(step, 1..4).prop_map(|steps| steps.concat());
    prop::collection::vec(path, 1..5)
}

proptest! {
    #[test]
    fn what_stays_of_a_body_is_what_stays_of_its_tree(body in body(), paths in paths()) {
        let rules = rules(&paths.iter().map(String::as_str).collect::<Vec<_>>(), None);
        let tree: Value = serde_json::from_str(&body).expect("drawn as JSON");
        let steps: Vec<&[Step]> = rules.drop.iter().map(Path::steps).collect();
        let expected = slowly(tree, &steps);
        let stays = redacted(&rules, &body);
        let found: Value = serde_json::from_str(&stays)
            .map_err(|error| TestCaseError::fail(format!("{error} in {stays}, of {body}")))?;
        prop_assert_eq!(found, expected, "{} of {}", stays, body);
        prop_assert_eq!(redacted(&rules, &stays), stays, "once is enough");
    }

    #[test]
    fn a_damaged_body_gives_an_error_or_what_stays_of_its_tree(
        body in body(),
        paths in paths(),
        at: prop::sample::Index,
        byte: u8,
    ) {
        let rules = rules(&paths.iter().map(String::as_str).collect::<Vec<_>>(), None);
        let mut body = body.into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        let mut redactor = Redactor::default();
        let stays = redactor.redact(&rules, &body);
        if let Ok(tree) = serde_json::from_slice::<Value>(&body) {
            let steps: Vec<&[Step]> = rules.drop.iter().map(Path::steps).collect();
            let stays = stays.map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(serde_json::from_slice::<Value>(stays.body).ok(), Some(slowly(tree, &steps)));
        }
    }
}

#[test]
fn a_member_goes_with_a_comma_and_all_else_stays_as_it_was_sent() {
    let body = r#"{ "a" : 1 ,"b":[ 1, 2 ],  "c":{"a":2}}"#;
    for (drop, stays) in [
        (&["/a"][..], r#"{ "b":[ 1, 2 ],  "c":{"a":2}}"#),
        (&["/b"], r#"{ "a" : 1,  "c":{"a":2}}"#),
        (&["/c"], r#"{ "a" : 1 ,"b":[ 1, 2 ]}"#),
        (&["/a", "/b"], r#"{ "c":{"a":2}}"#),
        (&["/b", "/c"], r#"{ "a" : 1}"#),
        (&["/*"], "{ }"),
        (&["/*/a"], r#"{ "a" : 1 ,"b":[ 1, 2 ],  "c":{}}"#),
        (&["/b/0"], r#"{ "a" : 1 ,"b":[ null, 2 ],  "c":{"a":2}}"#),
        (&["/b/*"], r#"{ "a" : 1 ,"b":[  ],  "c":{"a":2}}"#),
        (&["/b/*", "/b/0"], r#"{ "a" : 1 ,"b":[  ],  "c":{"a":2}}"#),
        (&["/c", "/c/a", "/*/a"], r#"{ "a" : 1 ,"b":[ 1, 2 ]}"#),
        (&["/d", "/a/b"], body),
    ] {
        assert_eq!(redacted(&rules(drop, None), body), stays, "{drop:?}");
    }
    let twice = r#"{"a":1,"\u0061":2,"b":3,"a":4}"#;
    assert_eq!(redacted(&rules(&["/a"], None), twice), r#"{"b":3}"#);
}

#[test]
fn the_client_is_read_before_its_id_goes() {
    let client = |drop: &str, body: &str| {
        let rules = rules(&[drop], Some("/user/id"));
        let mut redactor = Redactor::default();
        let redacted = redactor.redact(&rules, body.as_bytes()).expect("JSON");
        assert!(
            !redacted
                .body
                .windows(8)
                .any(|window| window.eq_ignore_ascii_case(b"5f3a1c2e"))
        );
        redacted.client
    };
    let known = ClientId::parse(CLIENT).ok();
    let body = format!(r#"{{"n": 1, "user": {{"x": [], "id": "{CLIENT}"}}}}"#);
    for drop in ["/user", "/user/id", "/*", "/user/*", "/*/id"] {
        assert_eq!(client(drop, &body), known, "{drop}");
    }
    for nobody in [
        format!(r#"{{"user": {{"id": "{CLIENT}", "id": "{CLIENT}"}}}}"#),
        format!(r#"{{"user": {{"id": "{CLIENT}"}}, "user": {{"id": null}}}}"#),
        r#"{"user": {"id": 7}}"#.to_owned(),
        r#"{"user": {"id": "c0ffeec0-ffee-c0ff-eec0-ffeec0ffeec0"}}"#.to_owned(),
        r#"{"user": []}"#.to_owned(),
    ] {
        assert_eq!(client("/user/id", &nobody), None, "{nobody}");
    }
}

#[test]
fn a_hash_is_that_of_rfc_2104_by_a_key_of_its_own_each_day() {
    use sha2::{Digest, Sha256};
    // HMAC as the RFC has it, for keys of 32 bytes.
    let hmac = |key: &[u8], text: &str| -> [u8; 32] {
        let pad = |with: u8| -> Vec<u8> {
            let mut block = key.to_vec();
            block.resize(64, 0);
            block.iter().map(|byte| byte ^ with).collect()
        };
        let inner = Sha256::digest([pad(0x36), text.as_bytes().to_vec()].concat());
        Sha256::digest([pad(0x5c), inner.to_vec()].concat()).into()
    };
    let secret = ClientSecret::from_bytes(*b"0123456789abcdef0123456789abcdef");
    let bytes = b"0123456789abcdef0123456789abcdef";
    let client = ClientId::parse(CLIENT).expect("an id");
    let key = hmac(bytes, "highwater client secret: clients");
    let always = hmac(&key, "5f3a1c2e-0000-4000-8000-00000000000b");
    assert_eq!(secret.hasher().hash(&client).as_bytes()[..], always[..16]);
    let key = hmac(bytes, "highwater client secret: clients of the day 20261130");
    let of_a_day = hmac(&key, "5f3a1c2e-0000-4000-8000-00000000000b");
    let day = |text: &str| secret.hasher_of(text.parse().expect("a day")).hash(&client);
    assert_eq!(day("20261130").as_bytes()[..], of_a_day[..16]);
    let hashes = [secret.hasher().hash(&client), day("20261130"), day("20261201")];
    assert_eq!(BTreeSet::from(hashes).len(), 3);
    let fingerprint = hmac(bytes, "highwater client secret: fingerprint");
    let hex: String = fingerprint[..8]
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    assert_eq!(secret.fingerprint().to_string(), hex);
    assert_eq!(
        format!("{secret:?}"),
        format!("ClientSecret({hex})"),
        "and not the secret"
    );
}

fn declared(text: &str) -> Declared {
    Declared::of(&[Declaration::read(&format!("$highwater: product/1\n{text}")).expect("a declaration")])
}

fn said(rules: &Rules, namespace: &str) -> Option<(Vec<String>, bool, bool)> {
    let submission = Submission {
        namespace: namespace.to_owned(),
        document_type: Some("a".to_owned()),
        ..Submission::default()
    };
    let rules = rules.of(&submission)?;
    let drop = rules.taken_out().iter().map(ToString::to_string).collect();
    Some((drop, rules.hashes(), rules.is_daily()))
}

#[test]
fn a_source_has_rules_if_something_is_taken_out() {
    for (text, expected) in [
        ("", None),
        ("clients: none", None),
        ("drop: [/host]", Some((&["/host"][..], false, false))),
        ("drop: [/user]", Some((&["/user"], true, false))),
        ("drop: [/user]\nclients: none", Some((&["/user"], false, false))),
        ("clients: daily", Some((&["/user/id"], true, true))),
        (
            "clients: daily\ndrop: [/user/id]",
            Some((&["/user/id"], true, true)),
        ),
    ] {
        let declared = declared(&format!(
            "sources: [inky/a]\nclient_id: {{ path: /user/id }}\n{text}\n"
        ));
        let found = said(&Rules::default().after(&declared), "inky");
        let expected = expected
            .map(|(drop, hashes, daily)| (drop.iter().copied().map(str::to_owned).collect(), hashes, daily));
        assert_eq!(found, expected, "{text}");
    }
    let of_a_day =
        "sources: [inky/a]\nclient_id: { path: /id }\ndimensions: { id: { path: /id } }\nclients: daily\n";
    let faults =
        Declaration::read(&format!("$highwater: product/1\n{of_a_day}")).expect_err("what goes is read");
    assert!(
        faults[0]
            .to_string()
            .contains("`/id` is taken out of what is stored of inky/a"),
        "{}",
        faults[0]
    );
}

#[test]
fn a_source_that_is_declared_no_more_keeps_its_rules_and_one_that_is_declared_without_loses_them() {
    let both = declared("sources: [inky/a, blot/a]\ndrop: [/x]\n");
    let rules = Rules::default().after(&both).after(&Declared::default());
    assert!(said(&rules, "inky").is_some() && said(&rules, "blot").is_some());
    let rules = rules.after(&declared("sources: [inky/a]\n"));
    assert!(said(&rules, "inky").is_none() && said(&rules, "blot").is_some());
}

#[test]
fn rules_are_kept_as_they_are() {
    let declared = declared(
        "sources: [inky/a, blot/a, dab/a]\nclient_id: { path: /id }\ndrop: [/id, \"/x~1y/*\"]\nby_source: { blot/a: { clients: daily }, dab/a: { clients: none } }\n",
    );
    let set = RuleSet {
        rules: Rules::default().after(&declared),
        secret: Some(ClientSecret::from_bytes([7; 32]).fingerprint()),
    };
    assert_eq!(RuleSet::parse(set.to_text().as_bytes()), Ok(set.clone()));
    let forgetful = set.rules.iter().filter(|(.., rules)| rules.forgets_clients());
    assert_eq!(forgetful.map(|(source, ..)| source).collect::<Vec<_>>(), ["dab"]);
    let kept = r#"{"version":1,"secret":"0123456789abcdef","sources":[{"namespace":"inky","document_type":"a","drop":["/id"],"client":"/id","daily":true}]}"#;
    let read = RuleSet::parse(kept.as_bytes()).expect("read for ever");
    assert_eq!(read.to_text(), kept);
    assert_eq!(
        RuleSet::parse(kept.replace("\"version\":1", "\"version\":2").as_bytes()),
        Err(StoredRulesError::Newer(2))
    );
    for damaged in [
        "",
        "{",
        r#"{"version":1}"#,
        &kept.replace("/id", "id"),
        &kept.replace("daily", "dayly"),
    ] {
        assert!(
            matches!(
                RuleSet::parse(damaged.as_bytes()),
                Err(StoredRulesError::Damaged(_))
            ),
            "{damaged}"
        );
    }
}
