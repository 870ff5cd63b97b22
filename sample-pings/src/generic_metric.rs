//! A metric of which chance decides everything: kind, parameters, and who reports it.

use crate::dice::Dice;
use crate::layout::Kind;
use crate::metric::{Metric, Tier};
use crate::parameters::Parameters;

/// A metric of this kind with chance parameters, as frequent as in real pings.
pub(crate) fn generic(name: String, kind: Kind, dice: &mut Dice) -> Metric {
    const EXPONENTIAL: &[(u64, u64, u64)] = &[
        (1, 10_000, 50),
        (1, 10_000, 50),
        (1, 10_000, 50),
        (1, 3_000, 10),
        (1, 3_000, 10),
        (1, 30_000, 50),
        (1, 1_000, 50),
        (1, 1_000_000, 50),
        (1, 60_000, 1_000),
        (1, 60_000, 50),
        (32_768, 16_777_216, 100),
        (1, 300_000, 20),
        (1, 5_000, 10),
        (50, 60_000, 20),
        (8_192, 8_000_000, 50),
    ];
    const LINEAR: &[(u64, u64, u64)] = &[
        (1, 10, 11),
        (1, 16, 17),
        (1, 4, 5),
        (1, 100, 101),
        (1, 32, 33),
        (1, 8, 9),
        (1, 100, 10),
        (1, 24, 25),
        (1, 1_000, 50),
        (1, 256, 257),
        (1, 120, 50),
    ];
    let (low, high, bins) = match kind {
        Kind::Exponential => dice.pick(EXPONENTIAL),
        Kind::Linear => dice.pick(LINEAR),
        Kind::Boolean | Kind::Flag | Kind::Count => (1, 2, 3),
        Kind::Categorical => (1, 50, 51),
    };
    let mut metric = Metric::new(
        name,
        &Parameters {
            kind,
            low,
            high,
            bins,
        },
    );
    let place = 0.1 + 0.55 * dice.unit();
    metric.median = match kind {
        Kind::Exponential => low as f64 * (high as f64 / low as f64).powf(place),
        Kind::Categorical => 1.0 + 6.0 * place,
        _ => high as f64 * place,
    };
    metric.spread = 0.25 + 0.8 * dice.unit();
    metric.points = dice.log_normal(1.75, 1.0).clamp(0.5, 40.0);
    metric.weight = dice.log_normal(2.4, 1.1);
    metric
}

/// Kinds as frequent as in real pings.
pub(crate) fn some_kind(dice: &mut Dice) -> Kind {
    match dice.below(100) {
        0..47 => Kind::Exponential,
        47..72 => Kind::Linear,
        72..83 => Kind::Boolean,
        83..92 => Kind::Flag,
        92..96 => Kind::Count,
        _ => Kind::Categorical,
    }
}

/// Most are reported by all, some by all clients of a kind, some by chance.
pub(crate) fn some_tier(dice: &mut Dice) -> Tier {
    match dice.below(100) {
        0..58 => Tier::Always,
        58..84 => Tier::Kin(0.5),
        84..92 => Tier::Own(0.7),
        _ => Tier::Own(0.3),
    }
}
