//! Target: the file of dimensions. Whatever schema is read, every submission has a partition whose key can be read.

use ping::DimensionSchema;

use crate::submission::read_uri;

/// A schema (TOML) in whose comments, begun by `#/`, URIs stand.
pub fn target(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(schema) = DimensionSchema::parse(&text) else {
        return;
    };
    let comments = text.lines().filter_map(|line| line.strip_prefix('#'));
    for uri in comments.filter(|comment| comment.starts_with('/')) {
        read_uri(uri, &schema);
    }
    read_uri(
        "/submit/telemetry/x/main/Firefox/61.0a1/nightly/20180328030202?v=4",
        &schema,
    );
}

/// One with lists, prefixes and ranges, and one that says least.
pub fn seeds() -> Vec<Vec<u8>> {
    let uris = "#/submit/telemetry/x/main/Firefox/61.0a1/nightly/20180328030202?v=4\n#/submit/a/%3d%00/1/x\n";
    let full = "version = 1\n[namespace.telemetry]\ndoc_type = { from = \"document_type\", allowed = [\"main\", \"m*\", \
                \"*\"] }\napp_build_id = { from = \"app_build_id\", allowed = { min = \"2017\", max = \"2019\" } }\n\
                [namespace.\"*\"]\nsource_name = { from = \"namespace\", allowed = { max = \"z\" } }\n";
    let least = "version = 1\n[namespace.\"*\"]\n";
    [full, least]
        .map(|schema| format!("{uris}{schema}").into_bytes())
        .to_vec()
}
