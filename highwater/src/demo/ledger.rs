//! What a run of the demo must have added: sums before and after, compared with what was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ping::SubmissionDate;
use sample_pings::{SamplePing, Truth};
use serde::Deserialize;
use sketch::{STANDARD_ERROR, UserSketch, coupon_of};

/// Submissions and sum of each (metric, process, label), and the users of each day, as the aggregates have them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Counted {
    sums: BTreeMap<(String, String, String), (i128, i128)>,
    users: BTreeMap<String, UserSketch>,
}

/// A line of a dump, as far as it is needed here.
#[derive(Deserialize)]
struct Line {
    metric: Option<String>,
    process: Option<String>,
    label: Option<String>,
    count: Option<serde_json::Value>,
    sum: Option<String>,
    submission_date: Option<serde_json::Value>,
    image: Option<String>,
}

impl Counted {
    /// Adds what a line of a dump says.
    pub(super) fn add_line(&mut self, line: &str) -> anyhow::Result<()> {
        let line: Line = serde_json::from_str(line)?;
        if let (Some(metric), Some(process), Some(label)) = (line.metric, line.process, line.label) {
            let number = |value: &serde_json::Value| {
                value
                    .as_i64()
                    .map(i128::from)
                    .or_else(|| value.as_str()?.parse().ok())
            };
            let count = line
                .count
                .as_ref()
                .and_then(number)
                .ok_or_else(|| anyhow::anyhow!("a cell without count"))?;
            let sum: i128 = line.sum.as_deref().unwrap_or("0").parse()?;
            let entry = self.sums.entry((metric, process, label)).or_default();
            entry.0 += count;
            entry.1 += sum;
        } else if let Some(image) = line.image {
            let day = line
                .submission_date
                .map(|day| day.to_string().trim_matches('"').to_owned())
                .unwrap_or_default();
            let bytes = hex::decode(image)?;
            self.users.entry(day).or_default().merge_image(&bytes)?;
        }
        Ok(())
    }
}

/// What a run sent.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pings: u64,
    truth: Truth,
    clients: BTreeMap<SubmissionDate, BTreeSet<String>>,
}

impl Sent {
    /// Notes a ping that was answered 200.
    pub(super) fn add(&mut self, ping: &SamplePing) {
        self.pings += 1;
        self.truth.add(ping);
        self.clients
            .entry(ping.submission_date)
            .or_default()
            .insert(ping.client_id.clone());
    }

    /// Notes a ping that will not be compared.
    pub(super) const fn count(&mut self) {
        self.pings += 1;
    }

    /// Pings sent.
    pub(super) const fn pings(&self) -> u64 {
        self.pings
    }

    /// Compares what was added with what was sent. `Ok` says so in a few lines, `Err` names what differs.
    pub(super) fn compare(&self, before: &Counted, after: &Counted) -> Result<String, String> {
        let mut differences = Vec::new();
        let mut samples = 0;
        for (key, expected) in self.truth.sums() {
            let name = (key.metric.clone(), key.process.clone(), key.label.clone());
            let at = |counted: &Counted| counted.sums.get(&name).copied().unwrap_or_default();
            let added = (at(after).0 - at(before).0, at(after).1 - at(before).1);
            let sent = (
                i128::from(expected.count),
                i128::try_from(expected.sum).unwrap_or(i128::MAX),
            );
            samples += sent.1;
            if added != sent {
                differences.push(format!(
                    "{} {} {:?}: sent {sent:?}, added {added:?} (submissions, sum)",
                    key.process, key.metric, key.label
                ));
            }
        }
        let mut text = format!(
            "histograms: {} sums of {} pings ({} documents) equal, {samples} in all\n",
            self.truth.sums().len(),
            self.truth.sent(),
            self.truth.documents()
        );
        self.compare_users(before, after, &mut text, &mut differences);
        if differences.is_empty() {
            return Ok(text);
        }
        let shown = differences.len().min(10);
        Err(format!(
            "{} of {} differ, such as\n{}",
            differences.len(),
            self.truth.sums().len(),
            differences[..shown].join("\n")
        ))
    }

    fn compare_users(
        &self,
        before: &Counted,
        after: &Counted,
        text: &mut String,
        differences: &mut Vec<String>,
    ) {
        let all: BTreeSet<&String> = self.clients.values().flatten().collect();
        let mut expected = UserSketch::default();
        let mut own = UserSketch::default();
        before.users.values().for_each(|day| expected.merge(day));
        for client in &all {
            if let Some(coupon) = coupon_of(client) {
                expected.insert(coupon);
                own.insert(coupon);
            }
        }
        let mut found = UserSketch::default();
        after.users.values().for_each(|day| found.merge(day));
        if found.to_image() != expected.to_image() {
            differences.push(format!(
                "users: expected a sketch of {:.0}, found one of {:.0}",
                expected.estimate(),
                found.estimate()
            ));
        }
        #[expect(clippy::cast_precision_loss, reason = "a few thousand users")]
        let exact = all.len() as f64;
        let error = if exact > 0.0 {
            (own.estimate() - exact).abs() / exact
        } else {
            0.0
        };
        if error > 3.0 * STANDARD_ERROR {
            differences.push(format!(
                "users: {exact} sent, estimated {:.0}: further off than three standard errors",
                own.estimate()
            ));
        }
        let _ = writeln!(
            text,
            "users: {exact} sent, estimated {:.0}: off by {:.2} %, stated standard error {:.2} %",
            own.estimate(),
            100.0 * error,
            100.0 * STANDARD_ERROR
        );
    }
}
