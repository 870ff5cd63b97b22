//! Where a path leads.

use serde_json::Value;

use crate::declaration::{Path, Step};

/// Every value that a path leads to, in the order of the body, with the keys that its `*` stand for.
pub(super) fn found<'a>(body: &'a Value, path: &Path) -> Vec<(&'a Value, Vec<&'a str>)> {
    let mut found = vec![(body, Vec::new())];
    for step in path.steps() {
        let mut next = Vec::new();
        for (value, keys) in found {
            match (step, value) {
                (Step::Member(key), Value::Object(members)) => {
                    next.extend(members.get(key).map(|value| (value, keys)));
                }
                (Step::Member(key), Value::Array(items)) => {
                    for (number, item) in items.iter().enumerate() {
                        if number.to_string() == *key {
                            next.push((item, keys.clone()));
                        }
                    }
                }
                (Step::Any, Value::Object(members)) => {
                    for (key, value) in members {
                        let mut keys = keys.clone();
                        keys.push(key.as_str());
                        next.push((value, keys));
                    }
                }
                (Step::Any, Value::Array(items)) => {
                    next.extend(items.iter().map(|item| (item, keys.clone())));
                }
                _ => {}
            }
        }
        found = next;
    }
    found
}
