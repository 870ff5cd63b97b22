//! Target: declarations of products. Whatever text is read, faults stand on its lines, and what is accepted makes readers that
//! read, and says its promises.

use ping::SubmissionDate;
use readers::declaration::{Declaration, between};
use readers::declared::Submitted;
use readers::explain::{explain, promises, unmet};

/// A declaration (YAML), whose examples are run.
pub fn target(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let declaration = match Declaration::read(&text) {
        Ok(declaration) => declaration,
        Err(faults) => {
            let lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count() as u64 + 1;
            assert!(!faults.is_empty());
            assert!(
                faults
                    .iter()
                    .all(|fault| fault.at.line <= lines && !fault.words.is_empty()),
                "{faults:?}"
            );
            return;
        }
    };
    assert!(promises(&declaration).contains(&declaration.sources[0].to_string()));
    assert!(!between(&[&declaration, &declaration]).is_empty());
    for example in &declaration.examples {
        let place = declaration.place_of(&example.source).expect("declared");
        let submitted = Submitted {
            received: example
                .received
                .unwrap_or_else(|| SubmissionDate::from_yyyymmdd(20_261_101).expect("a date")),
            header: &|name| {
                let found = example.headers.iter().find(|(known, _)| known == name);
                found.map(|(_, value)| value.as_str())
            },
            submission: None,
        };
        let explained = explain(&declaration, place, &example.body, submitted).expect("declared");
        for expected in &example.expect {
            let _ = unmet(expected, &explained);
        }
        let _ = explained.to_string();
    }
}

/// One that says all that can be said, and one that says least.
pub fn seeds() -> Vec<Vec<u8>> {
    let least = b"$highwater: product/1\nsources: [a/b]\n".to_vec();
    vec![crate::declared::DECLARATION.as_bytes().to_vec(), least]
}
