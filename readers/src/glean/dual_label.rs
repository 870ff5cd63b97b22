//! The label of a dual-labelled metric.

/// Appends one side of a dual label, with `/` and `%` percent-encoded, so that `key/category` can be taken apart again.
pub(super) fn push_encoded(side: &str, to: &mut String) {
    for character in side.chars() {
        match character {
            '/' => to.push_str("%2F"),
            '%' => to.push_str("%25"),
            other => to.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_of_a_dual_label_is_encoded_so_that_the_slash_between_two_is_the_only_one() {
        let mut label = String::new();
        push_encoded("a/b%", &mut label);
        label.push('/');
        push_encoded("größe", &mut label);
        assert_eq!(label, "a%2Fb%25/größe");
    }
}
