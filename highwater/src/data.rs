//! The settings that all commands take, so that one file and one environment serve them; their defaults and help.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use aggregator::limits::{
    BINS_PER_PING_MAX, LABELS_PER_METRIC_MAX, PARTS_PER_PING_MAX, PROCESSES_PER_PING_MAX,
};
use clap::{Args, ValueEnum};
use retention::RetentionRule;
use service::quantity::{Age, ByteSize, some_bytes};

use crate::places::urls::{PostgresUrl, StoreUrl};

/// The data directory, and how the program logs.
#[derive(Args, Debug, Clone)]
pub(crate) struct Data {
    /// Where everything is kept
    #[arg(long, value_name = "DIR", default_value = "highwater-data")]
    pub data_dir: PathBuf,
    /// Log lines: human or json
    #[arg(long, value_enum, default_value = "human")]
    pub log_format: LogFormat,
    /// Which log lines, such as info or edge=debug,info
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub log_filter: String,
    /// What the keys of chunks begin with
    #[arg(long, value_name = "PREFIX", default_value = "pings")]
    pub chunk_prefix: String,
    #[command(flatten)]
    pub places: Places,
    #[command(flatten)]
    pub fold: Fold,
    #[command(flatten)]
    pub layer: Layer,
    #[command(flatten)]
    pub intake: Intake,
    #[command(flatten)]
    pub kept: Kept,
    /// The keys of the settings that were given, by flag, environment or file
    #[arg(skip)]
    pub given: BTreeSet<String>,
}

/// Where chunks, their index and aggregates are kept, when many processes share them; else they lie in the data directory.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Chunks, index and aggregates elsewhere")]
pub(crate) struct Places {
    /// Keep chunks in S3: s3://BUCKET or s3://BUCKET/PREFIX. Credentials come from where the AWS tools find them
    #[arg(long, value_name = "URL")]
    pub store: Option<StoreUrl>,
    /// Another endpoint than AWS's, of S3 and of the queue
    #[arg(long, value_name = "URL", requires = "store")]
    pub endpoint_url: Option<String>,
    /// The region of bucket and queue, if the AWS settings do not say it
    #[arg(long, value_name = "REGION", requires = "store")]
    pub region: Option<String>,
    /// Storage class of chunks, such as INTELLIGENT_TIERING
    #[arg(long, value_name = "CLASS", requires = "store")]
    pub storage_class: Option<String>,
    /// Encrypt chunks with this key of the key service; else as the bucket says
    #[arg(long, value_name = "KEY", requires = "store")]
    pub kms_key: Option<String>,
    /// Keep the index in PostgreSQL: postgres://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full
    #[arg(long, value_name = "URL")]
    pub index: Option<PostgresUrl>,
    /// Aggregates in PostgreSQL, for `aggregate` and `query`, and for commands about what they share; may be the database of the
    /// index
    #[arg(long, value_name = "URL")]
    pub aggregates: Option<PostgresUrl>,
}

/// What is kept, and for how long: forever, an age in days, a size, or both, as 180d,500GB. Whole days of submission go,
/// the oldest first, never today. More than a week at once, or several days that are more than a tenth of what is there,
/// waits for `highwater retain --yes`.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "What is kept")]
pub(crate) struct Kept {
    /// Chunks of pings
    #[arg(long, value_name = "KEEP", default_value = "forever")]
    pub keep_pings: RetentionRule,
    /// Chunks of errored pings; as --keep-pings if absent
    #[arg(long, value_name = "KEEP")]
    pub keep_errors: Option<RetentionRule>,
    /// Distributions and users; a rebuild makes only those again whose pings are kept
    #[arg(long, value_name = "KEEP", default_value = "forever")]
    pub keep_aggregates: RetentionRule,
    /// Who sent what twice, by which repeats are known; goes with the pings in any case. What is sent again after that counts
    /// twice, so keep it for longer than --repeat-window-days
    #[arg(long, value_name = "KEEP", default_value = "forever")]
    pub keep_copies: RetentionRule,
}

/// What is folded and not written yet. It is in all answers of this process at once.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Aggregates in memory")]
pub(crate) struct Layer {
    /// Memory for aggregates that are not written yet; half of it is written at once, and above it folding waits
    #[arg(long, value_name = "BYTES", value_parser = some_bytes, default_value = "256MiB")]
    pub aggregates_memory: ByteSize,
    /// How long aggregates stay in memory only, at most; so much is folded again after a crash. 0s: no time
    #[arg(long, value_name = "AGE", default_value = "10s")]
    pub persist_age: Age,
}

/// What the fold reads. A higher cap needs `highwater replay-errors`, any other change a rebuild.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "What is folded")]
pub(crate) struct Fold {
    /// Document types that are folded, each for all applications or for one: type or type/application
    #[arg(
        long,
        value_name = "TYPES",
        value_delimiter = ',',
        default_value = "main,saved-session/Fennec"
    )]
    pub fold_types: Vec<String>,
    /// Declarations of products whose pings are counted, too: files, or folders of .yaml files
    #[arg(long, value_name = "FILE_OR_FOLDER")]
    pub products: Vec<PathBuf>,
    /// What metrics are, for answers: Histograms.json, Scalars.yaml or Processes.yaml, metrics.yaml or pings.yaml of Glean, recognised
    /// by content; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub definitions: Vec<PathBuf>,
    /// For how many days after a ping its copies are repeats; Firefox sends again for 14 days
    #[arg(long, value_name = "DAYS", value_parser = at_least_one::<u32>, default_value_t = 14)]
    pub repeat_window_days: u32,
    /// Names (metrics and labels) in one ping; above it the ping is errored, too_many_parts
    #[arg(long, value_name = "N", value_parser = at_least_one::<u32>, default_value_t = PARTS_PER_PING_MAX)]
    pub parts_per_ping: u32,
    /// Labels of one metric in one ping; above it the ping is errored, too_many_labels
    #[arg(long, value_name = "N", value_parser = at_least_one::<u32>, default_value_t = LABELS_PER_METRIC_MAX)]
    pub labels_per_metric: u32,
    /// Processes in one ping; above it the ping is errored, too_many_processes
    #[arg(long, value_name = "N", value_parser = at_least_one::<u32>, default_value_t = PROCESSES_PER_PING_MAX)]
    pub processes_per_ping: u32,
    /// Bins that are not zero in all histograms of one ping; above it the ping is errored, too_many_bins
    #[arg(long, value_name = "N", value_parser = at_least_one::<u32>, default_value_t = BINS_PER_PING_MAX)]
    pub bins_per_ping: u32,
}

impl Fold {
    /// The same without definitions, which are no concern of who only takes pings.
    pub(crate) fn without_definitions(&self) -> Self {
        Self {
            definitions: Vec::new(),
            ..self.clone()
        }
    }

    /// The defaults, without any file.
    pub(crate) fn for_demo() -> Self {
        Self {
            fold_types: vec!["main".to_owned(), "saved-session/Fennec".to_owned()],
            products: Vec::new(),
            definitions: Vec::new(),
            repeat_window_days: 14,
            parts_per_ping: PARTS_PER_PING_MAX,
            labels_per_metric: LABELS_PER_METRIC_MAX,
            processes_per_ping: PROCESSES_PER_PING_MAX,
            bins_per_ping: BINS_PER_PING_MAX,
        }
    }
}

/// How pings wait and become chunks.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Log and chunks")]
pub(crate) struct Intake {
    /// How long a ping waits at most until its chunk is sealed; 0s: as soon as it can be
    #[arg(long, value_name = "AGE", default_value = "10s")]
    pub seal_age: Age,
    /// Bytes that waiting pings may take on disk; above them, pings are answered 507
    #[arg(long, value_name = "BYTES", value_parser = some_bytes, default_value = "8GiB")]
    pub log_budget: ByteSize,
    /// Partitions that may wait at once; beyond them, version and build id become OTHER
    #[arg(long, value_name = "N", value_parser = at_least_one::<usize>, default_value_t = 100_000)]
    pub open_partitions: usize,
    /// Partitions never seen since the start that may open each minute, and ten times as many at once; beyond them, what is new
    /// about a ping's partition becomes OTHER. A tenth of them may be of new namespaces, document types or applications
    #[arg(long, value_name = "N", value_parser = at_least_one::<u32>, default_value_t = 200)]
    pub new_partitions: u32,
    /// Namespaces that make partitions of their own; pings of others are taken, and kept under OTHER. All if absent
    #[arg(long, value_name = "NAMESPACES", value_delimiter = ',')]
    pub namespaces: Vec<String>,
    /// TOML file with the dimensions of chunks and their allowed values; built in if absent
    #[arg(long, value_name = "FILE")]
    pub dimension_schema: Option<PathBuf>,
    /// Seal everything that waits before the program ends
    #[arg(long)]
    pub seal_at_shutdown: bool,
    /// Largest body once inflated; larger ones are kept as errors. A higher value needs `highwater replay-errors`
    #[arg(long, value_name = "BYTES", value_parser = some_bytes, default_value = "32MiB")]
    pub inflated_limit: ByteSize,
    /// The 32 bytes that clients are hashed with, where a declaration has it done; the same file for all edges of a store. If absent,
    /// `client-secret` in the data directory, which is made when it is needed
    #[arg(long, value_name = "FILE")]
    pub client_secret_file: Option<PathBuf>,
    /// Take another secret than the one that is known by these 16 digits: users are counted once more. Give it for one start
    #[arg(long, value_name = "FINGERPRINT")]
    pub client_secret_replaces: Option<String>,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For a person at a terminal
    Human,
    /// One JSON object a line
    Json,
}

/// Reads a number of which there must be one at least.
pub(crate) fn at_least_one<T: FromStr + PartialOrd + From<u8>>(text: &str) -> Result<T, String> {
    match text.parse::<T>() {
        Ok(number) if number >= T::from(1) => Ok(number),
        Ok(_) => Err("0 is not taken here: write 1 or more".to_owned()),
        Err(_) => Err("write a whole number".to_owned()),
    }
}
