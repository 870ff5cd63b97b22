//! One ping, taken apart: contributions and bins in two flat vectors that are used again for the next one. The ping's
//! dimensions follow its payload, so nothing can be added before its end.

use std::collections::BTreeSet;
use std::sync::Arc;

use aggregate_store::Dimension as DimensionName;
use ping::{ClientHash, ClientId, NoClient, OTHER, SubmissionDate, UNKNOWN};
use readers::json::Key;
use readers::values::Rule;
use readers::values::beside::PINGS;
use sketch::Layout;

use super::caps::Caps;
use super::category::write_label;
use super::dimension::Dimension;
use super::ping_error::PingError;
use super::refusal::{Refusal, RefusalCounts};
use super::shape::{Shapes, StagedSet};
use super::vocabulary::{NO_LABEL, NO_PROCESS, Vocabulary};
use crate::limits::{DIMENSION_BYTES_MAX, TEXT_BYTES_MAX};

/// One histogram, or one number that is a histogram of one sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contribution {
    pub(super) metric: u32,
    pub(super) process: u32,
    pub(super) label: u32,
    pub(super) layout: u32,
    pub(super) sum: i64,
    /// Where its bins begin in [`Stage::bins`]; they end where those of the next contribution begin.
    pub(super) first_bin: usize,
}

/// The ping being taken apart, and the names it is made of.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) vocabulary: Vocabulary,
    pub(super) shapes: Shapes,
    pub(super) caps: Caps,
    /// Scalars whose texts count.
    pub(super) strings: Arc<BTreeSet<String>>,
    pub(super) contributions: Vec<Contribution>,
    pub(super) bins: Vec<(i64, i64)>,
    pub(super) dimensions: StagedSet,
    /// The client that counts as a user.
    pub(super) client: Option<ClientId>,
    /// What stands for it where the stored ping has no id any more.
    pub(super) client_hash: Option<ClientHash>,
    pub(super) refused: RefusalCounts,
    pub(super) error: Option<PingError>,
    parts: u32,
    kept_bins: usize,
    label: String,
}

impl Stage {
    pub(super) fn new(caps: Caps) -> Self {
        Self {
            vocabulary: Vocabulary::new(),
            shapes: Shapes::new(),
            caps,
            strings: Arc::default(),
            contributions: Vec::new(),
            bins: Vec::new(),
            dimensions: StagedSet::default(),
            client: None,
            client_hash: None,
            refused: RefusalCounts::default(),
            error: None,
            parts: 0,
            kept_bins: 0,
            label: String::new(),
        }
    }

    /// Forgets the last ping; names and memory are kept. The next one is of this source.
    pub(super) fn clear(&mut self, shape: u32, submission_date: SubmissionDate) {
        self.contributions.clear();
        self.bins.clear();
        self.dimensions
            .clear(shape, self.shapes.dimensions(shape), submission_date);
        self.client = None;
        self.client_hash = None;
        self.refused = RefusalCounts::default();
        self.error = None;
        self.parts = 0;
        self.kept_bins = 0;
    }

    /// The names of the dimensions of the ping's source, by the places in which its reader tells them.
    pub(super) fn dimension_names(&self) -> Arc<[DimensionName]> {
        self.shapes.names(self.dimensions.shape())
    }

    /// Counts the ping itself, whatever it tells.
    pub(super) fn count_itself(&mut self) {
        let metric = self.vocabulary.metrics.intern(PINGS);
        let process = self.vocabulary.processes.intern(NO_PROCESS);
        self.push_category(metric, process, NO_LABEL, &[]);
    }

    /// Marks the ping as an errored one; of several reasons the first in their order stays.
    pub(super) fn fail(&mut self, error: PingError) {
        self.error = Some(self.error.map_or(error, |known| known.min(error)));
    }

    /// Counts a name. Whether it may be looked at: beyond the cap nothing is.
    pub(super) fn takes_part(&mut self) -> bool {
        self.parts = self.parts.saturating_add(1);
        if self.parts > self.caps.parts_per_ping {
            self.fail(PingError::TooManyParts);
        }
        self.parts <= self.caps.parts_per_ping
    }

    /// Takes up a histogram whose bins are the last of [`Self::bins`], from `first_bin` on.
    pub(super) fn push(&mut self, contribution: Contribution) {
        self.kept_bins += self.bins.len() - contribution.first_bin;
        if self.kept_bins > self.caps.bins_per_ping as usize {
            self.fail(PingError::TooManyBins);
        }
        if self.error.is_none() {
            self.contributions.push(contribution);
        } else {
            self.bins.truncate(contribution.first_bin);
        }
    }

    /// Takes up one number as one sample.
    pub(super) fn push_number(&mut self, metric: u32, process: u32, label: u32, layout: Layout, number: i64) {
        let first_bin = self.bins.len();
        self.bins.push((layout.bin_of(number), 1));
        let layout = self.vocabulary.layout(layout);
        self.push(Contribution {
            metric,
            process,
            label,
            layout,
            sum: number,
            first_bin,
        });
    }

    /// Takes up a text as a category of a metric, under a label or none.
    pub(super) fn push_text(&mut self, metric: u32, process: u32, label: u32, sent: Key<'_>) {
        self.refused.note(Refusal::TextRepaired, sent.is_repaired.into());
        let mut value = sent.text;
        if value.len() > TEXT_BYTES_MAX {
            value = OTHER;
            self.refused.note_rule(Rule::TextTooLong, 1);
        }
        write_label(&mut self.label, self.vocabulary.labels.text(label), value);
        let label = self.vocabulary.labels.intern(&self.label);
        self.push_category(metric, process, label, &[(0, 1)]);
    }

    /// Counts the ping for a metric whose texts were taken up.
    pub(super) fn count_texts(&mut self, metric: u32, process: u32) {
        self.push_category(metric, process, NO_LABEL, &[]);
    }

    fn push_category(&mut self, metric: u32, process: u32, label: u32, bins: &[(i64, i64)]) {
        let first_bin = self.bins.len();
        self.bins.extend_from_slice(bins);
        let layout = self.vocabulary.layout(Layout::CATEGORIES);
        self.push(Contribution {
            metric,
            process,
            label,
            layout,
            sum: 0,
            first_bin,
        });
    }

    /// Takes up the client's id as it was sent. One that names no client is counted apart.
    pub(super) fn note_client(&mut self, sent: &str) {
        match ClientId::parse(sent) {
            Ok(client) => self.client = Some(client),
            Err(NoClient::Placeholder) => self.refused.note(Refusal::ClientIdPlaceholder, 1),
            Err(NoClient::NotAnId) => self.refused.note(Refusal::ClientIdNotAnId, 1),
        }
    }

    /// The bins of a contribution.
    pub(super) fn bins_of(&self, at: usize) -> &[(i64, i64)] {
        let end = self
            .contributions
            .get(at + 1)
            .map_or(self.bins.len(), |next| next.first_bin);
        &self.bins[self.contributions[at].first_bin..end]
    }

    /// Brings the dimensions as sent into the form they are counted under.
    pub(super) fn settle_dimensions(&mut self) {
        let set = &mut self.dimensions;
        let version = set.value(Dimension::Version);
        if let Some(dot) = version.find('.') {
            version.truncate(dot);
        }
        let build_date = set.value(Dimension::BuildDate);
        keep_chars(build_date, 8);
        if !build_date.bytes().all(|byte| byte.is_ascii_digit()) {
            build_date.clear();
        }
        let (os, os_version) = set.os();
        if os == "Linux" {
            keep_linux_version(os_version);
        }
        for dimension in Dimension::ALL {
            let value = set.value(dimension);
            if value.is_empty() {
                value.push_str(UNKNOWN);
            } else if value.len() > DIMENSION_BYTES_MAX {
                value.clear();
                value.push_str(OTHER);
                self.refused.note(Refusal::DimensionTooLong, 1);
            }
        }
    }
}

/// Keeps major and minor of a version of Linux, `5.15` of `5.15.0-91-generic`: there are as many whole ones as there are builds
/// of kernels. Of what does not begin so the first three characters, as the original kept of all of them.
fn keep_linux_version(version: &mut String) {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let major = digits(version);
    let minor = version[major..].strip_prefix('.').map_or(0, digits);
    if major > 0 && minor > 0 {
        version.truncate(major + 1 + minor);
    } else {
        keep_chars(version, 3);
    }
}

fn keep_chars(text: &mut String, chars: usize) {
    if let Some((end, _)) = text.char_indices().nth(chars) {
        text.truncate(end);
    }
}
