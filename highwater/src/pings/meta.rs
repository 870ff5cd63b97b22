//! The `meta` object of a printed ping: what the original's `get_pings` added to a body, under the same names.

use std::collections::BTreeMap;

use ping::{ClientHash, ClientId, RecordId, Submission, SubmissionDate, Timestamp, sample_id};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::names::{CLIENT_HASH, HEADERS};

/// What is known of a stored ping beside its body.
#[derive(Clone, Debug)]
pub(super) struct Stored<'a> {
    pub(super) id: RecordId,
    pub(super) received: Timestamp,
    pub(super) submission_date: SubmissionDate,
    pub(super) uri: &'a str,
    /// Names in lower case.
    pub(super) headers: Vec<(&'a str, &'a str)>,
    pub(super) client_hash: Option<ClientHash>,
    pub(super) received_bytes: u64,
    /// Of the body as it is stored.
    pub(super) body_bytes: usize,
}

/// The object for a ping with this body, on one line.
pub(super) fn meta(stored: &Stored<'_>, body: &str) -> Map<String, Value> {
    let submission = Submission::parse(stored.uri).unwrap_or_default();
    let mut meta = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            meta.insert(name.to_owned(), value);
        }
    };
    put("submissionDate", Some(json!(stored.submission_date.to_string())));
    put(
        "Timestamp",
        Some(json!(stored.received.as_micros().saturating_mul(1_000))),
    );
    put("sourceName", Some(json!(submission.namespace)));
    put("sourceVersion", submission.document_version.map(Value::from));
    put("documentId", Some(json!(submission.document_id)));
    put("docType", submission.document_type.map(Value::from));
    put("appName", submission.app_name.map(Value::from));
    put("appVersion", submission.app_version.map(Value::from));
    let channel = submission.app_update_channel;
    put(
        "normalizedChannel",
        channel
            .as_deref()
            .map(|channel| json!(normalised_channel(channel))),
    );
    put("appUpdateChannel", channel.map(Value::from));
    put("appBuildId", submission.app_build_id.map(Value::from));
    let sent = client_as_sent(body);
    let client = sent.as_deref().and_then(|sent| ClientId::parse(sent).ok());
    put("sampleId", client.map(|client| json!(sample_id(&client))));
    let shown = client.map(|client| client.as_str().to_owned()).or(sent);
    put("clientId", shown.map(Value::from));
    put(CLIENT_HASH, stored.client_hash.map(|hash| json!(hash.to_hex())));
    put(
        "appVendor",
        text_at(body, &["application", "vendor"]).map(Value::from),
    );
    put(
        "reason",
        text_at(body, &["payload", "info", "reason"]).map(Value::from),
    );
    put(
        "os",
        text_at(body, &["environment", "system", "os", "name"]).map(Value::from),
    );
    put(
        "telemetryEnabled",
        value_at(body, &["environment", "settings", "telemetryEnabled"]).filter(Value::is_boolean),
    );
    put(
        "creationTimestamp",
        text_at(body, &["creationDate"])
            .as_deref()
            .and_then(nanoseconds)
            .map(Value::from),
    );
    put("Size", Some(json!(stored.body_bytes)));
    put("receivedBytes", Some(json!(stored.received_bytes)));
    for (name, shown) in HEADERS {
        let value = stored
            .headers
            .iter()
            .find(|(header, _)| *header == name)
            .map(|(_, value)| *value);
        put(shown, value.map(Value::from));
    }
    put("uri", Some(json!(stored.uri)));
    put("recordId", Some(json!(stored.id.to_string())));
    meta
}

/// The client of a ping, if it names one.
pub(super) fn client_id(body: &str) -> Option<ClientId> {
    ClientId::parse(&client_as_sent(body)?).ok()
}

/// What a ping says at the places where Firefox and Glean name the client.
fn client_as_sent(body: &str) -> Option<String> {
    text_at(body, &["clientId"]).or_else(|| text_at(body, &["client_info", "client_id"]))
}

/// The channel as the original normalised it: exactly release, esr, aurora or nightly; beta by its beginning;
/// `nightly-cck-*` is nightly; else Other.
fn normalised_channel(channel: &str) -> &'static str {
    match channel {
        "release" => "release",
        "esr" => "esr",
        "aurora" => "aurora",
        "nightly" => "nightly",
        _ if channel.starts_with("beta") => "beta",
        _ if channel.starts_with("nightly-cck-") => "nightly",
        _ => "Other",
    }
}

fn nanoseconds(text: &str) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "the original's field is a float")]
    OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .map(|moment| moment.unix_timestamp_nanos() as f64)
}

pub(super) fn text_at(document: &str, path: &[&str]) -> Option<String> {
    match value_at(document, path)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// The value at a path of keys, if every step is an object that has it.
fn value_at(document: &str, path: &[&str]) -> Option<Value> {
    let mut raw = document;
    for key in path {
        let object: BTreeMap<std::borrow::Cow<'_, str>, &RawValue> = serde_json::from_str(raw).ok()?;
        raw = object.get(*key)?.get();
    }
    serde_json::from_str(raw).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ping::Incarnation;

    fn of(body: &str) -> Value {
        let stored = Stored {
            id: RecordId {
                incarnation: Incarnation::from_bytes([1; 16]),
                sequence: 7,
            },
            received: Timestamp::from_micros(1_485_819_100_278_000),
            submission_date: "20170130".parse().expect("a date"),
            uri: "/submit/telemetry/11111111-1111-4ef8-a718-564994e206c9/main/Firefox/54.0a1/nightly-cck-x/20170130030205?v=4",
            client_hash: None,
            headers: vec![("dnt", "1"), ("date", "Mon, 30 Jan 2017 23:31:40 GMT")],
            received_bytes: 4,
            body_bytes: body.len(),
        };
        Value::Object(meta(&stored, body))
    }

    #[test]
    fn the_names_are_those_of_the_original() {
        let body = r#"{"clientId": "c4582ba1-79fc-1f47-ae2a-671118dccd8b", "creationDate": "2017-01-30T23:31:40.278Z", "application": {"vendor": "Mozilla"},
            "environment": {"settings": {"telemetryEnabled": true}, "system": {"os": {"name": "Darwin"}}}, "payload": {"info": {"reason": "shutdown"}}}"#;
        let expected = json!({"submissionDate": "20170130", "docType": "main", "appName": "Firefox", "sampleId": 4, "normalizedChannel": "nightly",
            "appUpdateChannel": "nightly-cck-x", "appBuildId": "20170130030205", "sourceVersion": "4", "os": "Darwin", "reason": "shutdown", "appVendor": "Mozilla",
            "telemetryEnabled": true, "creationTimestamp": 1.485_819_100_278e18, "DNT": "1", "Date": "Mon, 30 Jan 2017 23:31:40 GMT"});
        let found = of(body);
        for (name, value) in expected.as_object().expect("an object") {
            assert_eq!(&found[name], value, "{name}");
        }
    }

    #[test]
    fn the_sample_is_of_the_id_in_lower_case_and_what_names_no_client_has_none() {
        let client = |id: &str| of(&format!("{{\"clientId\":\"{id}\"}}"));
        let upper = client("C4582BA1-79FC-1F47-AE2A-671118DCCD8B");
        assert_eq!(
            (&upper["sampleId"], &upper["clientId"]),
            (&json!(4), &json!("c4582ba1-79fc-1f47-ae2a-671118dccd8b"))
        );
        for id in [
            "c0ffeec0-ffee-c0ff-eec0-ffeec0ffeec0",
            "00000000-0000-0000-0000-000000000000",
            "me",
        ] {
            let nobody = client(id);
            assert_eq!(
                (&nobody["sampleId"], &nobody["clientId"]),
                (&Value::Null, &json!(id))
            );
        }
    }

    #[test]
    fn a_body_of_another_shape_only_lacks_what_it_does_not_say() {
        for body in [
            "{}",
            "[]",
            r#"{"clientId": 7, "payload": [1], "environment": null}"#,
        ] {
            let found = of(body);
            assert!(
                found["clientId"].is_null() && found["sampleId"].is_null() && found["docType"] == "main",
                "{found}"
            );
        }
    }
}
