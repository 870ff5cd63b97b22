//! The report of the pipeline's health: numbers, verdicts, and what was set aside or errored, by name.

use std::fmt;
use std::sync::Arc;

use ping::RecordId;
use serde_json::{Value, json};

use super::numbers::HealthNumbers;
use super::verdict::{Severity, Verdict};

/// Knows how the pipeline is: the process that runs it.
pub trait HealthSource: fmt::Debug + Send + Sync + 'static {
    /// The newest report; made about once a second, whoever asks.
    fn health(&self) -> Arc<HealthReport>;
}

/// How the pipeline is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthReport {
    /// What was measured.
    pub numbers: HealthNumbers,
    /// What that means, worst first; never empty once measured.
    pub verdicts: Vec<Verdict>,
    /// A few errored pings for each reason, newest first.
    pub errored: Vec<ErroredSample>,
    /// What is set aside; not all of it when it is much.
    pub set_aside: Vec<SetAsideObject>,
}

/// An errored ping, without anything that tells whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErroredSample {
    /// Why, in one word.
    pub reason: String,
    /// The record; `None` for a ping whose body could not be read, of which only the chunk is known here.
    pub record: Option<RecordId>,
    /// The key of its chunk.
    pub chunk: String,
}

/// An object outside the folded whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAsideObject {
    /// Its key.
    pub key: String,
    /// Why.
    pub reason: String,
}

impl HealthReport {
    /// The worst of the verdicts.
    pub fn severity(&self) -> Severity {
        self.verdicts
            .iter()
            .map(|verdict| verdict.severity)
            .max()
            .unwrap_or(Severity::Well)
    }

    /// As the API writes it: the fields of `/api/v1/status` and those of the health beside them.
    pub fn to_json(&self) -> Value {
        let Self {
            numbers,
            verdicts,
            errored,
            set_aside,
        } = self;
        let now = numbers.now();
        let mut all = numbers.counts.to_json();
        let sample = |sample: &ErroredSample| {
            let ErroredSample {
                reason,
                record,
                chunk,
            } = sample;
            let record = record.map(|record| format!("{}-{}", record.incarnation, record.sequence));
            json!({"reason": reason, "record": record, "chunk": chunk})
        };
        let object = |object: &SetAsideObject| json!({"key": object.key, "reason": object.reason});
        let mut more = numbers.to_json();
        more["severity"] = self.severity().word().into();
        more["verdicts"] = verdicts.iter().map(|verdict| verdict.to_json(now)).collect();
        more["errored_samples"] = errored.iter().map(sample).collect();
        more["set_aside_objects"] = set_aside.iter().map(object).collect();
        if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
            all.extend(more);
        }
        all
    }
}
