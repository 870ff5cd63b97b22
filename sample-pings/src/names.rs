//! Invented names in the style of a browser's: of metrics, of labels, of parts of the program.

use std::collections::BTreeSet;

use crate::dice::Dice;
use crate::layout::Kind;

const AREAS: &[&str] = &[
    "GC",
    "PAGE_LOAD",
    "TAB_SWITCH",
    "HTTP",
    "CACHE",
    "DISK",
    "IMAGE_DECODE",
    "FONT",
    "PLACES",
    "SYNC",
    "DNS",
    "TLS",
    "VIDEO",
    "AUDIO",
    "CANVAS",
    "WEBGL",
    "SCROLL",
    "SHUTDOWN",
    "BLOCKLIST",
    "ADDON",
    "PLUGIN",
    "DEVTOOLS",
    "SEARCH",
    "URLBAR",
    "PASSWORD_STORE",
    "FORM",
    "WORKER",
    "INDEXED_DB",
    "COOKIE",
    "PERMISSION",
    "PUSH",
    "GRAPHICS",
    "COMPOSITOR",
    "PAINT",
    "LAYOUT",
    "STYLE",
    "DOM",
    "JIT",
    "TIMER",
    "IPC",
    "SAFE_BROWSING",
    "UPDATE",
];

const SUBJECTS: &[&str] = &[
    "IDLE",
    "FOREGROUND",
    "BACKGROUND",
    "FIRST",
    "QUEUE",
    "LOOKUP",
    "OPEN",
    "READ",
    "WRITE",
    "FLUSH",
    "WAIT",
    "LOCK",
    "INIT",
    "RESUME",
    "VALIDATION",
    "HANDSHAKE",
    "FRAME",
    "SLICE",
    "BUDGET",
    "MAIN_THREAD",
    "OFF_THREAD",
    "SYNC",
    "ASYNC",
    "TRANSACTION",
    "SNAPSHOT",
    "UPLOAD",
    "DOWNLOAD",
    "PARSE",
    "COMPILE",
    "SWEEP",
    "MARK",
    "EVICTION",
    "MIGRATION",
    "PREFETCH",
    "REDIRECT",
    "RETRY",
    "SERVER",
    "PROXY",
    "SESSION",
    "WINDOW",
];

/// Plain words to make names of.
pub(crate) const WORDS: &[&str] = &[
    "amber", "anchor", "basin", "birch", "cedar", "cliff", "clover", "comet", "copper", "coral", "delta",
    "dune", "ember", "fable", "fern", "flint", "garnet", "glade", "harbor", "hazel", "heron", "iris",
    "ivory", "jasper", "kelp", "lagoon", "larch", "linden", "lotus", "maple", "meadow", "mesa", "nectar",
    "nimbus", "oasis", "onyx", "opal", "orchid", "pebble", "pine", "prairie", "quartz", "quill", "raven",
    "reef", "ridge", "saffron", "sage", "slate", "spruce", "summit", "thistle", "tidal", "topaz", "tundra",
    "umber", "velvet", "willow", "wren", "yarrow", "zephyr", "zinnia",
];

const ACTORS: &[&str] = &[
    "PContent",
    "PBrowser",
    "PNecko",
    "PCompositor",
    "PMedia",
    "PStorage",
    "PPlugin",
    "PImage",
];

/// Makes names, never the same twice.
pub(crate) struct Names {
    dice: Dice,
    taken: BTreeSet<String>,
}

impl Names {
    /// The names of this list; the same in every population, as a browser's are.
    pub(crate) fn new(list: &str) -> Self {
        Self {
            dice: Dice::new(0, list, 0),
            taken: BTreeSet::new(),
        }
    }

    /// The chances these names are made by, for other properties of what is named.
    pub(crate) fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// Reserves a name.
    pub(crate) fn take(&mut self, name: &str) {
        self.taken.insert(name.to_owned());
    }

    /// A metric's name, with an ending that fits what it measures.
    pub(crate) fn metric(&mut self, kind: Kind) -> String {
        let endings: &[&str] = match kind {
            Kind::Exponential => &["MS", "MS", "MS", "US", "KB", "SIZE", "LENGTH", "TIME"],
            Kind::Linear => &["REASON", "PERCENT", "STATE", "RESULT", "STATUS", "TYPE"],
            Kind::Boolean => &["SUCCEEDED", "ENABLED", "HIT", "USED"],
            Kind::Flag => &["FLAG", "SEEN"],
            Kind::Count => &["COUNT", "TOTAL"],
            Kind::Categorical => &["OUTCOME", "CATEGORY"],
        };
        self.fresh(|dice| {
            let (area, subject) = (dice.pick(AREAS), dice.pick(SUBJECTS));
            format!("{area}_{subject}_{}", dice.pick(endings))
        })
    }

    /// A label of a keyed metric: a message between processes, an add-on, a host, a word.
    pub(crate) fn label(&mut self, style: usize) -> String {
        self.fresh(|dice| {
            let (a, b) = (dice.pick(WORDS), dice.pick(WORDS));
            match style % 4 {
                0 => format!("{}::Msg_{}{}", dice.pick(ACTORS), title(a), title(b)),
                1 => format!("{a}-{b}@addons.example"),
                2 => format!("{a}{}", title(b)),
                _ => format!("chrome://{a}/content/{b}.js:{}", dice.between(10, 900)),
            }
        })
    }

    /// A name in dotted lower case, as scalars have.
    pub(crate) fn scalar(&mut self) -> String {
        self.fresh(|dice| {
            let area = dice.pick(AREAS).to_lowercase();
            format!(
                "{area}.{}.{}_{}",
                dice.pick(WORDS),
                dice.pick(WORDS),
                dice.pick(WORDS)
            )
        })
    }

    /// A name in camel case, as simple measurements and add-ons have.
    pub(crate) fn camel(&mut self) -> String {
        self.fresh(|dice| format!("{}{}", dice.pick(WORDS), title(dice.pick(WORDS))))
    }

    fn fresh(&mut self, mut make: impl FnMut(&mut Dice) -> String) -> String {
        loop {
            let name = make(&mut self.dice);
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// Words in a row, as a description has.
pub(crate) fn sentence(dice: &mut Dice, words: u64) -> String {
    let mut text = title(dice.pick(WORDS));
    for _ in 1..words {
        text.push(' ');
        text.push_str(dice.pick(WORDS));
    }
    text
}

/// The word with a capital.
pub(crate) fn title(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}
