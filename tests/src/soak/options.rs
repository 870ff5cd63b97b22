//! What a soak is told.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// The seed, if none is given.
const SEED: u64 = 20_170_130;

/// The seed of a test: that of the environment, `HIGHWATER_SEED`, if it has one.
pub fn seed() -> u64 {
    let seed = std::env::var("HIGHWATER_SEED").ok();
    seed.and_then(|text| text.parse().ok()).unwrap_or(SEED)
}

/// What a soak is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long load comes.
    pub length: Duration,
    /// What plan and pings are drawn from.
    pub seed: u64,
    /// Pings a second.
    pub rate: f64,
    /// Whether the data directory gets a small file system of its own, which can be filled. That needs the right to mount.
    pub own_room: bool,
    /// So many partitions, all open: then nothing is mixed but kills.
    pub partitions: Option<u64>,
    /// Where the picture of latencies goes.
    pub picture: Option<PathBuf>,
    /// A program with the feature `aws`, of which a fleet is soaked.
    pub fleet: Option<PathBuf>,
}

impl Options {
    /// A short soak.
    pub fn new(length: Duration) -> Self {
        Self {
            length,
            seed: seed(),
            rate: 60.0,
            own_room: false,
            partitions: None,
            picture: None,
            fleet: None,
        }
    }

    /// From a command line.
    ///
    /// # Errors
    /// When an argument is not understood.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            own_room: true,
            ..Self::new(Duration::from_secs(300))
        };
        let mut arguments = arguments.into_iter();
        while let Some(name) = arguments.next() {
            let value = arguments
                .next()
                .with_context(|| format!("{name} needs a value"))?;
            let number = || value.parse::<u64>().with_context(|| format!("{name} {value}"));
            match name.as_str() {
                "--minutes" => options.length = Duration::from_secs(60 * number()?),
                "--seconds" => options.length = Duration::from_secs(number()?),
                "--seed" => options.seed = number()?,
                "--rate" => options.rate = number()?.max(1) as f64,
                "--partitions" => options.partitions = Some(number()?.max(1)),
                "--picture" => options.picture = Some(value.into()),
                "--fleet" => options.fleet = Some(value.into()),
                _ => bail!(
                    "{name}: one of --minutes, --seconds, --seed, --rate, --partitions, --picture, --fleet"
                ),
            }
        }
        Ok(options)
    }
}
