//! The command line. What lives here: commands and the settings of each, their defaults and help. What they do
//! lives beside it.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ping::SubmissionDate;
use service::quantity::{Age, ByteSize, some_bytes, some_time};
use service::settings::OF_THIS_CALL;

use crate::data::{Data, at_least_one};
use crate::dimensions::Dimensions;
use crate::help;
use crate::pings::Select;
use crate::places::QueueUrl;

/// The version, and what of the parts outside the default this program was built with.
const BUILT: &str = match (cfg!(feature = "s3"), cfg!(feature = "postgres")) {
    (true, true) => concat!(env!("CARGO_PKG_VERSION"), ", with S3 and PostgreSQL"),
    (true, false) => concat!(env!("CARGO_PKG_VERSION"), ", with S3, without PostgreSQL"),
    (false, true) => concat!(env!("CARGO_PKG_VERSION"), ", with PostgreSQL, without S3"),
    (false, false) => concat!(
        env!("CARGO_PKG_VERSION"),
        ", without S3 and PostgreSQL (--features aws builds with both)"
    ),
};

/// Headings of the help.
const BESIDE_OTHERS: &str = "Beside other aggregators";
const NEW_CHUNKS: &str = "Word of new chunks";
const LISTENERS: &str = "Names of listeners";

/// A self-hosted telemetry pipeline: pings in, distributions and active users out, in one program.
///
/// Every long flag can also be set in a TOML file (--config FILE, keys with _ for -) and in the environment
/// (HIGHWATER_SEAL_AGE=1s), but for those of one call. A flag goes before the environment, that before the file.
#[derive(Parser, Debug)]
#[command(name = "highwater", version, long_version = BUILT, propagate_version = true)]
pub(crate) struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Everything in one process: takes pings, makes chunks, indexes and folds them, answers questions
    Serve(Serve),
    /// Takes pings and makes chunks, nothing else
    Edge(Edge),
    /// Folds indexed chunks into aggregates in PostgreSQL, nothing else; any number of these share the work
    Aggregate(Aggregate),
    /// Answers questions about aggregates in PostgreSQL, nothing else: API and page
    Query(Query),
    /// The pipeline on this machine with generated pings, and a page that moves
    Demo(Demo),
    /// Takes pings from NDJSON files: plain, .gz or .zst; the same file again adds nothing
    Import(Import),
    /// Prints stored pings as NDJSON, reading only chunks that can match
    Pings(Pings),
    /// Folds everything anew beside what is in use, then swaps; goes on where an earlier one ended early
    Rebuild(Rebuild),
    /// Reads errored pings again, after a change that accepts more, and folds those that can be folded now
    ReplayErrors(Data),
    /// Deletes what is older or more than is to be kept, as `serve` does every hour
    Retain(Retain),
    /// Deletes one chunk on purpose: it is not indexed again, and the next rebuild counts its pings no more
    ForgetChunk(ForgetChunk),
    /// Lists the store and indexes what is missing
    Reconcile(Data),
    /// Indexes chunks as a process of its own, or asks the index
    #[command(subcommand)]
    Index(IndexCommand),
    /// Prints every aggregate as sorted NDJSON
    Dump(Dump),
    /// Prints how the pipeline is, and what was accepted, stored, indexed and folded
    Status(Status),
    /// Looks into a chunk
    #[command(subcommand)]
    Chunk(Chunk),
    /// What becomes of a product's pings by its declaration
    #[command(subcommand)]
    Mapping(Mapping),
    /// What a product's declaration promises
    #[command(subcommand)]
    Product(Product),
}

/// The listener that takes pings.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Listener for pings")]
pub(crate) struct EdgeListener {
    /// Address for pings; loopback unless you say otherwise
    #[arg(long, value_name = "ADDRESS", value_parser = address, default_value = "127.0.0.1:8080")]
    pub edge_listen: SocketAddr,
    /// Largest body as sent; larger ones are answered 413
    #[arg(long, value_name = "BYTES", value_parser = some_bytes, default_value = "8MiB")]
    pub body_limit: ByteSize,
    /// Memory for all bodies that are being read or wait for the log; beyond it the slowest are closed, and others answered 503
    #[arg(long, value_name = "BYTES", value_parser = some_bytes, default_value = "256MiB")]
    pub bodies_memory: ByteSize,
    /// Connections at once; for each more, one that waits for its client is closed: the longest silent, else the slowest body
    #[arg(long, value_name = "N", value_parser = at_least_one::<usize>, default_value_t = 4_096)]
    pub edge_connections: usize,
    /// Pages whose scripts may send pings (CORS): any, none, or their origins, such as https://shop.example
    #[arg(long, value_name = "ORIGINS", value_delimiter = ',', default_value = "any")]
    pub submit_origins: Vec<String>,
    /// Show /metrics on this listener, too: to everybody who can reach it
    #[arg(long)]
    pub edge_metrics: bool,
    /// From a request's first byte to the end of its headers; then the connection is closed without an answer
    #[arg(long, value_name = "AGE", value_parser = some_time, default_value = "10s")]
    pub header_timeout: Age,
    /// From the end of the headers to the end of the body; slower than 1 KiB a second is given up after ten seconds
    #[arg(long, value_name = "AGE", value_parser = some_time, default_value = "60s")]
    pub body_timeout: Age,
    /// How long a connection may lie idle between requests: longer than a load balancer keeps its own
    #[arg(long, value_name = "AGE", value_parser = some_time, default_value = "75s")]
    pub idle_timeout: Age,
    /// How long a client may take no byte of its answer
    #[arg(long, value_name = "AGE", value_parser = some_time, default_value = "30s")]
    pub write_timeout: Age,
}

/// Under which names listeners on loopback are asked.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = LISTENERS)]
pub(crate) struct Names {
    /// Names, without a port, under which listeners on loopback answer beside localhost and the like: those that a proxy
    /// before them passes on. Others get 421; pings and the edge's heartbeats are taken under any name
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = host)]
    pub allowed_host: Vec<String>,
}

/// The listener that answers questions.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "API and page")]
pub(crate) struct Answers {
    /// Address for the API and the page. It asks for no password: loopback, or behind a proxy that does
    #[arg(long, value_name = "ADDRESS", value_parser = address, default_value = "127.0.0.1:8081")]
    pub api_listen: SocketAddr,
    /// Metrics that are never answered; an entry that ends in * is a prefix
    #[arg(long, value_name = "METRICS", value_delimiter = ',')]
    pub withheld_metrics: Vec<String>,
}

/// The listener that answers questions, and how the index is kept whole.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "API and page")]
pub(crate) struct ApiListener {
    #[command(flatten)]
    pub answers: Answers,
    /// How often the store is listed against the index
    #[arg(long, value_name = "AGE", value_parser = some_time, default_value = "1h")]
    pub reconcile_every: Age,
    /// Whether the API answers with raw pings, their ids among them: where it listens on loopback and neither other hosts are allowed nor
    /// metrics withheld; always; or never
    #[arg(long, value_enum, value_name = "WHEN", default_value = "loopback")]
    pub raw_pings: RawPingsWhen,
}

/// When the API answers with raw pings.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RawPingsWhen {
    /// Where it listens on loopback
    Loopback,
    /// Always: whoever reaches it may read them
    On,
    /// Never
    Off,
}

/// `highwater dump`.
#[derive(Args, Debug, Clone)]
pub(crate) struct Dump {
    #[command(flatten)]
    pub data: Data,
    /// Also what is kept beside the values of pings: that they came, what of them is left out, which metrics are only stored
    #[arg(long, help_heading = OF_THIS_CALL)]
    pub all: bool,
}

/// `highwater serve`.
#[derive(Args, Debug, Clone)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub data: Data,
    #[command(flatten)]
    pub edge: EdgeListener,
    #[command(flatten)]
    pub api: ApiListener,
    #[command(flatten)]
    pub names: Names,
    /// Check settings and definition files, then end
    #[arg(long, help_heading = OF_THIS_CALL)]
    pub check: bool,
}

/// `highwater edge`.
#[derive(Args, Debug, Clone)]
#[command(mut_args(|arg| help::only(arg, &help::FOR_EDGES)))]
pub(crate) struct Edge {
    #[command(flatten)]
    pub data: Data,
    #[command(flatten)]
    pub edge: EdgeListener,
    #[command(flatten)]
    pub names: Names,
}

/// `highwater aggregate`.
#[derive(Args, Debug, Clone)]
#[command(mut_args(|arg| help::only(arg, &help::FOR_AGGREGATORS)))]
pub(crate) struct Aggregate {
    #[command(flatten)]
    pub data: Data,
    /// Address for metrics and heartbeats; loopback unless you say otherwise
    #[arg(long, value_name = "ADDRESS", value_parser = address, default_value = "127.0.0.1:8082", help_heading = BESIDE_OTHERS)]
    pub listen: SocketAddr,
    /// How long the others wait for one that says nothing, until they fold its share
    #[arg(long, value_name = "AGE", value_parser = some_time, default_value = "30s", help_heading = BESIDE_OTHERS)]
    pub lease_time: Age,
    #[command(flatten)]
    pub names: Names,
}

/// `highwater query`.
#[derive(Args, Debug, Clone)]
#[command(mut_args(|arg| help::only(arg, &help::FOR_QUERIES)))]
pub(crate) struct Query {
    #[command(flatten)]
    pub data: Data,
    #[command(flatten)]
    pub answers: Answers,
    #[command(flatten)]
    pub names: Names,
}

/// `highwater demo`.
#[derive(Args, Debug, Clone)]
pub(crate) struct Demo {
    /// Where everything is kept
    #[arg(long, value_name = "DIR", default_value = "highwater-demo")]
    pub data_dir: PathBuf,
    /// Address for pings
    #[arg(long, value_name = "ADDRESS", value_parser = address, default_value = "127.0.0.1:8080")]
    pub edge_listen: SocketAddr,
    /// Address for the API and the page
    #[arg(long, value_name = "ADDRESS", value_parser = address, default_value = "127.0.0.1:8081")]
    pub api_listen: SocketAddr,
    /// Pings a second at most
    #[arg(long, value_name = "N", value_parser = at_least_one::<u32>, default_value_t = 50)]
    pub rate: u32,
    /// Send this many pings, then no more
    #[arg(long, value_name = "N")]
    pub pings: Option<u64>,
    /// End when everything sent was counted: 0 if exactly that was counted, else 1
    #[arg(long, requires = "pings")]
    pub exit: bool,
    /// What all pings are drawn from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Bytes of the data directory above which older days are deleted, and sending pauses when today alone takes them
    #[arg(long, value_name = "BYTES", value_parser = some_bytes, default_value = "2GB")]
    pub data_limit: ByteSize,
}

/// `highwater import`.
#[derive(Args, Debug, Clone)]
pub(crate) struct Import {
    #[command(flatten)]
    pub data: Data,
    /// NDJSON files (plain, .gz, .zst), a line {"submissionDate":"YYYYMMDD","uri":"/submit/...","body":{...}}, or one that
    /// `pings` printed, or one of gcp-ingestion ({"attributeMap":{...},"payload":"base64"}); or files of Heka
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// `highwater pings`.
#[derive(Args, Debug, Clone)]
pub(crate) struct Pings {
    #[command(flatten)]
    pub data: Data,
    #[command(flatten)]
    pub select: Select,
    /// Print pings that could not be read or folded, body as base64, with the reason
    #[arg(long, help_heading = OF_THIS_CALL)]
    pub errors: bool,
}

/// `highwater rebuild`.
#[derive(Args, Debug, Clone)]
pub(crate) struct Rebuild {
    #[command(flatten)]
    pub data: Data,
    /// Rebuild although aggregates get lost whose pings were deleted; where aggregates lie in PostgreSQL these stay without it
    #[arg(long, help_heading = OF_THIS_CALL, conflicts_with = "source")]
    pub forget_older: bool,
    /// Fold this source alone anew, such as telemetry/main, beside what is in use: its numbers stay as they are until all is folded
    #[arg(long, help_heading = OF_THIS_CALL, value_name = "NAMESPACE/TYPE")]
    pub source: Option<String>,
    /// Only pings received on this day (YYYYMMDD) or later; the numbers of other days stay
    #[arg(long, help_heading = OF_THIS_CALL, value_name = "DAY", requires = "source")]
    pub from: Option<SubmissionDate>,
    /// Only pings received on this day or before
    #[arg(long, help_heading = OF_THIS_CALL, value_name = "DAY", requires = "source")]
    pub to: Option<SubmissionDate>,
}

/// `highwater retain`.
#[derive(Args, Debug, Clone)]
pub(crate) struct Retain {
    #[command(flatten)]
    pub data: Data,
    /// Print what would go, and delete nothing
    #[arg(long, help_heading = OF_THIS_CALL)]
    pub dry_run: bool,
    /// Delete also what is much at once: more than a week, or than a tenth of what is there
    #[arg(long, help_heading = OF_THIS_CALL, conflicts_with = "dry_run")]
    pub yes: bool,
    /// Delete nothing, and lower the floor dates to this day, when a clock that was ahead raised them: YYYYMMDD
    #[arg(long, value_name = "DAY", help_heading = OF_THIS_CALL, conflicts_with_all = ["dry_run", "yes"])]
    pub lower_floors: Option<SubmissionDate>,
}

/// `highwater forget-chunk`.
#[derive(Args, Debug, Clone)]
pub(crate) struct ForgetChunk {
    #[command(flatten)]
    pub data: Data,
    /// The chunk's key in the store
    #[arg(value_name = "KEY")]
    pub key: String,
    /// Why, for who asks later
    #[arg(long, value_name = "WORDS", help_heading = OF_THIS_CALL)]
    pub why: String,
}

/// `highwater status`.
#[derive(Args, Debug, Clone)]
pub(crate) struct Status {
    #[command(flatten)]
    pub data: Data,
    /// One JSON object, as /api/v1/health answers
    #[arg(long, help_heading = OF_THIS_CALL)]
    pub json: bool,
    /// Again every second: a screen on a terminal, else a line each
    #[arg(long, help_heading = OF_THIS_CALL)]
    pub watch: bool,
}

/// `highwater index`.
#[derive(Subcommand, Debug, Clone)]
pub(crate) enum IndexCommand {
    /// Indexes what is new in a shared store, as a queue in SQS or listing tells it: for who has no Lambda
    Run(IndexRun),
    /// Empties a dead-letter queue: indexes what it announces, prints what stays and why. Answers 0 if nothing stays, else 1
    Redrive(IndexRedrive),
    /// Prints the chunks that can hold pings of a selection
    Query(IndexQuery),
}

/// `highwater index run`.
#[derive(Args, Debug, Clone)]
#[command(mut_args(|arg| help::only(arg, &help::FOR_INDEXERS)))]
pub(crate) struct IndexRun {
    #[command(flatten)]
    pub data: Data,
    /// Take notifications of new chunks from this queue in SQS; S3 must send them there, directly or by SNS or EventBridge
    #[arg(long, value_name = "URL", help_heading = NEW_CHUNKS)]
    pub queue: Option<QueueUrl>,
    /// The pause between two listings, each of the whole store. If absent 10s; beside a queue 1h, for what it never told of
    #[arg(long, value_name = "AGE", value_parser = some_time, help_heading = NEW_CHUNKS)]
    pub every: Option<Age>,
}

/// `highwater index redrive`.
#[derive(Args, Debug, Clone)]
#[command(mut_args(|arg| help::only(arg, &help::FOR_INDEXERS)))]
pub(crate) struct IndexRedrive {
    #[command(flatten)]
    pub data: Data,
    /// The dead-letter queue in SQS
    #[arg(long, value_name = "URL", help_heading = NEW_CHUNKS)]
    pub queue: QueueUrl,
}

/// `highwater index query`.
#[derive(Args, Debug, Clone)]
#[command(mut_args(|arg| help::only(arg, &help::FOR_INDEX_QUERIES)))]
pub(crate) struct IndexQuery {
    #[command(flatten)]
    pub data: Data,
    #[command(flatten)]
    pub dimensions: Dimensions,
    /// Chunks of errored pings instead
    #[arg(long, help_heading = OF_THIS_CALL)]
    pub errors: bool,
    /// A JSON object a line, or a table
    #[arg(long, value_enum, default_value = "ndjson", help_heading = OF_THIS_CALL)]
    pub format: QueryFormat,
    /// Print at most this many chunks
    #[arg(long, value_name = "N", default_value_t = u64::MAX, hide_default_value = true, help_heading = OF_THIS_CALL)]
    pub limit: u64,
    /// Print how the database finds the first page of them, as long as --limit says or ten thousand, and no chunks
    #[arg(long, help_heading = OF_THIS_CALL)]
    pub explain: bool,
}

/// How chunks are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum QueryFormat {
    /// For programs
    Ndjson,
    /// For a person
    Table,
}

/// `highwater chunk`.
#[derive(Subcommand, Debug, Clone)]
pub(crate) enum Chunk {
    /// Prints what a chunk says of itself
    Info(ChunkFile),
    /// Checks every byte of a chunk
    Verify(ChunkFile),
    /// Prints a chunk's pings as NDJSON
    Cat(ChunkFile),
}

/// One chunk on disk.
#[derive(Args, Debug, Clone)]
pub(crate) struct ChunkFile {
    /// The chunk
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `highwater mapping`.
#[derive(Subcommand, Debug, Clone)]
pub(crate) enum Mapping {
    /// Checks a declaration, runs its examples, and shows value by value what pings become and why the rest is left out.
    /// Answers 0 if all is well, else 1
    Check(MappingCheck),
}

/// `highwater mapping check`.
#[derive(Args, Debug, Clone)]
pub(crate) struct MappingCheck {
    /// The declaration
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Pings: a file of JSON is one ping, a line of an .ndjson file (or of one whose first line is JSON by itself) is one; - is the standard input
    #[arg(value_name = "PING")]
    pub pings: Vec<PathBuf>,
    /// The source of pings that state no URI, such as shop-web/visit; if absent, the one under which most of a ping counts
    #[arg(long, value_name = "SOURCE", help_heading = OF_THIS_CALL)]
    pub source: Option<String>,
}

/// `highwater product`.
#[derive(Subcommand, Debug, Clone)]
pub(crate) enum Product {
    /// Says in plain words what is kept of each source, how long, under which identity, and how to be erased
    Privacy(ProductPrivacy),
}

/// `highwater product privacy`.
#[derive(Args, Debug, Clone)]
pub(crate) struct ProductPrivacy {
    /// The declaration
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// A name or an address as it stands in a Host header, without what a browser puts around it.
fn host(text: &str) -> Result<String, String> {
    let address = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let is_address = address.unwrap_or(text).parse::<IpAddr>().is_ok();
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let is_name = text.strip_suffix('.').unwrap_or(text).split('.').all(is_word);
    if is_address || is_name {
        return Ok(text.to_owned());
    }
    Err("write a name or an address as a Host header has it, without scheme, port or *, such as telemetry.example or 10.0.0.7".to_owned())
}

/// Reads the address of a listener.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "write an IP address and a port, such as 127.0.0.1:8080, [::1]:8080, or 0.0.0.0:8080 for all of this machine".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowed_host_is_a_name_or_an_address_and_nothing_around_it() {
        for name in [
            "telemetry.example",
            "a_b-c.example.",
            "proxy",
            "10.0.0.7",
            "::1",
            "[2001:db8::1]",
        ] {
            assert_eq!(host(name).as_deref(), Ok(name));
        }
        for name in [
            "",
            "*",
            "*.example",
            "https://x.example",
            "y.example:80",
            "a b",
            ".",
            "a..b",
            "x/",
            "[x]",
        ] {
            let words = host(name).expect_err(name);
            assert!(words.contains("without scheme, port"), "{name}: {words}");
        }
    }
}
