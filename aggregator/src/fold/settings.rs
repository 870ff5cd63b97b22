//! What the fold reads besides the ping: few settings, so that a stored fold version can name them all.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use aggregate_store::{FoldVersion, Source};
use ping::{OTHER, Submission};
use readers::glean::DELETION_REQUEST;
use serde_json::json;

use super::caps::{Caps, INFLATED_BYTES};
use super::products::{Product, Products};
use crate::limits;

/// The number of the rules in this code. It rises when the same ping would be folded otherwise than before.
///
/// 2: client ids have a normal form, and placeholders are no users; texts may be any bytes between quotes; of a version of
/// Linux major and minor are kept, not three characters. 3: pings of Glean's are counted. 4: crash and core pings of telemetry are, by the
/// declarations that come with this program. 5: the tags of a source are a dimension of Glean's pings, and rates of sampled
/// sessions are kept. 6: that a ping came is counted, what of it is left out, and which of its metrics are only stored; numbers of Glean's are whole
/// however they are written (`3.0`, `-0`), and declarations that come with this program are read by the second rules.
pub const FOLD_RULES: u32 = 6;

/// The first number since which rules only came to accept more pings, and fold every ping that an earlier number accepted
/// as that one did. It rises to [`FOLD_RULES`] with any other change.
pub const FOLD_ACCEPTS_MORE_SINCE: u32 = 6;

const DAY: Duration = Duration::from_secs(86_400);

/// The settings of the fold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldSettings {
    /// Which pings are folded; the rest stays in chunks.
    pub folded: Vec<FoldedType>,
    /// A copy received at most this long after another one is a repeat.
    pub repeat_window: Duration,
    /// What a ping may have at most.
    pub caps: Caps,
    /// The declared products.
    pub products: Products,
    /// Document types that are pings of Glean's though their bodies do not say so: by definition they have no info sections.
    pub bare_pings: BTreeSet<String>,
    /// Metrics of scalars that are strings by definition: their texts count by their values.
    pub strings: Arc<BTreeSet<String>>,
}

impl Default for FoldSettings {
    /// Main pings of every application, saved sessions of Fennec (which sent no main pings), 14 days: so long does a
    /// client retry.
    fn default() -> Self {
        let folded = |document_type: &str, application: Option<&str>| FoldedType {
            document_type: document_type.to_owned(),
            application: application.map(str::to_owned),
        };
        Self {
            folded: vec![folded("main", None), folded("saved-session", Some("Fennec"))],
            repeat_window: 14 * DAY,
            caps: Caps::default(),
            products: Products::default(),
            bare_pings: BTreeSet::new(),
            strings: Arc::default(),
        }
    }
}

impl FoldSettings {
    /// How pings of this submission are read; `None` when they are only stored.
    pub(crate) fn reader_of(&self, submission: &Submission) -> Option<Reading> {
        let is_telemetry = submission.namespace == "telemetry";
        if is_telemetry && self.folded.iter().any(|folded| folded.holds(submission)) {
            return Some(Reading::Telemetry);
        }
        if let Some(product) = self.products.get(submission) {
            return Some(Reading::Declared(Arc::clone(product)));
        }
        if is_telemetry {
            return None;
        }
        let document_type = submission.document_type.as_deref();
        document_type
            .is_some_and(|name| name != DELETION_REQUEST)
            .then_some(Reading::Glean)
    }

    /// The source of which pings of this submission are counted: `telemetry/main` of all that is folded as its pings, else the
    /// names of the submission.
    pub(crate) fn source_of(&self, submission: &Submission) -> String {
        match (self.reader_of(submission), &submission.document_type) {
            (Some(Reading::Telemetry), _) => Source::TELEMETRY_MAIN.to_owned(),
            (_, Some(document_type)) => format!("{}/{document_type}", submission.namespace),
            (_, None) => OTHER.to_owned(),
        }
    }

    /// Whether all pings of this submission are folded whatever their bodies are.
    pub fn surely_folds(&self, submission: &Submission) -> bool {
        let reader = self.reader_of(submission);
        match reader {
            Some(Reading::Glean) => self.is_bare(submission),
            reader => reader.is_some(),
        }
    }

    /// Whether a definition says that pings of this submission are Glean's.
    pub(crate) fn is_bare(&self, submission: &Submission) -> bool {
        let document_type = submission.document_type.as_ref();
        document_type.is_some_and(|name| self.bare_pings.contains(name))
    }

    /// How long after a ping its copies were repeats where this version folded; `None` where it does not say so.
    pub fn repeat_window_of(version: &FoldVersion) -> Option<Duration> {
        let settings: serde_json::Value = serde_json::from_str(&version.settings).ok()?;
        settings["repeat_window_us"].as_u64().map(Duration::from_micros)
    }

    /// All that decides what is folded of sources without rules of their own: two stores can be compared byte by byte if
    /// theirs, and those rules, are equal.
    pub fn version(&self) -> FoldVersion {
        let folded: Vec<String> = self.folded.iter().map(ToString::to_string).collect();
        // The keys stand in their order, so that the text is the same however the map keeps them.
        let caps = &self.caps;
        let mut settings = json!({
            "caps": {
                "bin_samples": limits::BIN_SAMPLES_MAX,
                "bins_per_histogram": limits::BINS_PER_HISTOGRAM_MAX,
                "bins_per_ping": caps.bins_per_ping,
                "dimension_bytes": limits::DIMENSION_BYTES_MAX,
                "labels_per_metric": caps.labels_per_metric,
                "name_bytes": limits::NAME_BYTES_MAX,
                "parts_per_ping": caps.parts_per_ping,
                "processes_per_ping": caps.processes_per_ping,
                "range": limits::RANGE_MAX,
            },
            "folded": folded,
            "repeat_window_us": u64::try_from(self.repeat_window.as_micros()).unwrap_or(u64::MAX),
        });
        if caps.inflated_bytes != limits::INFLATED_BYTES_MAX {
            settings["caps"][INFLATED_BYTES] = json!(caps.inflated_bytes);
        }
        if !self.bare_pings.is_empty() {
            settings["bare_pings"] = json!(self.bare_pings);
        }
        if !self.strings.is_empty() {
            settings["strings"] = json!(*self.strings);
        }
        FoldVersion {
            code: FOLD_RULES,
            settings: settings.to_string(),
        }
    }
}

/// How a ping is read.
#[derive(Clone, Debug)]
pub(crate) enum Reading {
    /// As a main ping of telemetry.
    Telemetry,
    /// As a ping of Glean's, if its body or a definition says that it is one.
    Glean,
    /// As its declaration says.
    Declared(Arc<Product>),
}

/// A document type, of all applications or of one. Written `main` or `saved-session/Fennec`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedType {
    /// The document type of the URI.
    pub document_type: String,
    /// The application of the URI; any, when absent.
    pub application: Option<String>,
}

impl FoldedType {
    fn holds(&self, submission: &Submission) -> bool {
        submission.document_type.as_deref() == Some(&self.document_type)
            && (self.application.is_none() || submission.app_name == self.application)
    }
}

impl fmt::Display for FoldedType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.document_type)?;
        self.application
            .as_ref()
            .map_or(Ok(()), |application| write!(f, "/{application}"))
    }
}

impl FromStr for FoldedType {
    type Err = ParseFoldedTypeError;

    fn from_str(text: &str) -> Result<Self, ParseFoldedTypeError> {
        let (document_type, application) = match text.split_once('/') {
            Some((document_type, application)) => (document_type, Some(application)),
            None => (text, None),
        };
        let named = |name: &str| !name.is_empty() && !name.contains([',', '/', ' ']);
        (named(document_type) && application.is_none_or(named))
            .then(|| Self {
                document_type: document_type.to_owned(),
                application: application.map(str::to_owned),
            })
            .ok_or_else(|| ParseFoldedTypeError(text.to_owned()))
    }
}

/// The text names no document type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no folded type: write `main` for a document type of every application, `saved-session/Fennec` for one"
)]
pub struct ParseFoldedTypeError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn main_pings_and_saved_sessions_of_fennec_are_folded_by_default() {
        let folds = |path: &str| {
            let uri = format!("/submit/telemetry/ce39b608-f595-4c69-b6a6-f7a436604648/{path}");
            let submission = Submission::parse(&uri).expect("a submission");
            FoldSettings::default().reader_of(&submission).is_some()
        };
        assert!(folds("main/Firefox/54.0a1/nightly/20170130030205?v=4"));
        assert!(folds("main/Fennec/54.0a1/nightly/20170130030205?v=4"));
        assert!(folds("saved-session/Fennec/45.0/beta/20160101000000?v=4"));
        assert!(!folds("saved-session/Firefox/45.0/beta/20160101000000?v=4"));
        assert!(!folds("event/Firefox/69.0/release/20190101000000?v=4"));
        assert!(!folds(""));
    }

    #[test]
    fn a_ping_that_is_gleans_by_definition_is_surely_folded_and_its_name_is_a_rule() {
        let submission = |path: &str| Submission::parse(path).expect("a submission");
        let id = "1/ce39b608-f595-4c69-b6a6-f7a436604648";
        let bare = submission(&format!("/submit/acme-notes/slim/{id}"));
        let plain = FoldSettings::default();
        let defined = FoldSettings {
            bare_pings: ["slim".to_owned()].into(),
            ..FoldSettings::default()
        };
        assert!(plain.reader_of(&bare).is_some() && !plain.surely_folds(&bare));
        assert!(defined.surely_folds(&bare));
        for path in [
            format!("/submit/acme-notes/usage/{id}"),
            "/submit/telemetry/ce39b608-f595-4c69-b6a6-f7a436604648/slim/Firefox/54.0a1/nightly/20170130030205".to_owned(),
        ] {
            assert!(!defined.surely_folds(&submission(&path)), "{path}");
        }
        assert_ne!(plain.version(), defined.version());
        assert!(defined.version().settings.contains("\"bare_pings\":[\"slim\"]"));
    }

    #[test]
    fn types_of_telemetry_that_are_declared_here_are_folded_by_their_declarations_unless_one_is_named_to_be_read_as_a_main_ping()
     {
        let uri = "/submit/telemetry/ce39b608-f595-4c69-b6a6-f7a436604648/crash/Firefox/69.0/release/20190101000000?v=4";
        let crash = Submission::parse(uri).expect("a submission");
        let mut settings = FoldSettings::default();
        assert!(matches!(settings.reader_of(&crash), Some(Reading::Declared(_))));
        assert!(settings.surely_folds(&crash));
        settings.folded.push("crash".parse().expect("a type"));
        assert!(matches!(settings.reader_of(&crash), Some(Reading::Telemetry)));
    }

    #[test]
    fn a_folded_type_reads_back_from_its_text() {
        for text in ["main", "saved-session/Fennec"] {
            assert_eq!(
                text.parse::<FoldedType>().map(|folded| folded.to_string()),
                Ok(text.to_owned())
            );
        }
        for text in ["", "main/", "/Fennec", "a/b/c", "a,b"] {
            assert!(text.parse::<FoldedType>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_text_of_the_defaults_is_that_of_the_first_release() {
        assert_eq!(
            FoldSettings::default().version().settings,
            "{\"caps\":{\"bin_samples\":1099511627776,\"bins_per_histogram\":10000,\"bins_per_ping\":500000,\
             \"dimension_bytes\":128,\"labels_per_metric\":5000,\"name_bytes\":512,\"parts_per_ping\":50000,\
             \"processes_per_ping\":64,\"range\":9007199254740992},\"folded\":[\"main\",\"saved-session/Fennec\"],\
             \"repeat_window_us\":1209600000000}"
        );
    }
}
