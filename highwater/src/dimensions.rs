//! Which chunks: options for the values of their dimensions.

use clap::Args;
use index_schema::Condition;
use ping::Dimension;

/// Which chunks, by the values of their dimensions. A value is one (`nightly`), several (`nightly,beta`), or a range with both
/// ends (`20170130..20170131`, the upper end by prefix).
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Dimensions {
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
}

impl Dimensions {
    /// What was given, as conditions.
    pub(crate) fn conditions(&self) -> Vec<(Dimension, Condition)> {
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
        options.into_iter().filter_map(condition).collect()
    }
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
