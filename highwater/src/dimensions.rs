//! Which chunks: options for the values of their dimensions.

use clap::Args;
use index_schema::Condition;
use ping::{Dimension, SubmissionDate};
use service::settings::OF_THIS_CALL;

/// Which chunks, by the values of their dimensions. A value is one (`nightly`), several (`nightly,beta`), or a range with both
/// ends (`20170130..20170131`, the upper end by prefix).
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = OF_THIS_CALL)]
pub(crate) struct Dimensions {
    /// Document type, such as main
    #[arg(long, value_name = "VALUES", value_parser = values)]
    doc_type: Option<String>,
    /// Application, such as Firefox
    #[arg(long, value_name = "VALUES", value_parser = values)]
    app: Option<String>,
    /// Update channel, as sent: by URI, or by `client_info` of other namespaces
    #[arg(long, value_name = "VALUES", value_parser = values)]
    channel: Option<String>,
    /// Application version; 54 matches 54 and 54.*
    #[arg(long, value_name = "VALUES", value_parser = values)]
    version: Option<String>,
    /// Application build id
    #[arg(long, value_name = "VALUES", value_parser = values)]
    build_id: Option<String>,
    /// UTC day of receipt, YYYYMMDD
    #[arg(long, value_name = "DAYS", value_parser = days)]
    submission_date: Option<String>,
    /// Namespace, such as telemetry
    #[arg(long, value_name = "VALUES", value_parser = values)]
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

impl Dimensions {
    /// Whether something is asked that only URIs of `telemetry` say.
    pub(crate) fn ask_the_uri(&self) -> bool {
        let asked = [&self.app, &self.channel, &self.version, &self.build_id];
        self.namespace.as_deref() != Some("telemetry") && asked.into_iter().any(Option::is_some)
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

/// Refuses what no value meets.
fn values(text: &str) -> Result<String, String> {
    if let Some((from, to)) = text.split_once("..") {
        let is_empty = !to.is_empty() && from > to && !from.starts_with(to);
        return match is_empty {
            true => Err(format!(
                "no value is from {from} on and up to {to}: write LOWEST..HIGHEST"
            )),
            false => Ok(text.to_owned()),
        };
    }
    match text.split(',').any(str::is_empty) {
        true => {
            Err("a value is empty: write one, several with commas between, or LOWEST..HIGHEST".to_owned())
        }
        false => Ok(text.to_owned()),
    }
}

/// The same of days: the ends of a range may be the beginnings of some, such as a month.
fn days(text: &str) -> Result<String, String> {
    let wrong = |day: &str, forms| {
        format!("`{day}` is no UTC day: write {forms}, such as 20161130 for the 30th of November 2016")
    };
    match text.split_once("..") {
        Some((from, to)) => {
            for end in [from, to] {
                let is_day = end.len() < 8 || end.parse::<SubmissionDate>().is_ok();
                if !is_day || !end.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(wrong(end, "YYYYMMDD..YYYYMMDD (or YYYYMM)"));
                }
            }
        }
        None => {
            let strange = text.split(',').find(|day| day.parse::<SubmissionDate>().is_err());
            if let Some(day) = strange {
                return Err(wrong(
                    day,
                    "YYYYMMDD, several with commas between, or YYYYMMDD..YYYYMMDD",
                ));
            }
        }
    }
    values(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_value_meets_is_refused_with_what_to_write() {
        for (text, said) in [("", "empty"), ("nightly,", "empty"), ("b..a", "LOWEST..HIGHEST")] {
            let error = values(text).expect_err(text);
            assert!(error.contains(said), "{text}: {error}");
        }
        for text in [
            "nightly",
            "nightly,beta",
            "a..",
            "..a",
            "..",
            "201701305..20170130",
        ] {
            assert_eq!(values(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_day_that_is_none_is_refused_with_the_form_to_write() {
        for text in [
            "2026-11-26",
            "20170229",
            "201701",
            "20170101,1",
            "2017-01..2017-02",
            "20170131..20170230",
            "20170201..20170131",
        ] {
            let error = days(text).expect_err(text);
            assert!(
                error.contains("YYYYMMDD") || error.contains("LOWEST"),
                "{text}: {error}"
            );
        }
        for text in [
            "20170131",
            "20170131,20170201",
            "20170131..20170201",
            "201701..201702",
            "20170131..",
            "..2017",
        ] {
            assert_eq!(days(text).as_deref(), Ok(text));
        }
    }
}
