//! The layouts of custom distributions, by the metric's name, as definitions give them.

use std::collections::BTreeMap;

use sketch::Layout;

/// A layout whose bounds were computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomLayout {
    layout: Layout,
    bounds: Vec<i64>,
}

impl CustomLayout {
    /// The layout.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// Whether a bin begins there.
    #[must_use]
    pub fn has_bound(&self, bound: i64) -> bool {
        self.bounds.binary_search(&bound).is_ok()
    }
}

/// What definitions say of the custom distributions of one application. Where they say nothing, keys count as they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomLayouts(BTreeMap<String, CustomLayout>);

impl CustomLayouts {
    /// The layout of a metric.
    #[must_use]
    pub fn get(&self, metric: &str) -> Option<&CustomLayout> {
        self.0.get(metric)
    }
}

impl FromIterator<(String, Layout)> for CustomLayouts {
    fn from_iter<I: IntoIterator<Item = (String, Layout)>>(layouts: I) -> Self {
        let computed = |layout: Layout| CustomLayout {
            layout,
            bounds: layout.lower_bounds(),
        };
        let layouts = layouts.into_iter();
        Self(
            layouts
                .map(|(metric, layout)| (metric, computed(layout)))
                .collect(),
        )
    }
}
