//! Whether a start of a log may go on, by the claims that are in the store. Pure.

use super::claim_object::ClaimObject;
use super::claims_file::Known;

/// What is to be done before the claim is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Claim it.
    Claim {
        /// Whether the claim tried last was made, so that the next one needs a nonce of its own.
        was_made: bool,
        /// Whether who held the log before may still run: that nobody does is proven only by the lock that its claim names.
        may_live: bool,
    },
    /// Do not.
    Refuse(Refusal),
}

/// Why a start may not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Another went on with this log at that start.
    Another {
        /// The start it claimed.
        boot: u64,
    },
    /// This log has fewer starts than were claimed by this very directory: it was put back from an older copy.
    WentBack {
        /// The start that was claimed.
        boot: u64,
    },
}

/// What to do about start `boot` of who holds `lock`, `newest` being the newest claim in the store.
pub(super) fn before(boot: u64, newest: Option<&ClaimObject>, known: Option<&Known>, lock: &str) -> Before {
    let Some(newest) = newest else {
        return Before::Claim {
            was_made: false,
            // Who held it then claimed nothing, or its claim was deleted.
            may_live: boot > 1,
        };
    };
    match known {
        Some(known) if known.made(newest.nonce) && newest.boot >= boot => {
            Before::Refuse(Refusal::WentBack { boot: newest.boot })
        }
        Some(known) if known.made(newest.nonce) => Before::Claim {
            was_made: newest.nonce == known.next,
            may_live: newest.lock.is_empty() || newest.lock != lock,
        },
        _ => Before::Refuse(Refusal::Another { boot: newest.boot }),
    }
}

/// Whether a claim that was made counts, by the others that are newer than what was the newest one before it.
pub(super) fn after(others: &[ClaimObject], known: &Known) -> Result<(), Refusal> {
    match others.iter().find(|other| !known.made(other.nonce)) {
        Some(other) => Err(Refusal::Another { boot: other.boot }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::claim_object::Nonce;
    use super::*;

    const HERE: &str = "kernel.8.17";
    const KNOWN: Known = Known {
        held: Nonce(1),
        next: Nonce(2),
    };

    fn claim(boot: u64, nonce: u128) -> ClaimObject {
        ClaimObject::new(boot, Nonce(nonce), HERE)
    }

    #[test]
    fn the_first_start_of_all_may_go_on_and_a_later_one_without_a_claim_may_have_a_living_holder() {
        let may = |may_live| Before::Claim {
            was_made: false,
            may_live,
        };
        assert_eq!(before(1, None, None, HERE), may(false));
        // A directory that worked on a store of its own before, or whose claims were deleted.
        assert_eq!(before(9, None, Some(&KNOWN), HERE), may(true));
        assert_eq!(before(2, None, None, HERE), may(true));
    }

    #[test]
    fn whoever_made_the_newest_claim_may_go_on_though_it_never_heard_of_it() {
        for (nonce, was_made) in [(1, false), (2, true)] {
            let may = Before::Claim {
                was_made,
                may_live: false,
            };
            assert_eq!(before(6, Some(&claim(5, nonce)), Some(&KNOWN), HERE), may);
        }
    }

    #[test]
    fn a_claim_made_under_another_lock_may_have_a_living_holder() {
        // Another machine, or the same one before it restarted; a copy on the same one; an earlier version of the program.
        for other in ["other.8.17", "kernel.8.18", "kernel.9.17", "kernel", ""] {
            let claimed = ClaimObject::new(5, Nonce(1), other);
            for here in [HERE, ""] {
                let Before::Claim { may_live, .. } = before(6, Some(&claimed), Some(&KNOWN), here) else {
                    panic!("it is ours");
                };
                assert!(may_live, "{other:?} under {here:?}");
            }
        }
    }

    #[test]
    fn a_copy_with_which_another_went_on_is_refused() {
        let refused = Before::Refuse(Refusal::Another { boot: 5 });
        for boot in [4, 5, 6, 100] {
            assert_eq!(before(boot, Some(&claim(5, 3)), Some(&KNOWN), HERE), refused);
            assert_eq!(before(boot, Some(&claim(5, 3)), None, HERE), refused);
        }
    }

    #[test]
    fn a_log_that_was_put_back_from_an_older_copy_is_refused() {
        for boot in [4, 5] {
            let refused = Before::Refuse(Refusal::WentBack { boot: 5 });
            assert_eq!(before(boot, Some(&claim(5, 2)), Some(&KNOWN), HERE), refused);
        }
    }

    #[test]
    fn of_two_that_claim_different_starts_at_once_each_sees_the_other() {
        assert_eq!(after(&[], &KNOWN), Ok(()));
        assert_eq!(after(&[claim(7, 3)], &KNOWN), Err(Refusal::Another { boot: 7 }));
        // An earlier try of ours, which came late.
        assert_eq!(after(&[claim(6, 2)], &KNOWN), Ok(()));
    }
}
