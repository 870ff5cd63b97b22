//! Which pings are printed: the command's options as conditions on chunks and on records.

use clap::Args;
use index_schema::{ChunkKind, Selection};
use ping::{Dimension, Submission, SubmissionDate, UNKNOWN};
use service::settings::OF_THIS_CALL;

use crate::dimensions::Dimensions;

/// Which pings are printed.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = OF_THIS_CALL)]
pub(crate) struct Select {
    #[command(flatten)]
    dimensions: Dimensions,
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
        Selection {
            conditions: self.dimensions.conditions(),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The command's options, as they are written.
    #[derive(clap::Parser)]
    struct Options {
        #[command(flatten)]
        select: Select,
    }

    fn selecting(option: &str, values: &str) -> Select {
        let options = <Options as clap::Parser>::try_parse_from(["pings", option, values]);
        options.expect("well formed").select
    }

    fn admitted(select: &Select, uri: &str) -> bool {
        admits(
            &select.selection(ChunkKind::Pings),
            uri,
            "20170131".parse().expect("a date"),
        )
    }

    #[test]
    fn a_version_matches_itself_and_those_below_it() {
        let select = selecting("--version", "54");
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
        let select = selecting("--version", "54,56.0");
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
        let select = selecting("--build-id", "20170130..20170131");
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
        let select = |channel: &str| selecting("--channel", channel);
        assert!(admitted(&select("UNKNOWN"), "/submit/telemetry/x/main"));
        assert!(admitted(
            &select("beta,nightly"),
            "/submit/telemetry/x/main/Firefox/54.0/nightly"
        ));
        assert!(!admitted(&select("nightly"), "/submit/telemetry/x/main"));
    }
}
