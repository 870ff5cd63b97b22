//! A target under libFuzzer: `HIGHWATER_FUZZ_TARGET` names it, and the folder `HIGHWATER_FUZZ_SEEDS` gets its corpus.

#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use fuzz::{Target, corpus, named};
use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<&'static Target> = OnceLock::new();

fn chosen() -> &'static Target {
    TARGET.get_or_init(|| {
        let name = std::env::var("HIGHWATER_FUZZ_TARGET").expect("HIGHWATER_FUZZ_TARGET names a target");
        named(&name).unwrap_or_else(|| panic!("there is no target {name}; look at fuzz/src/target.rs"))
    })
}

fn write_seeds() {
    if let Some(folder) = std::env::var_os("HIGHWATER_FUZZ_SEEDS") {
        corpus::write_into(chosen(), Path::new(&folder)).expect("the folder of seeds can be written");
    }
}

fuzz_target!(init: write_seeds(), |data: &[u8]| (chosen().run)(data));
