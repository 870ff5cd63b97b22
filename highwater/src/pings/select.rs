//! Which pings are printed: the command's options as conditions on chunks and on records.

use clap::Args;
use index_schema::{ChunkKind, Condition, Selection};
use ping::{Dimension, Submission, SubmissionDate, UNKNOWN};

/// Which pings are printed. A value is one (`nightly`), several (`nightly,beta`), or a range with both ends
/// (`20170130..20170131`, the upper end by prefix).
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Select {
    /// Document type, such as main
    #[arg(long, value_name = "VALUES")]
    doc_type: Option<String>,
    /// Application, such as Firefox
    #[arg(long, value_name = "VALUES")]
    app: Option<String>,
    /// Update channel, as sent
    #[arg(long, value_name = "VALUES")]
    channel: Option<String>,
    /// Application version; 54 matches 54 and 54.*
    #[arg(long, value_name = "VALUES")]
    version: Option<String>,
    /// Application build id
    #[arg(long, value_name = "VALUES")]
    build_id: Option<String>,
    /// UTC day of receipt, YYYYMMDD
    #[arg(long, value_name = "DAYS")]
    submission_date: Option<String>,
    /// Namespace, such as telemetry
    #[arg(long, value_name = "VALUES")]
    namespace: Option<String>,
    /// Only clients of this sample: crc32(client id) % 100
    #[arg(long, value_name = "0..99", value_parser = clap::value_parser!(u8).range(0..100))]
    sample_id: Option<u8>,
    /// Print at most this many pings
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

impl Select {
    /// The conditions on chunks, and through [`Select::admits`] on records.
    pub(super) fn selection(&self, kind: ChunkKind) -> Selection {
        let options = [
            (Dimension::SourceName, &self.namespace),
            (Dimension::DocType, &self.doc_type),
            (Dimension::AppName, &self.app),
            (Dimension::AppUpdateChannel, &self.channel),
            (Dimension::AppVersion, &self.version),
            (Dimension::AppBuildId, &self.build_id),
            (Dimension::SubmissionDate, &self.submission_date),
        ];
        let condition = |(dimension, option): (Dimension, &Option<String>)| {
            option.as_deref().map(|text| (dimension, parse(dimension, text)))
        };
        Selection {
            conditions: options.into_iter().filter_map(condition).collect(),
            kind: Some(kind),
            ..Selection::default()
        }
    }

    /// The sample asked for.
    pub(super) const fn sample_id(&self) -> Option<u8> {
        self.sample_id
    }

    /// How many pings at most.
    pub(super) const fn limit(&self) -> u64 {
        match self.limit {
            Some(limit) => limit,
            None => u64::MAX,
        }
    }
}

/// Whether a record with this URI, received on this day, meets all conditions by its values as sent.
pub(super) fn admits(selection: &Selection, uri: &str, date: SubmissionDate) -> bool {
    let submission = Submission::parse(uri).unwrap_or_default();
    let date = date.to_string();
    selection.conditions.iter().all(|(dimension, condition)| {
        let value = match dimension {
            Dimension::SubmissionDate => Some(date.as_str()),
            Dimension::SourceName => Some(submission.namespace.as_str()),
            Dimension::SourceVersion => submission.document_version.as_deref(),
            Dimension::DocType => submission.document_type.as_deref(),
            Dimension::AppName => submission.app_name.as_deref(),
            Dimension::AppUpdateChannel => submission.app_update_channel.as_deref(),
            Dimension::AppVersion => submission.app_version.as_deref(),
            Dimension::AppBuildId => submission.app_build_id.as_deref(),
        };
        condition.matches(value.unwrap_or(UNKNOWN))
    })
}

fn parse(dimension: Dimension, text: &str) -> Condition {
    let end = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    if let Some((from, to)) = text.split_once("..") {
        return Condition::Range {
            from: end(from),
            to: end(to),
        };
    }
    if dimension == Dimension::AppVersion {
        return Condition::Versions(text.split(',').map(str::to_owned).collect());
    }
    Condition::OneOf(text.split(',').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(select: &Select, uri: &str) -> bool {
        admits(
            &select.selection(ChunkKind::Pings),
            uri,
            "20170131".parse().expect("a date"),
        )
    }

    #[test]
    fn a_version_matches_itself_and_those_below_it() {
        let select = Select {
            version: Some("54".to_owned()),
            ..Select::default()
        };
        for (version, expected) in [
            ("54", true),
            ("54.0a1", true),
            ("54.1.2", true),
            ("540.0", false),
            ("5.4", false),
        ] {
            assert_eq!(
                admitted(&select, &format!("/submit/telemetry/x/main/Firefox/{version}")),
                expected,
                "{version}"
            );
        }
    }

    #[test]
    fn several_versions_match_what_each_of_them_matches() {
        let select = Select {
            version: Some("54,56.0".to_owned()),
            ..Select::default()
        };
        for (version, expected) in [
            ("54.0a1", true),
            ("56.0", true),
            ("56.0.1", true),
            ("56.1", false),
            ("55", false),
        ] {
            assert_eq!(
                admitted(&select, &format!("/submit/telemetry/x/main/Firefox/{version}")),
                expected,
                "{version}"
            );
        }
    }

    #[test]
    fn a_range_has_both_ends_the_upper_by_prefix() {
        let select = Select {
            build_id: Some("20170130..20170131".to_owned()),
            ..Select::default()
        };
        for (build, expected) in [
            ("20170130", true),
            ("20170131235959", true),
            ("20170201", false),
            ("2017012923", false),
        ] {
            assert_eq!(
                admitted(
                    &select,
                    &format!("/submit/telemetry/x/main/Firefox/54.0/nightly/{build}")
                ),
                expected,
                "{build}"
            );
        }
    }

    #[test]
    fn what_a_uri_does_not_say_is_unknown() {
        let select = |channel: &str| Select {
            channel: Some(channel.to_owned()),
            ..Select::default()
        };
        assert!(admitted(&select("UNKNOWN"), "/submit/telemetry/x/main"));
        assert!(admitted(
            &select("beta,nightly"),
            "/submit/telemetry/x/main/Firefox/54.0/nightly"
        ));
        assert!(!admitted(&select("nightly"), "/submit/telemetry/x/main"));
    }
}
