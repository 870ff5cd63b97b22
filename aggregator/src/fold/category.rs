//! How a category stands in the label of its cell: `key=value`.

/// Writes it. The label is split at the first `=`; `%` and `=` in the key are percent-encoded. Without a key it begins with `=`.
pub(super) fn write_label(into: &mut String, key: &str, value: &str) {
    into.clear();
    for char in key.chars() {
        match char {
            '%' => into.push_str("%25"),
            '=' => into.push_str("%3D"),
            _ => into.push(char),
        }
    }
    into.push('=');
    into.push_str(value);
}
