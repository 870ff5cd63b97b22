//! Which pings are printed: the command's options as conditions on chunks and on records.

use clap::Args;
use index_schema::{ChunkKind, Condition, Selection};
use ping::{Dimension, OTHER, Partition, Submission, SubmissionDate, UNKNOWN};
use service::settings::OF_THIS_CALL;

use super::meta::text_at;
use crate::dimensions::Dimensions;

/// The namespace whose URIs say application, version, channel and build id.
const TELEMETRY: &str = "telemetry";

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

    /// The conditions on chunks that lie where their URIs say nothing, if records of such chunks can meet the others:
    /// what other namespaces than `telemetry` state in the body is looked for there.
    pub(super) fn of_bodies(&self, kind: ChunkKind) -> Option<Selection> {
        let mut selection = self.selection(kind);
        let (mut asks, mut application) = (false, None);
        for (dimension, condition) in &mut selection.conditions {
            if is_in_body(*dimension) {
                if *dimension == Dimension::AppName {
                    application = Some((Dimension::SourceName, condition.clone()));
                }
                *condition = Condition::OneOf(vec![UNKNOWN.to_owned()]);
                asks = true;
            } else if *dimension == Dimension::SourceName
                && matches!(condition, Condition::OneOf(names) if names.iter().all(|name| name == TELEMETRY))
            {
                return None;
            }
        }
        selection.conditions.extend(application);
        asks.then_some(selection)
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

/// Whether pings of other namespaces than `telemetry` state it in the body, as Glean does.
const fn is_in_body(dimension: Dimension) -> bool {
    matches!(
        dimension,
        Dimension::AppName | Dimension::AppUpdateChannel | Dimension::AppVersion | Dimension::AppBuildId
    )
}

/// The value that a ping of another namespace than `telemetry` has: its application is the namespace, the others stand
/// in `client_info`.
fn in_body(dimension: Dimension, namespace: &str, body: &[u8]) -> Option<String> {
    let name = match dimension {
        Dimension::AppUpdateChannel => "app_channel",
        Dimension::AppVersion => "app_display_version",
        Dimension::AppBuildId => "app_build",
        _ => return Some(namespace.to_owned()),
    };
    text_at(&String::from_utf8_lossy(body), &["client_info", name])
}

/// Whether a record with this URI and body, received on this day and kept in this partition, meets all conditions by its values
/// as sent. Who names `OTHER` asks for what is kept there.
pub(super) fn admits(
    selection: &Selection,
    partition: &Partition,
    uri: &str,
    body: &[u8],
    date: SubmissionDate,
) -> bool {
    let submission = Submission::parse(uri).unwrap_or_default();
    let date = date.to_string();
    selection.conditions.iter().all(|(dimension, condition)| {
        if partition.get(*dimension) == OTHER && names_other(condition) {
            return true;
        }
        if is_in_body(*dimension) && submission.namespace != TELEMETRY {
            let value = in_body(*dimension, &submission.namespace, body);
            return condition.matches(value.as_deref().unwrap_or(UNKNOWN));
        }
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

/// Whether `OTHER` is one of the values that are asked for, and not only within a range.
fn names_other(condition: &Condition) -> bool {
    match condition {
        Condition::OneOf(values) | Condition::Versions(values) => values.iter().any(|value| value == OTHER),
        Condition::Range { .. } => false,
    }
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
            &kept_under("some"),
            uri,
            b"",
            "20170131".parse().expect("a date"),
        )
    }

    /// A partition all of whose values are this.
    fn kept_under(value: &str) -> Partition {
        Partition::new(std::array::from_fn(|_| value.to_owned()))
    }

    #[test]
    fn who_names_other_finds_what_is_kept_there_whatever_it_is_called() {
        const EVENT: &str = "/submit/telemetry/x/event/Firefox/54.0/nightly";
        let date = "20170131".parse().expect("a date");
        for (option, value, there, elsewhere) in [
            ("--doc-type", "OTHER", true, false),
            ("--doc-type", "main,OTHER", true, false),
            ("--doc-type", "event", true, true),
            ("--doc-type", "main", false, false),
            ("--doc-type", "A..Z", false, false),
            ("--version", "OTHER", true, false),
            ("--channel", "OTHER", true, false),
        ] {
            let selection = selecting(option, value).selection(ChunkKind::Pings);
            for (partition, expected) in [("OTHER", there), ("event", elsewhere)] {
                assert_eq!(
                    admits(&selection, &kept_under(partition), EVENT, b"", date),
                    expected,
                    "{option} {value} under {partition}"
                );
            }
        }
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

    const GLEAN: &str = "/submit/org-mozilla-fenix/metrics/1/aaaaaaaa-0000-4000-8000-00000000000c";

    #[test]
    fn what_glean_states_in_the_body_is_selected_by_and_its_chunks_are_read() {
        let body = br#"{"client_info": {"app_display_version": "131.2.1", "app_channel": "beta", "app_build": "2016052525"}}"#;
        for (option, value, expected) in [
            ("--version", "131", true),
            ("--version", "13", false),
            ("--channel", "nightly,beta", true),
            ("--channel", "UNKNOWN", false),
            ("--build-id", "2016052525", true),
            ("--build-id", "20160525..20160526", true),
            ("--build-id", "20170130", false),
            ("--app", "org-mozilla-fenix", true),
            ("--app", "Firefox", false),
        ] {
            let select = selecting(option, value);
            let date = "20250301".parse().expect("a date");
            let found = admits(
                &select.selection(ChunkKind::Pings),
                &kept_under("some"),
                GLEAN,
                body,
                date,
            );
            assert_eq!(found, expected, "{option} {value}");
            let chunks = select.of_bodies(ChunkKind::Pings).expect("chunks to look into");
            let (_, condition) = &chunks.conditions[0];
            assert!(condition.can_match(UNKNOWN), "{option} {value}");
        }
        for body in [&b"{}"[..], b"hello", b"{\"client_info\": {\"app_channel\": 7}}"] {
            let date = "20250301".parse().expect("a date");
            let unknown = selecting("--channel", "UNKNOWN").selection(ChunkKind::Pings);
            assert!(admits(&unknown, &kept_under("some"), GLEAN, body, date));
        }
    }

    #[test]
    fn bodies_are_not_asked_where_the_uri_says_all() {
        assert_eq!(
            selecting("--namespace", "org-mozilla-fenix").of_bodies(ChunkKind::Pings),
            None
        );
        assert_eq!(selecting("--doc-type", "main").of_bodies(ChunkKind::Pings), None);
        let options = ["pings", "--namespace", "telemetry", "--version", "54"];
        let options = <Options as clap::Parser>::try_parse_from(options).expect("well formed");
        assert_eq!(options.select.of_bodies(ChunkKind::Pings), None);
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
