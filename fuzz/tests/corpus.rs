//! The short run: every input of each target's corpus, and seeded mutations of it. The long one is `make fuzz`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fuzz::dice::Dice;
use fuzz::{TARGETS, Target, corpus, mutation, named};

/// The whole corpus stays small enough to be read in a review.
const CORPUS_BYTES_MAX: u64 = 300 << 10;

/// Reads an input; says which one it was if a law is broken.
fn hold(target: &Target, bytes: &[u8], which: &str) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).is_err() {
        let shown = bytes.escape_ascii();
        panic!(
            "{} broke a law on {which}; keep it as fuzz/corpus/{0}/NAME: b\"{shown}\"",
            target.name
        );
    }
}

#[expect(clippy::print_stdout, reason = "a random test prints its seed")]
fn run(name: &str) {
    let target = named(name).expect("a target");
    let seed = std::env::var("HIGHWATER_SEED").ok();
    let seed: u64 = seed.map_or(4, |seed| seed.parse().expect("HIGHWATER_SEED is a number"));
    let inputs = corpus::inputs(target);
    for (which, bytes) in &inputs {
        hold(target, bytes, which);
    }
    println!(
        "{name}: {} inputs, {} mutations, seed {seed} (HIGHWATER_SEED)",
        inputs.len(),
        target.mutations
    );
    let mut dice = Dice::new(seed, name);
    for number in 0..target.mutations {
        let (which, bytes) = &inputs[dice.below(inputs.len())];
        let (_, other) = &inputs[dice.below(inputs.len())];
        let mutated = mutation::mutate(&mut dice, bytes, other, target.bytes_max);
        hold(
            target,
            &mutated,
            &format!("mutation {number} of seed {seed}, of {which}"),
        );
    }
}

macro_rules! tests {
    ($($test:ident: $target:literal,)*) => {
        const TESTED: &[&str] = &[$($target),*];
        $(#[test]
        fn $test() {
            run($target);
        })*
    };
}

tests! {
    a_log_with_any_bytes_is_read_or_set_aside_and_a_second_start_loses_nothing: "log_reader",
    a_plan_with_any_bytes_is_the_same_list_of_records_again: "plan",
    records_with_any_bytes_are_what_a_plain_decoder_reads: "record",
    a_chunk_with_any_bytes_is_refused_or_its_ids_are_those_of_its_records: "chunk_reader",
    a_request_with_any_head_is_refused_or_has_a_partition_and_comes_back_as_it_was: "submission",
    a_chunk_key_of_any_text_is_refused_or_written_again_byte_for_byte: "chunk_key",
    a_settings_file_of_any_text_is_refused_or_has_known_keys_on_its_lines: "settings",
    a_dimension_schema_of_any_text_is_refused_or_gives_every_ping_a_place: "dimension_schema",
    an_import_line_of_any_bytes_is_refused_or_keeps_its_body: "import_line",
    a_file_of_frames_of_any_bytes_is_read_to_its_end_and_each_message_is_refused_or_a_ping: "heka",
    a_sketch_image_of_any_bytes_is_refused_or_has_one_canonical_form: "user_sketch",
    a_cell_of_any_bytes_is_refused_or_has_one_form: "cell",
    a_body_of_any_bytes_inflates_as_a_plain_decoder_does_and_under_the_cap: "gzip",
    a_ping_of_any_bytes_is_folded_as_the_oracle_says: "fold",
    a_ping_broken_in_any_named_ways_is_folded_as_the_oracle_says: "fold_shapes",
    a_notification_of_any_bytes_is_refused_or_announces_the_same_when_written_again: "notification",
    a_declaration_of_any_text_is_refused_on_its_lines_or_reads_pings: "declaration",
    a_declared_ping_of_any_bytes_tells_what_the_slow_reader_tells: "declared",
    a_glean_ping_of_any_bytes_counts_what_the_slow_reader_says: "glean",
    definitions_of_any_text_are_refused_with_a_place_or_name_what_they_count: "definitions",
}

/// With mutations of their bytes: those of their parts are tested beside the fold.
#[test]
fn recorded_pings_of_changed_bytes_are_folded_as_the_oracle_says() {
    let fold = named("fold").expect("a target");
    let pings = corpus::recorded_pings();
    if pings.is_empty() {
        println!("left out: ../shared is absent");
    }
    let mut dice = Dice::new(4, "recorded pings");
    for (which, body) in &pings {
        hold(fold, body, which);
        let mutated = mutation::mutate(&mut dice, body, body, usize::MAX);
        hold(fold, &mutated, &format!("{which}, mutated"));
    }
}

#[test]
fn every_target_has_its_test_and_the_corpus_stays_small() {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names, TESTED);
    let files = TARGETS
        .iter()
        .flat_map(|target| std::fs::read_dir(corpus::folder(target)));
    let bytes: u64 = files
        .flatten()
        .map(|file| file.expect("an entry").metadata().expect("a file").len())
        .sum();
    assert!(bytes <= CORPUS_BYTES_MAX, "{bytes} bytes");
}
