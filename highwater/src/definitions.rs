//! What is known of metrics beside their numbers: definition files, and the declarations of products.

use std::fs;

use anyhow::Context;
use query::definitions::Definitions;
use readers::declaration::beside_glean;
use readers::shipped::shipped;

use crate::data::Fold;
use crate::product;

/// Reads definition files in their order, and declarations after them; those that come with this program are there without a file. A later file of Mozilla's replaces what an earlier one said; two of
/// Glean's, or a declaration and one of these, must not contradict each other.
pub(crate) fn read(given: &Fold) -> anyhow::Result<Definitions> {
    let mut definitions = Definitions::default();
    for file in &given.definitions {
        let name = file.display();
        let text = fs::read_to_string(file).with_context(|| format!("--definitions: cannot read {name}"))?;
        definitions.load(&name.to_string(), &text)?;
    }
    for declaration in shipped() {
        definitions.declare(declaration);
    }
    let mut faults = Vec::new();
    for (file, declaration, _) in product::declared(&given.products)? {
        let found = beside_glean(&declaration, definitions.glean()).into_iter();
        faults.extend(found.map(|fault| format!("{}: {fault}", file.display())));
        definitions.declare(&declaration);
    }
    anyhow::ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(definitions)
}

#[cfg(test)]
mod tests {
    use aggregator::fold::FOLD_RULES;
    use readers::shipped::shipped_texts;
    use sha2::{Digest, Sha256};

    /// The declarations that come with this program are rules of the fold: one that changes must raise their number, and then
    /// this digest.
    #[test]
    fn the_number_of_the_rules_stands_for_the_declarations_that_come_with_them() {
        let mut digest = Sha256::new();
        for text in shipped_texts() {
            digest.update(text);
        }
        let digest = hex::encode(digest.finalize());
        assert_eq!((FOLD_RULES, &digest[..16]), (6, "250dd899bdf35fb8"));
    }
}
