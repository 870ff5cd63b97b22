//! The runner as a person meets it: real processes, shell scripts in the place of test executables.

mod world;

use world::World;

#[test]
fn all_that_hold_are_counted_and_the_slowest_told() {
    let world = World::new(&[(
        "one",
        r#"echo "test a ... ok <0.5s>"; echo "test b ... ok <2.5s>""#,
    )]);
    let (well, said) = world.run_tests(&[]);
    assert!(well, "{said}");
    assert!(said.ends_with("2 passed, 0 failed, 0 skipped\n"), "{said}");
    let slowest = world.read("slowest");
    assert!(
        slowest.contains("2.5 s  p one: b\n     0.5 s  p one: a"),
        "{slowest}"
    );
}

#[test]
fn one_that_fails_fails_all_of_it_and_the_others_are_run_all_the_same() {
    let world = World::new(&[
        (
            "bad",
            "echo 'test a ... FAILED'; echo failures:; echo '---- why ----'; exit 101",
        ),
        ("good", "echo 'test b ... ok'"),
        ("gone", "kill -9 $$"),
    ]);
    let (well, said) = world.run_tests(&[]);
    assert!(!well, "{said}");
    for words in [
        "---- why ----",
        "p gone, in ",
        "signal: 9",
        "FAILED: p ",
        "1 passed, 2 failed, 0 skipped",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn what_is_left_out_is_said_and_what_is_not_asked_for_is_not_run() {
    let world = World::new(&[
        ("one", "echo 'left out: no database'; echo 'test a ... ok'"),
        ("two", "exit 1"),
    ]);
    let (well, said) = world.run_tests(&["--executable", "p one"]);
    assert!(well && said.contains("    left out: no database"), "{said}");
    let (well, said) = world.run_tests(&["--executable", "three"]);
    assert!(
        !well && said.contains("no test executable is of these names"),
        "{said}"
    );
}

#[test]
fn more_executables_or_crates_than_their_bound_are_refused_before_anything_runs() {
    let world = World::new(&[("one", "echo ran"), ("two", "echo ran")]);
    for bound in ["--executables-max", "--crates-max"] {
        let (well, said) = world.run_tests(&[bound, "1"]);
        assert!(!well && said.contains("are more than 1"), "{said}");
        assert!(!said.contains("p one"), "{said}");
        let (well, said) = world.run_tests(&[bound, "2"]);
        assert!(well, "{said}");
    }
}

#[test]
fn a_test_that_fails_now_and_then_is_found_and_told_by_name() {
    // Fails in each second round.
    let world = World::new(&[(
        "street",
        "if mkdir odd 2>/dev/null; then echo 'test a::b ... ok'; else rmdir odd; echo 'test a::b ... FAILED'; exit 101; fi",
    )]);
    let (well, said) = world.flaky(&["--times", "2"]);
    assert!(!well && said.contains("    FAILED 2 of 4: a::b"), "{said}");
    // Nothing is run again of the same build.
    let (well, again) = world.flaky(&["--times", "2"]);
    assert!(!well && !again.contains("round "), "{again}");
    let (_, more) = world.flaky(&["--times", "3"]);
    assert_eq!(more.matches("round ").count(), 2, "{more}");
}
