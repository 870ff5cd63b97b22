//! What a ping is counted under.

use aggregate_store::{DimensionSet, Source};
use ping::SubmissionDate;

use super::tree::{Entries, Tree, path};
use crate::limits::DIMENSION_BYTES_MAX;

/// The dimensions that a ping states.
pub(super) fn dimensions(
    document: &Entries,
    date: SubmissionDate,
    refused: &mut Vec<&'static str>,
) -> DimensionSet {
    let mut text = |keys: &[&str]| match path(document, keys) {
        Some(Tree::Text(text)) => {
            refused.extend(text.is_repaired.then_some("text_repaired"));
            text.text.clone()
        }
        _ => String::new(),
    };
    let chars = |text: String, n: usize| text.chars().take(n).collect::<String>();
    let build = chars(text(&["application", "buildId"]), 8);
    let os = text(&["environment", "system", "os", "name"]);
    let os_version = text(&["environment", "system", "os", "version"]);
    let version = text(&["application", "version"]);
    let channel = text(&["application", "channel"]);
    let application = text(&["application", "name"]);
    let architecture = text(&["application", "architecture"]);
    let e10s = match path(document, &["environment", "settings", "e10sEnabled"]) {
        Some(Tree::Bool(enabled)) => enabled.to_string(),
        _ => String::new(),
    };
    let digits = build.chars().all(|char| char.is_ascii_digit());
    let os_version = if os == "Linux" {
        let (major, rest) = os_version.split_once('.').unwrap_or_default();
        let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let is_number = !major.is_empty() && major.chars().all(|char| char.is_ascii_digit());
        match is_number && !minor.is_empty() {
            true => format!("{major}.{minor}"),
            false => chars(os_version, 3),
        }
    } else {
        os_version
    };
    let mut settle = |value: String| {
        if value.len() > DIMENSION_BYTES_MAX {
            refused.push("dimension_too_long");
            "OTHER".to_owned()
        } else if value.is_empty() {
            "UNKNOWN".to_owned()
        } else {
            value
        }
    };
    let version = version.split('.').next().unwrap_or_default().to_owned();
    DimensionSet::stating(
        Source::named("telemetry/main"),
        date,
        &[
            ("channel", &settle(channel)),
            ("version", &settle(version)),
            ("build_date", &settle(if digits { build } else { String::new() })),
            ("application", &settle(application)),
            ("architecture", &settle(architecture)),
            ("os", &settle(os)),
            ("os_version", &settle(os_version)),
            ("e10s", &settle(e10s)),
        ],
    )
}
