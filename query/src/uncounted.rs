//! What is stored and in no number, for answers that would else look as if there were nothing.

use index_schema::ProductCount;
use ping::OTHER;

use crate::problem;

/// Stored pings of types that are not counted.
#[derive(Debug, Default)]
pub(crate) struct Uncounted {
    /// How many there are, over all days.
    pub(crate) pings: u64,
    /// Their products, largest first, each with its pings.
    names: Vec<String>,
    /// Pings that are kept under `OTHER`: their types are not told apart.
    under_other: u64,
}

impl Uncounted {
    /// Of these products, largest first, those that this says are not counted.
    pub(crate) fn of(products: &[ProductCount], is_counted: impl Fn(&ProductCount) -> bool) -> Self {
        let mut found = Self::default();
        for product in products.iter().filter(|product| product.records > 0) {
            if is_told_apart(product) {
                if !is_counted(product) {
                    found.pings += product.records;
                    let (namespace, doc_type) = (&product.namespace, &product.doc_type);
                    found
                        .names
                        .push(format!("{namespace} {doc_type} ({})", product.records));
                }
            } else {
                found.under_other += product.records;
            }
        }
        found
    }

    /// What an answer without any user says of them; nothing when there are none.
    pub(crate) fn note(&self) -> Option<String> {
        let mut note = String::new();
        if self.pings > 0 {
            let names = problem::list(self.names.iter().map(String::as_str), 0);
            note = format!(
                "{} stored pings are of types that are not counted, so no user is known by them: {names}.",
                self.pings
            );
        }
        if self.under_other > 0 {
            let also = if note.is_empty() { "" } else { " " };
            note.push_str(&format!(
                "{also}{} stored pings lie under {OTHER}, where types are not told apart: `highwater pings --doc-type {OTHER}` prints them.",
                self.under_other
            ));
        }
        (!note.is_empty()).then_some(note)
    }
}

/// Whether the product's name says which type its pings are of.
pub(crate) fn is_told_apart(product: &ProductCount) -> bool {
    product.namespace != OTHER && product.doc_type != OTHER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(namespace: &str, doc_type: &str, records: u64) -> ProductCount {
        ProductCount {
            namespace: namespace.to_owned(),
            doc_type: doc_type.to_owned(),
            app_name: "Firefox".to_owned(),
            records,
        }
    }

    #[test]
    fn what_is_not_counted_is_named_and_what_cannot_be_told_apart_is_not_called_uncounted() {
        let products = [
            product("telemetry", "main", 90),
            product("shop", "metrics", 20),
            product("telemetry", "event", 5),
            product("OTHER", "OTHER", 3),
            product("telemetry", "OTHER", 1),
            product("gone", "metrics", 0),
        ];
        let found = Uncounted::of(&products, |product| product.doc_type == "main");
        assert_eq!(found.pings, 25);
        let note = found.note().expect("a note");
        for words in [
            "25 stored pings",
            "shop metrics (20), telemetry event (5).",
            "4 stored pings lie under OTHER",
        ] {
            assert!(note.contains(words), "{words}: {note}");
        }
        assert!(!note.contains("gone") && !note.contains("main"), "{note}");
        assert_eq!(Uncounted::of(&products[..1], |_| true).note(), None);
    }
}
