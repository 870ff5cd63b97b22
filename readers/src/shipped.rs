//! The declarations that come with this program: types of telemetry that are counted without any configuration.

use std::sync::LazyLock;

use crate::declaration::Declaration;

/// Their texts. One that changes asks for another number of the fold's rules.
const TEXTS: [&str; 2] = [
    include_str!("../declarations/telemetry-core.yaml"),
    include_str!("../declarations/telemetry-crash.yaml"),
];

static READ: LazyLock<Vec<Declaration>> = LazyLock::new(|| {
    let read = TEXTS.iter().filter_map(|text| Declaration::read(text).ok());
    read.collect()
});

/// All of them.
#[must_use]
pub fn shipped() -> &'static [Declaration] {
    &READ
}

/// Their texts, in the same order.
#[must_use]
pub const fn shipped_texts() -> [&'static str; 2] {
    TEXTS
}

#[cfg(test)]
mod tests {
    use ping::{Submission, SubmissionDate};

    use super::*;
    use crate::declaration::between;
    use crate::declared::Submitted;
    use crate::explain::{explain, unmet};

    #[test]
    fn every_one_is_understood_and_contradicts_no_other() {
        for text in TEXTS {
            assert!(Declaration::read(text).is_ok(), "{:?}", Declaration::read(text));
        }
        assert!(between(&shipped().iter().collect::<Vec<_>>()).is_empty());
        assert_eq!(shipped().len(), TEXTS.len());
    }

    #[test]
    fn every_example_becomes_what_it_must() {
        let mut expectations = 0;
        for declaration in shipped() {
            for example in &declaration.examples {
                let place = declaration.place_of(&example.source).expect("a source");
                let submission = Submission::parse(&example.uri).expect("a submission");
                let today = SubmissionDate::from_yyyymmdd(20_261_101).expect("a date");
                let submitted = Submitted {
                    received: example.received.unwrap_or(today),
                    header: &|_| None,
                    submission: Some(&submission),
                };
                let explained = explain(declaration, place, &example.body, submitted).expect("a source");
                for expected in &example.expect {
                    expectations += 1;
                    assert_eq!(unmet(expected, &explained), None, "{}\n{explained}", example.uri);
                }
            }
        }
        assert!(expectations > 8, "{expectations}");
    }
}
