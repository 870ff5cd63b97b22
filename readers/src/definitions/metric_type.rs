//! The types of metrics that a definition may name.

use crate::values::Kind;

/// A type of metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricType {
    /// True or false.
    Boolean,
    /// A number that only grows.
    Counter,
    /// True or false by label.
    LabeledBoolean,
    /// Counters by label.
    LabeledCounter,
    /// Counters by key and category.
    DualLabeledCounter,
    /// A text that counts by its value.
    String,
    /// Texts by label.
    LabeledString,
    /// A list of such texts.
    StringList,
    /// A duration.
    Timespan,
    /// Durations, binned by the client.
    TimingDistribution,
    /// The same by label.
    LabeledTimingDistribution,
    /// Sizes, binned by the client.
    MemoryDistribution,
    /// The same by label.
    LabeledMemoryDistribution,
    /// Numbers, binned by the client as its definition says.
    CustomDistribution,
    /// The same by label.
    LabeledCustomDistribution,
    /// A moment.
    Datetime,
    /// Something that happens.
    Event,
    /// An id.
    Uuid,
    /// A URL.
    Url,
    /// Something encrypted.
    Jwe,
    /// One number out of another.
    Rate,
    /// Such pairs by label.
    LabeledRate,
    /// A long text.
    Text,
    /// JSON of a declared shape.
    Object,
    /// A number.
    Quantity,
    /// Numbers by label.
    LabeledQuantity,
}

impl MetricType {
    /// Every type with its word.
    pub const ALL: [(&'static str, Self); 26] = [
        ("boolean", Self::Boolean),
        ("counter", Self::Counter),
        ("labeled_boolean", Self::LabeledBoolean),
        ("labeled_counter", Self::LabeledCounter),
        ("dual_labeled_counter", Self::DualLabeledCounter),
        ("string", Self::String),
        ("labeled_string", Self::LabeledString),
        ("string_list", Self::StringList),
        ("timespan", Self::Timespan),
        ("timing_distribution", Self::TimingDistribution),
        ("labeled_timing_distribution", Self::LabeledTimingDistribution),
        ("memory_distribution", Self::MemoryDistribution),
        ("labeled_memory_distribution", Self::LabeledMemoryDistribution),
        ("custom_distribution", Self::CustomDistribution),
        ("labeled_custom_distribution", Self::LabeledCustomDistribution),
        ("datetime", Self::Datetime),
        ("event", Self::Event),
        ("uuid", Self::Uuid),
        ("url", Self::Url),
        ("jwe", Self::Jwe),
        ("rate", Self::Rate),
        ("labeled_rate", Self::LabeledRate),
        ("text", Self::Text),
        ("object", Self::Object),
        ("quantity", Self::Quantity),
        ("labeled_quantity", Self::LabeledQuantity),
    ];

    /// Its word, which is the name of a section of a ping's `metrics`, too.
    #[must_use]
    pub fn word(self) -> &'static str {
        let named = Self::ALL.into_iter().find(|(_, known)| *known == self);
        named.map_or("", |(word, _)| word)
    }

    /// What its values count as; none of what is stored only.
    #[must_use]
    pub const fn kind(self) -> Option<Kind> {
        match self {
            Self::Counter
            | Self::LabeledCounter
            | Self::DualLabeledCounter
            | Self::Timespan
            | Self::Datetime
            | Self::Event
            | Self::Rate
            | Self::Quantity
            | Self::LabeledQuantity => Some(Kind::Number),
            Self::TimingDistribution
            | Self::LabeledTimingDistribution
            | Self::MemoryDistribution
            | Self::LabeledMemoryDistribution
            | Self::CustomDistribution
            | Self::LabeledCustomDistribution => Some(Kind::Distribution),
            Self::Boolean
            | Self::LabeledBoolean
            | Self::String
            | Self::LabeledString
            | Self::StringList
            | Self::Url => Some(Kind::Category),
            Self::Uuid | Self::Jwe | Self::LabeledRate | Self::Text | Self::Object => None,
        }
    }

    /// Whether its values stand under labels.
    #[must_use]
    pub fn is_labelled(self) -> bool {
        self.word().contains("labeled_")
    }

    /// Whether its layout stands in its definition.
    #[must_use]
    pub const fn is_custom(self) -> bool {
        matches!(self, Self::CustomDistribution | Self::LabeledCustomDistribution)
    }

    /// The unit of what it counts, where the type says it.
    #[must_use]
    pub const fn unit(self) -> Option<&'static str> {
        match self {
            Self::Timespan | Self::TimingDistribution | Self::LabeledTimingDistribution => Some("ns"),
            Self::MemoryDistribution | Self::LabeledMemoryDistribution => Some("bytes"),
            Self::Datetime => Some("days"),
            _ => None,
        }
    }
}
