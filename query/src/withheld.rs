//! Metrics that are never shown: a setting, empty by default.

/// Names of metrics; one that ends in `*` stands for all that begin so.
#[derive(Clone, Debug, Default)]
pub(crate) struct Withheld {
    patterns: Vec<String>,
}

impl Withheld {
    pub(crate) const fn new(patterns: Vec<String>) -> Self {
        Self { patterns }
    }

    /// Whether a metric is withheld, under the name it is asked or stored by.
    pub(crate) fn holds(&self, metric: &str) -> bool {
        let metric = metric.strip_prefix("[[COUNT]]_").unwrap_or(metric);
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => metric.starts_with(beginning),
            None => metric == pattern,
        };
        self.patterns.iter().any(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_beginnings_are_withheld_however_they_are_stored() {
        let withheld = Withheld::new(vec![
            "SEARCH_COUNTS".to_owned(),
            "SCALARS_BROWSER.SEARCH.*".to_owned(),
        ]);
        for metric in [
            "SEARCH_COUNTS",
            "[[COUNT]]_SEARCH_COUNTS",
            "SCALARS_BROWSER.SEARCH.AD",
        ] {
            assert!(withheld.holds(metric), "{metric}");
        }
        for metric in ["SEARCH_COUNTS_2", "SCALARS_BROWSER.SEARC", ""] {
            assert!(!withheld.holds(metric), "{metric}");
        }
    }
}
