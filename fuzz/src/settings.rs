//! Target: the settings file and the quantities in it. Each setting that is read has a known key and the line on which it
//! stands; a quantity is read again as it was written.

use std::path::Path;
use std::sync::LazyLock;

use aggregator::fold::FoldedType;
use clap::{Arg, Command};
use service::quantity::{Age, ByteSize};
use service::settings::{Keys, read_file};

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let flags = [
        "seal-age",
        "log-budget",
        "fold-types",
        "edge-listen",
        "seal-at-shutdown",
    ];
    Keys::of(&Command::new("fuzz").args(flags.map(|flag| Arg::new(flag).long(flag))))
});

/// A settings file.
pub fn target(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    read_quantities(&text);
    let Ok(settings) = read_file(Path::new("settings.toml"), &text, &KEYS) else {
        return;
    };
    let lines = text.split('\n').count();
    for setting in &settings {
        assert!(KEYS.contains(&setting.key));
        assert!((1..=lines).contains(&setting.line), "{setting:?}");
        for value in &setting.values {
            read_quantities(value);
        }
    }
    assert!(settings.is_sorted_by_key(|setting| setting.line));
}

fn read_quantities(text: &str) {
    if let Ok(size) = text.parse::<ByteSize>() {
        assert_eq!(size.to_string().parse(), Ok(size));
    }
    if let Ok(age) = text.parse::<Age>() {
        assert_eq!(age.to_string().parse(), Ok(age));
    }
    if let Ok(folded) = text.parse::<FoldedType>() {
        assert_eq!(folded.to_string().parse(), Ok(folded));
    }
}

/// All kinds of values, keys in quotes, and quantities alone.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        "seal_age = \"10s\"\nlog_budget = \"1024B\" # a comment\n\n\"fold_types\" = [\"main\", 'saved-session/Fennec']\n",
        "edge_listen = '''\n127.0.0.1:8080'''\nseal_at_shutdown = true\nseal_age = 1.5\n",
        "seal_age.a = 1\n[log_budget]\nb = 2017-01-31T00:00:00Z\n",
        "18446744073709551615 KiB",
        "213503d",
        "saved-session/Fennec",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
