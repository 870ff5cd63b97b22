//! What is known of metrics beside their numbers: definition files, and the declarations of products.

use std::fs;

use anyhow::Context;
use query::definitions::Definitions;
use readers::declaration::beside_glean;

use crate::data::Fold;
use crate::product;

/// Reads definition files in their order, and declarations after them. A later file of Mozilla's replaces what an earlier one said; two of
/// Glean's, or a declaration and one of these, must not contradict each other.
pub(crate) fn read(given: &Fold) -> anyhow::Result<Definitions> {
    let mut definitions = Definitions::default();
    for file in &given.definitions {
        let name = file.display();
        let text = fs::read_to_string(file).with_context(|| format!("--definitions: cannot read {name}"))?;
        definitions.load(&name.to_string(), &text)?;
    }
    let mut faults = Vec::new();
    for (file, declaration) in product::declared(&given.products)?.0 {
        let found = beside_glean(&declaration, definitions.glean()).into_iter();
        faults.extend(found.map(|fault| format!("{}: {fault}", file.display())));
        definitions.declare(&declaration);
    }
    anyhow::ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(definitions)
}
