//! One measurement: its layout as the ping tells it, and what values it tends to have.

use crate::dice::{mix, unit};
use crate::layout::{Kind, lower_bounds};
use crate::parameters::Parameters;
use crate::trend::Trend;

/// A histogram's name and parameters, and the shape of its data.
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The lower bounds of its bins.
    pub(crate) bounds: Vec<u64>,
    /// What stands before the bins, from the brace on.
    pub(crate) head: String,
    /// The same in alphabetical order: what stands before the sum.
    pub(crate) old_head: String,
    pub(crate) median: f64,
    /// Deviation of the logarithm.
    pub(crate) spread: f64,
    /// How many different values a ping shows, about.
    pub(crate) points: f64,
    /// How often each was seen, about.
    pub(crate) weight: f64,
    /// How it differs between builds and systems.
    pub(crate) trend: Option<&'static Trend>,
}

/// Who reports a metric, or a label of it.
#[derive(Clone, Copy)]
pub(crate) enum Tier {
    /// Every client.
    Always,
    /// Every client of this share of (channel, platform, process model).
    Kin(f64),
    /// This share of clients.
    Own(f64),
}

impl Metric {
    pub(crate) fn new(name: String, parameters: &Parameters) -> Self {
        let Parameters {
            kind,
            low,
            high,
            bins,
        } = *parameters;
        let number = kind as u8;
        let head = format!(
            "{{\"range\":[{low},{high}],\"bucket_count\":{bins},\"histogram_type\":{number},\"values\":{{"
        );
        let squares = match kind {
            Kind::Exponential => "\"log_sum\":0,\"log_sum_squares\":0,",
            _ => "",
        };
        let old_head = format!(
            "{{\"bucket_count\":{bins},\"histogram_type\":{number},{squares}\"range\":[{low},{high}],\"sum\":"
        );
        Self {
            name,
            kind,
            bounds: lower_bounds(kind, low, high, bins),
            head,
            old_head,
            median: ((low * high) as f64).sqrt(),
            spread: 0.8,
            points: 4.0,
            weight: 8.0,
            trend: None,
        }
    }
}

impl Tier {
    /// Does the client with this seed and kin report the thing with this number?
    pub(crate) fn reports(self, thing: u64, client: u64, kin: u64) -> bool {
        match self {
            Self::Always => true,
            Self::Kin(share) => unit(mix(kin, thing)) < share,
            Self::Own(share) => unit(mix(client, thing)) < share,
        }
    }
}
