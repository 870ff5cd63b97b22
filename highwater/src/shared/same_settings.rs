//! A command as a person is to type it: with the settings of the process that says so.

use std::path::PathBuf;

use crate::data::Data;

/// `highwater NAME` with the places of these settings, and with all that was given of what the fold reads. Of databases without
/// user and password, which nobody's log should show.
pub(super) fn command(name: &str, data: &Data) -> String {
    let (places, fold) = (&data.places, &data.fold);
    let mut words = vec!["highwater".to_owned(), name.to_owned()];
    let mut add = |flag: &str, value: &str| words.extend([format!("--{flag}"), quoted(value)]);
    if places.store.is_some() {
        add("store", &places.store_text());
    }
    for (flag, value) in [("endpoint-url", &places.endpoint_url), ("region", &places.region)] {
        if let Some(value) = value {
            add(flag, value);
        }
    }
    for (flag, url) in [("index", &places.index), ("aggregates", &places.aggregates)] {
        if let Some(url) = url {
            add(flag, &format!("{url:?}").replacen("://", "://USER:PASSWORD@", 1));
        }
    }
    let given = |key: &str| data.given.contains(key);
    if given("chunk_prefix") {
        add("chunk-prefix", &data.chunk_prefix);
    }
    if given("fold_types") {
        add("fold-types", &fold.fold_types.join(","));
    }
    let files = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect();
    let files: [(&str, Vec<String>); 2] = [
        ("products", files(&fold.products)),
        ("definitions", files(&fold.definitions)),
    ];
    for (flag, paths) in &files {
        paths.iter().for_each(|path| add(flag, path));
    }
    for (key, flag, value) in [
        (
            "repeat_window_days",
            "repeat-window-days",
            fold.repeat_window_days,
        ),
        ("parts_per_ping", "parts-per-ping", fold.parts_per_ping),
        ("labels_per_metric", "labels-per-metric", fold.labels_per_metric),
        (
            "processes_per_ping",
            "processes-per-ping",
            fold.processes_per_ping,
        ),
        ("bins_per_ping", "bins-per-ping", fold.bins_per_ping),
    ] {
        if given(key) {
            add(flag, &value.to_string());
        }
    }
    if given("inflated_limit") {
        add("inflated-limit", &data.intake.inflated_limit.0.to_string());
    }
    words.join(" ")
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:,@%+=".contains(letter);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
