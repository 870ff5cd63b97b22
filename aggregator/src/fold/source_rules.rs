//! The rules of a declared source as they are stored: the text of its declaration, and before it a line with the number of the rules that
//! all declared products are read by, where these are not the first ones.

use readers::declared::Edition;

/// What the line begins with: a comment, so that programs that know nothing of it read the declaration.
const MARK: &str = "# read by rules ";

/// The rules of a source as a text.
pub(super) fn written(edition: Edition, declaration: &str) -> String {
    match edition {
        Edition::First if !declaration.starts_with(MARK) => declaration.to_owned(),
        edition => format!("{MARK}{}\n{declaration}", edition.number()),
    }
}

/// What such a text says. `None` where a newer program wrote it.
pub(super) fn read(rules: &str) -> Option<(Edition, &str)> {
    let Some(marked) = rules.strip_prefix(MARK) else {
        return Some((Edition::First, rules));
    };
    let (number, declaration) = marked.split_once('\n')?;
    Some((Edition::of(number.parse().ok()?)?, declaration))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARATION: &str = "$highwater: product/1\nsources: [inky/a]\n";

    #[test]
    fn what_is_written_is_read_again() {
        let marked = format!("{MARK}2\n{DECLARATION}");
        for declaration in [DECLARATION, "", "\n", "# a comment\n", &marked, MARK] {
            for edition in [Edition::First, Edition::NoIdentifiers] {
                let rules = written(edition, declaration);
                assert_eq!(read(&rules), Some((edition, declaration)), "{rules}");
            }
        }
    }

    #[test]
    fn a_text_of_before_is_of_the_first_rules_and_stays_as_it_is() {
        assert_eq!(written(Edition::First, DECLARATION), DECLARATION);
        assert_eq!(read(DECLARATION), Some((Edition::First, DECLARATION)));
    }

    #[test]
    fn rules_of_a_newer_program_are_not_read() {
        let newer = Edition::NEWEST.number() + 1;
        for number in [newer.to_string(), String::new(), "two".to_owned()] {
            assert_eq!(read(&format!("{MARK}{number}\n{DECLARATION}")), None, "{number}");
        }
    }

    #[test]
    fn the_second_rules_are_stored_as_they_were_first() {
        let rules = "# read by rules 2\n$highwater: product/1\nsources: [inky/a]\n";
        assert_eq!(read(rules), Some((Edition::NoIdentifiers, DECLARATION)));
        assert_eq!(written(Edition::NoIdentifiers, DECLARATION), rules);
    }
}
