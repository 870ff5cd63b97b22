//! A small main ping whose every contribution is known, for tests that count by hand.

use serde_json::{Value, json};

/// What a small ping says. Change the fields that a test is about.
#[derive(Clone, Debug)]
pub struct SmallPing {
    /// The document id in the URI.
    pub document_id: String,
    /// The client.
    pub client_id: String,
    /// The update channel.
    pub channel: String,
    /// The application's version.
    pub version: String,
    /// The build id.
    pub build_id: String,
    /// Samples of the metric `GC_MS`: (lower bound of a bin, samples).
    pub bins: Vec<(i64, i64)>,
    /// Bytes of filling.
    pub filling: usize,
}

impl SmallPing {
    /// The `number`th ping: ids follow the number, everything else is the same.
    pub fn numbered(number: u64) -> Self {
        Self {
            document_id: format!("00000000-0000-4000-8000-{number:012x}"),
            client_id: format!("c0000000-0000-4000-8000-{number:012x}"),
            channel: "nightly".to_owned(),
            version: "54.0a1".to_owned(),
            build_id: "20170130030205".to_owned(),
            bins: vec![(1, 2), (7, 1)],
            filling: 0,
        }
    }

    /// Where it is posted.
    pub fn uri(&self) -> String {
        let Self {
            document_id,
            channel,
            version,
            build_id,
            ..
        } = self;
        format!("/submit/telemetry/{document_id}/main/Firefox/{version}/{channel}/{build_id}?v=4")
    }

    /// The sum of the samples of `GC_MS`, as sent.
    pub fn sum(&self) -> i64 {
        self.bins.iter().map(|(bound, samples)| bound * samples).sum()
    }

    /// The document.
    pub fn json(&self) -> Value {
        let values: serde_json::Map<String, Value> = self
            .bins
            .iter()
            .map(|(bound, samples)| (bound.to_string(), json!(samples)))
            .collect();
        json!({
            "type": "main", "id": self.document_id, "clientId": self.client_id, "version": 4,
            "creationDate": "2017-01-30T23:31:40.278Z",
            "application": {"name": "Firefox", "version": self.version, "buildId": self.build_id, "channel": self.channel, "architecture": "x86-64"},
            "payload": {
                "filling": "x".repeat(self.filling),
                "histograms": {"GC_MS": {"range": [1, 10000], "bucket_count": 50, "histogram_type": 0, "values": values, "sum": self.sum()}},
            },
            "environment": {"settings": {"e10sEnabled": true}, "system": {"os": {"name": "Windows_NT", "version": "10.0"}}},
        })
    }

    /// The document's bytes.
    pub fn body(&self) -> Vec<u8> {
        self.json().to_string().into_bytes()
    }
}
