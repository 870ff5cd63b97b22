//! Why a part of a ping is not folded although the rest is. Counted by reason, never dropped silently.

use readers::values::Rule;

/// The reason of a refused part. A histogram that fails several checks counts under the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Refusal {
    /// A section such as `histograms`, or the labels of a keyed metric, is neither object nor null.
    SectionNotAnObject,
    /// A metric's, label's or process's name is longer than `NAME_BYTES_MAX`.
    NameTooLong,
    /// A histogram is no object.
    HistogramNotAnObject,
    /// A histogram has no `histogram_type`.
    TypeMissing,
    /// A histogram's `histogram_type` is none of 0 to 5.
    TypeUnknown,
    /// A histogram has no `sum`.
    SumMissing,
    /// A histogram's `sum` is no integer.
    SumNotAnInteger,
    /// A histogram's `sum` is below zero.
    SumNegative,
    /// A histogram's `sum` is above 2^63 - 1.
    SumTooLarge,
    /// A histogram has no `values`.
    ValuesMissing,
    /// A histogram's `values` is no object.
    ValuesNotAnObject,
    /// A histogram states more than `BINS_PER_HISTOGRAM_MAX` bins.
    HistogramTooManyBins,
    /// A bin of a histogram is below zero.
    BinNegative,
    /// A bin of a histogram is above `BIN_SAMPLES_MAX`.
    BinTooLarge,
    /// A histogram's `range` or `bucket_count` is missing, no integer, or out of range.
    LayoutOutOfRange,
    /// A bin's key is no integer as a program writes it; the bin is skipped, the histogram counts.
    BinKeyNotAnInteger,
    /// A bin's value is no integer; it counts as 0, the histogram counts.
    BinValueNotAnInteger,
    /// A scalar is an array or an object.
    NumberNotANumber,
    /// A scalar or simple measurement is below zero.
    NumberNegative,
    /// A scalar or simple measurement is above 2^63 - 1.
    NumberTooLarge,
    /// A dimension's value is longer than `DIMENSION_BYTES_MAX`; it counts as `OTHER`.
    DimensionTooLong,
    /// Something in a name, in a dimension's value or in the client's id could not be read (bytes that are no UTF-8, half a
    /// surrogate pair, an unknown escape, a control character) and was replaced by U+FFFD; the text counts so.
    TextRepaired,
    /// The client's id is one that stands for no client: its ping counts, but for no user.
    ClientIdPlaceholder,
    /// The client's id is no UUID with hyphens: its ping counts, but for no user.
    ClientIdNotAnId,
}

impl Refusal {
    /// All reasons.
    pub const ALL: [Self; 24] = [
        Self::SectionNotAnObject,
        Self::NameTooLong,
        Self::HistogramNotAnObject,
        Self::TypeMissing,
        Self::TypeUnknown,
        Self::SumMissing,
        Self::SumNotAnInteger,
        Self::SumNegative,
        Self::SumTooLarge,
        Self::ValuesMissing,
        Self::ValuesNotAnObject,
        Self::HistogramTooManyBins,
        Self::BinNegative,
        Self::BinTooLarge,
        Self::LayoutOutOfRange,
        Self::BinKeyNotAnInteger,
        Self::BinValueNotAnInteger,
        Self::NumberNotANumber,
        Self::NumberNegative,
        Self::NumberTooLarge,
        Self::DimensionTooLong,
        Self::TextRepaired,
        Self::ClientIdPlaceholder,
        Self::ClientIdNotAnId,
    ];

    /// The reason's word in counters and metrics.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::SectionNotAnObject => "section_not_an_object",
            Self::NameTooLong => "name_too_long",
            Self::HistogramNotAnObject => "histogram_not_an_object",
            Self::TypeMissing => "type_missing",
            Self::TypeUnknown => "type_unknown",
            Self::SumMissing => "sum_missing",
            Self::SumNotAnInteger => "sum_not_an_integer",
            Self::SumNegative => "sum_negative",
            Self::SumTooLarge => "sum_too_large",
            Self::ValuesMissing => "values_missing",
            Self::ValuesNotAnObject => "values_not_an_object",
            Self::HistogramTooManyBins => "histogram_too_many_bins",
            Self::BinNegative => "bin_negative",
            Self::BinTooLarge => "bin_too_large",
            Self::LayoutOutOfRange => "layout_out_of_range",
            Self::BinKeyNotAnInteger => "bin_key_not_an_integer",
            Self::BinValueNotAnInteger => "bin_value_not_an_integer",
            Self::NumberNotANumber => "number_not_a_number",
            Self::NumberNegative => "number_negative",
            Self::NumberTooLarge => "number_too_large",
            Self::DimensionTooLong => "dimension_too_long",
            Self::TextRepaired => "text_repaired",
            Self::ClientIdPlaceholder => "client_id_placeholder",
            Self::ClientIdNotAnId => "client_id_not_an_id",
        }
    }
}

/// How many parts were refused, by reason. Signed: what was counted can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusalCounts {
    refusals: [i64; Refusal::ALL.len()],
    rules: [i64; Rule::ALL.len()],
}

impl Default for RefusalCounts {
    fn default() -> Self {
        Self {
            refusals: [0; Refusal::ALL.len()],
            rules: [0; Rule::ALL.len()],
        }
    }
}

impl RefusalCounts {
    /// Counts refused parts.
    pub fn note(&mut self, refusal: Refusal, parts: i64) {
        self.refusals[refusal as usize] += parts;
    }

    /// Counts parts that a reader left out, or took otherwise than they were sent.
    pub fn note_rule(&mut self, rule: Rule, parts: i64) {
        self.rules[rule as usize] += parts;
    }

    /// Whether nothing was refused.
    pub fn is_empty(&self) -> bool {
        self.refusals.iter().chain(&self.rules).all(|parts| *parts == 0)
    }

    /// Adds other counts `sign` times.
    pub fn add(&mut self, other: &Self, sign: i64) {
        let refusals = self.refusals.iter_mut().zip(other.refusals);
        let rules = self.rules.iter_mut().zip(other.rules);
        for (mine, theirs) in refusals.chain(rules) {
            *mine += sign * theirs;
        }
    }

    /// The words of the reasons with counts that are not zero; one word may come of two readers.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, i64)> {
        let refusals = Refusal::ALL.into_iter().map(Refusal::reason).zip(self.refusals);
        let rules = Rule::ALL.into_iter().map(Rule::word).zip(self.rules);
        refusals.chain(rules).filter(|(_, parts)| *parts != 0)
    }
}
