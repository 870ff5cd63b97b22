//! The sections of `metrics`: each is a type, and says what stands under its metrics' names.

/// What a metric's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Boolean,
    /// A counter or a quantity.
    Natural,
    String,
    StringList,
    Url,
    Datetime,
    Timespan,
    Rate,
    Timing,
    Memory,
    Custom,
}

/// What stands under a metric's name in a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// One value.
    Plain(Base),
    /// Values by label.
    Labelled(Base),
    /// Counters by key and category.
    DualLabelled,
    /// What stays in the ping: objects, texts, ids, encrypted things, and types of which nothing is known.
    Stored,
}

impl Section {
    /// The section under this key of `metrics`.
    pub(super) fn of(key: &str) -> Self {
        if let Some(base) = key.strip_prefix("labeled_").and_then(labelled) {
            return Self::Labelled(base);
        }
        match key {
            "dual_labeled_counter" => Self::DualLabelled,
            _ => plain(key).map_or(Self::Stored, Self::Plain),
        }
    }
}

fn plain(name: &str) -> Option<Base> {
    Some(match name {
        "string_list" => Base::StringList,
        "url" => Base::Url,
        "datetime" => Base::Datetime,
        "timespan" => Base::Timespan,
        "rate" => Base::Rate,
        _ => return labelled(name),
    })
}

fn labelled(name: &str) -> Option<Base> {
    Some(match name {
        "boolean" => Base::Boolean,
        "counter" | "quantity" => Base::Natural,
        "string" => Base::String,
        "timing_distribution" => Base::Timing,
        "memory_distribution" => Base::Memory,
        "custom_distribution" => Base::Custom,
        _ => return None,
    })
}
