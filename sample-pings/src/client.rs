//! A simulated person's installation: what stays the same from ping to ping.

use crate::dice::{Dice, mix};
use crate::platform::{PLATFORMS, Platform};
use crate::release::{CHANNELS, Channel};

/// One installation. Everything about it follows from the seed and its number.
pub(crate) struct Client {
    /// Its stable `clientId`.
    pub(crate) id: String,
    /// A seed of its own, for whatever else stays the same.
    pub(crate) seed: u64,
    /// Same for all clients that share channel, platform and process model.
    pub(crate) kin: u64,
    pub(crate) channel: &'static Channel,
    pub(crate) platform: &'static Platform,
    pub(crate) e10s: bool,
    pub(crate) locale: &'static str,
    /// How slow the machine is: 1 is usual, 2 takes twice as long.
    pub(crate) slowness: f64,
    /// How much is done in a session: 1 is usual.
    pub(crate) use_of_it: f64,
}

/// Locales, the frequent ones named more often.
const LOCALES: &[&str] = &[
    "en-US", "en-US", "en-US", "en-US", "en-GB", "de", "de", "fr", "ru", "zh-CN", "es-ES", "pl", "ja",
    "pt-BR", "it", "nl", "cs", "id", "tr", "sv-SE",
];

impl Client {
    /// Client `number` of the population with this seed.
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let mut dice = Dice::new(seed, "client", number);
        let channel = dice.weighted(CHANNELS, |channel| channel.weight);
        let platform = dice.weighted(PLATFORMS, |platform| platform.weight);
        let e10s = dice.chance(channel.e10s);
        let place = PLATFORMS.iter().position(|other| std::ptr::eq(other, platform));
        let kin = mix(mix(place.unwrap_or(0) as u64, u64::from(e10s)), channel.weight);
        Self {
            id: dice.uuid(),
            seed: dice.bits(),
            kin,
            channel,
            platform,
            e10s,
            locale: dice.pick(LOCALES),
            slowness: dice.log_normal(1.0, 0.35),
            use_of_it: dice.log_normal(1.0, 0.6),
        }
    }
}
