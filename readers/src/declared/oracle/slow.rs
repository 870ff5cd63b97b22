//! One ping, read slowly.

use ping::SubmissionDate;
use serde_json::Value;

use super::told::Told;
use super::{dimensions, metrics, paths};
use crate::declaration::{Clients, Declaration, From};
use crate::declared::limits::CLIENT_BYTES_MAX;
use crate::values::Rule;

/// Reads a body of the source at this place; `beside` says what stands elsewhere.
pub fn read(
    declaration: &Declaration,
    place: usize,
    body: &Value,
    received: SubmissionDate,
    beside: &dyn Fn(&From) -> Option<String>,
) -> Told {
    let mut told = Told::default();
    let counts = declaration.privacy[place].clients != Clients::None;
    if let Some(path) = declaration.client_id.as_ref().filter(|_| counts) {
        match paths::found(body, path).first().map(|(value, _)| *value) {
            Some(Value::String(id)) if id.len() > CLIENT_BYTES_MAX => told.note("client", Rule::TextTooLong),
            Some(Value::String(id)) => told.client = Some(id.clone()),
            None | Some(Value::Null) => {}
            Some(_) => told.note("client", Rule::WrongType),
        }
    }
    for dimension in &declaration.dimensions {
        dimensions::read(dimension, body, beside, &mut told);
    }
    for metric in &declaration.metrics {
        if metric.is_of(&declaration.sources[place]) {
            metrics::read(metric, body, received, &mut told);
        }
    }
    told
}
