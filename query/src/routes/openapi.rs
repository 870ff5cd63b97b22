//! The description of the API, for programs that make clients of it. Written by hand; a test holds it against the routes.

use crate::problem::Problem;
use crate::reply::Reply;

const DOCUMENT: &str = include_str!("../openapi.json");

/// The document.
pub(crate) fn answer() -> Result<Reply, Problem> {
    let document: serde_json::Value = serde_json::from_str(DOCUMENT)
        .map_err(|error| Problem::unavailable("description of the API", &error))?;
    Reply::json(&document)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::route::Route;
    use crate::routes::{
        engagement, generic_aggregates, generic_values, metric_list, partitions, pings, values,
    };

    /// Every route below `/api/v1/`, with its parameters; `dimensions` stands for those of the source.
    fn routes() -> Vec<(&'static str, Vec<&'static str>)> {
        let with_dimensions = |fixed: &[&'static str]| [fixed, &["dimensions"]].concat();
        let of_values = [&generic_values::FIXED[..], &values::PARAMETERS].concat();
        vec![
            ("aggregates", with_dimensions(&generic_aggregates::PARAMETERS)),
            ("catalogue.json", Vec::new()),
            ("engagement", engagement::PARAMETERS.to_vec()),
            ("health", Vec::new()),
            ("metrics", metric_list::PARAMETERS.to_vec()),
            ("openapi.json", Vec::new()),
            ("partitions", partitions::PARAMETERS.to_vec()),
            ("pings", with_dimensions(&pings::FIXED)),
            ("products", Vec::new()),
            ("sources", Vec::new()),
            ("status", Vec::new()),
            ("values", with_dimensions(&of_values)),
        ]
    }

    /// What stands there, or what is referred to.
    fn meant<'a>(document: &'a Value, here: &'a Value) -> &'a Value {
        let reference = here["$ref"]
            .as_str()
            .and_then(|reference| reference.strip_prefix('#'));
        reference.map_or(here, |place| document.pointer(place).expect("it is there"))
    }

    #[test]
    fn it_names_the_routes_and_their_parameters_and_no_others() {
        let document: Value = serde_json::from_str(DOCUMENT).expect("JSON");
        let paths = document["paths"].as_object().expect("paths");
        let named: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
        let mut wanted = BTreeSet::new();
        for (name, parameters) in routes() {
            let path = format!("/api/v1/{name}");
            assert!(Route::parse(&path).is_some(), "{path}");
            let told = paths[&path]["get"]["parameters"].as_array().expect("a list");
            let told = told.iter().map(|parameter| meant(&document, parameter));
            let told = told.filter(|parameter| parameter["in"] == "query");
            let told: BTreeSet<&str> = told
                .map(|parameter| parameter["name"].as_str().expect("a name"))
                .map(|told| {
                    parameters
                        .iter()
                        .copied()
                        .find(|known| *known == told)
                        .unwrap_or("another")
                })
                .collect();
            assert_eq!(told, parameters.into_iter().collect(), "{path}");
            wanted.insert(path);
        }
        assert!(
            named.iter().copied().eq(wanted.iter().map(String::as_str)),
            "{named:?}"
        );
    }

    #[test]
    fn every_part_that_it_refers_to_is_there() {
        let document: Value = serde_json::from_str(DOCUMENT).expect("JSON");
        let mut open = vec![&document];
        let mut references = 0;
        while let Some(value) = open.pop() {
            if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
                let place = reference.strip_prefix('#').expect("a place within");
                assert!(document.pointer(place).is_some(), "{reference}");
                references += 1;
            }
            match value {
                Value::Object(fields) => open.extend(fields.values()),
                Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
        assert!(references > 10, "{references}");
    }
}
