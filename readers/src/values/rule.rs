//! Why a value is left out, or counts otherwise than it was sent.

/// The rule by which it is. Each is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The value is of another kind than its declaration says.
    WrongType,
    /// A number below zero, where none can be.
    NumberNegative,
    /// A number, or the sum of a distribution, beyond 63 bits in the metric's unit.
    NumberTooLarge,
    /// A bin's key that is no number.
    BinNotANumber,
    /// A bin's samples that are no whole number, or below zero.
    BinSamplesNotANumber,
    /// A bin of more samples than a batch can add up.
    BinTooLarge,
    /// A text that is no date.
    NotADate,
    /// A labelled metric's value that stands under no label.
    NoLabel,
    /// More samples in a ping than are taken.
    TooManySamples,
    /// A dimension's value that begins with no digits, where a version is wanted.
    NotAVersion,
    /// A dimension's value that is no URL with a host.
    NoHost,
    /// A text longer than is taken.
    TextTooLong,
    /// A value that is none of those declared.
    ValueNotDeclared,
    /// More labels of one metric in a ping than are taken.
    TooManyLabels,
    /// A label longer than is taken.
    LabelTooLong,
    /// More values of one metric in a ping than are taken.
    TooManyValues,
    /// Something in a text could not be read and was replaced by U+FFFD.
    TextRepaired,
    /// A name longer than is taken.
    NameTooLong,
    /// More metrics and labels in a ping than are taken.
    TooManyMetrics,
    /// More bins in a distribution, or in a ping, than are taken.
    TooManyBins,
    /// A unit that is none.
    NotAUnit,
    /// A bin's key at which no bin of the declared layout begins: another layout counted the samples.
    NotAnEdge,
    /// A dimension's value that has the shape of an identifier: it would be another one for every user.
    LooksLikeAnId,
}

/// What became of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// It is in no number.
    LeftOut,
    /// It counts as `OTHER`.
    Other,
    /// It counts as `UNKNOWN`.
    Unknown,
    /// It counts as it could be read.
    Repaired,
    /// It counts apart, under its keys as they were sent.
    Keys,
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 23] = [
        Self::WrongType,
        Self::NumberNegative,
        Self::NumberTooLarge,
        Self::BinNotANumber,
        Self::BinSamplesNotANumber,
        Self::BinTooLarge,
        Self::NotADate,
        Self::NoLabel,
        Self::TooManySamples,
        Self::NotAVersion,
        Self::NoHost,
        Self::TextTooLong,
        Self::ValueNotDeclared,
        Self::TooManyLabels,
        Self::LabelTooLong,
        Self::TooManyValues,
        Self::TextRepaired,
        Self::NameTooLong,
        Self::TooManyMetrics,
        Self::TooManyBins,
        Self::NotAUnit,
        Self::NotAnEdge,
        Self::LooksLikeAnId,
    ];

    /// The rule's word in counters and lists.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::WrongType => "wrong_type",
            Self::NumberNegative => "number_negative",
            Self::NumberTooLarge => "number_too_large",
            Self::BinNotANumber => "bin_not_a_number",
            Self::BinSamplesNotANumber => "bin_samples_not_a_number",
            Self::BinTooLarge => "bin_too_large",
            Self::NotADate => "not_a_date",
            Self::NoLabel => "no_label",
            Self::TooManySamples => "too_many_samples",
            Self::NotAVersion => "not_a_version",
            Self::NoHost => "no_host",
            Self::TextTooLong => "text_too_long",
            Self::ValueNotDeclared => "value_not_declared",
            Self::TooManyLabels => "too_many_labels",
            Self::LabelTooLong => "label_too_long",
            Self::TooManyValues => "too_many_values",
            Self::TextRepaired => "text_repaired",
            Self::NameTooLong => "name_too_long",
            Self::TooManyMetrics => "too_many_metrics",
            Self::TooManyBins => "too_many_bins",
            Self::NotAUnit => "not_a_unit",
            Self::NotAnEdge => "not_an_edge",
            Self::LooksLikeAnId => "looks_like_an_id",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_place_and_a_word_of_its_own() {
        for (place, rule) in Rule::ALL.into_iter().enumerate() {
            assert_eq!(rule as usize, place, "{rule:?}");
        }
        let words: std::collections::BTreeSet<_> = Rule::ALL.into_iter().map(Rule::word).collect();
        assert_eq!(words.len(), Rule::ALL.len());
    }
}
