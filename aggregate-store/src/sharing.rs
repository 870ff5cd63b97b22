//! How shards are shared out among those who live. Pure.

/// What a holder does to have its share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moves {
    /// So many shards are given back.
    pub(crate) give: u16,
    /// So many are claimed, if they are free.
    pub(crate) take: u16,
}

/// The share of one who lives: all are alike but for one shard, of which those of a low rank have the more. The shares of
/// all add up to all shards, so nobody keeps what another one lacks.
pub(crate) fn share(shards: u16, live: usize, rank: usize) -> u16 {
    let all = usize::from(shards);
    let live = live.max(1);
    let share = all / live + usize::from(rank < all % live);
    u16::try_from(share).unwrap_or(shards)
}

impl Moves {
    /// From what is held to the share.
    pub(crate) fn to(share: u16, held: u16) -> Self {
        Self {
            give: held.saturating_sub(share),
            take: share.saturating_sub(held),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Who holds each shard; all by somebody who may be gone.
    fn renew(owners: &mut [Option<usize>], live: &[usize], rank: usize) {
        let me = live[rank];
        let held = owners.iter().filter(|owner| **owner == Some(me)).count();
        let share = share(u16::try_from(owners.len()).expect("few"), live.len(), rank);
        let moves = Moves::to(share, u16::try_from(held).expect("few"));
        assert!(moves.give == 0 || moves.take == 0);
        let mine = owners.iter_mut().filter(|owner| **owner == Some(me));
        mine.take(moves.give.into()).for_each(|owner| *owner = None);
        let free = owners
            .iter_mut()
            .filter(|owner| owner.is_none_or(|owner| !live.contains(&owner)));
        free.take(moves.take.into()).for_each(|owner| *owner = Some(me));
    }

    proptest! {
        #[test]
        fn shares_add_up_to_all_shards_and_differ_by_one_at_most(shards in 0u16..200, live in 1usize..300) {
            let shares: Vec<u16> = (0..live).map(|rank| share(shards, live, rank)).collect();
            prop_assert_eq!(shares.iter().sum::<u16>(), shards);
            let (least, most) = (shares[live - 1], shares[0]);
            prop_assert!(most - least <= 1 && shares.is_sorted_by(|a, b| a >= b));
            prop_assert_eq!(usize::from(most), usize::from(shards).div_ceil(live));
        }

        #[test]
        fn two_rounds_in_any_order_share_everything_out(
            mut owners in prop::collection::vec(prop::option::of(0usize..12), 64),
            live in prop::collection::btree_set(0usize..12, 1..9),
            seed in any::<u64>(),
        ) {
            let live: Vec<usize> = live.into_iter().collect();
            for round in 0..2 {
                let turn = (seed >> (round * 8)) as usize % live.len();
                for at in 0..live.len() {
                    renew(&mut owners, &live, (at + turn) % live.len());
                }
            }
            for (rank, me) in live.iter().enumerate() {
                let held = owners.iter().filter(|owner| **owner == Some(*me)).count();
                prop_assert_eq!(held, usize::from(share(64, live.len(), rank)));
            }
        }
    }
}
