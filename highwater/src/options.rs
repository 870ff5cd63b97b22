//! Settings as the parts take them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use aggregator::AggregatorSettings;
use aggregator::fold::{Caps, FoldSettings};
use anyhow::Context;
use edge::{Claims, EdgeLimits, EdgeOptions};
use ping::DimensionSchema;
use retention::{RetentionRule, Rules};
use service::directory::DataDirectory;
use service::http::{BodyLimits, ConnectionLimits};
use service::lock::DirectoryLock;
use service::quantity::Age;
use service::telemetry::LogFormat;
use std::time::Duration;

use crate::cli::{self, Answers, ApiListener, Command, Demo, EdgeListener, IndexCommand, Serve};
use crate::data::{self, Data, Fold, Intake, Kept};
use crate::declarations::{Declarations, Taken};
use crate::privacy;

/// How long a generated ping waits until its chunk is sealed.
const DEMO_SEAL_AGE: Duration = Duration::from_secs(1);

/// What the libraries of databases and AWS warn of, the errors that follow from it say with what to do.
const SAID_BY_US: &str = ",deadpool.postgres=error,aws_config::imds=error";

impl Data {
    /// What the edge is told, which works under this lock.
    pub(crate) fn edge_options(&self, directory: &DataDirectory, lock: &DirectoryLock) -> EdgeOptions {
        EdgeOptions {
            log_dir: directory.log(),
            staging_dir: directory.staging(),
            damaged_dir: directory.damaged(),
            prefix: self.chunk_prefix.clone(),
            claims: self.places.store.as_ref().map(|_| Claims {
                lock: named_under_this_kernel(lock),
            }),
            limits: EdgeLimits {
                seal_age: self.intake.seal_age.0,
                log_bytes: self.intake.log_budget.0,
                open_partitions: self.intake.open_partitions,
                new_partitions: self.intake.new_partitions,
                inflated_bytes: usize::try_from(self.intake.inflated_limit.0).unwrap_or(usize::MAX),
                ..EdgeLimits::default()
            },
        }
    }

    /// What the fold is told, by what is declared.
    pub(crate) fn fold_settings(&self, declared: &Declarations) -> anyhow::Result<FoldSettings> {
        let folded = self
            .fold
            .fold_types
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_, _>>();
        Ok(FoldSettings {
            folded: folded.context("--fold-types")?,
            repeat_window: self.repeat_window(),
            caps: Caps {
                parts_per_ping: self.fold.parts_per_ping,
                labels_per_metric: self.fold.labels_per_metric,
                processes_per_ping: self.fold.processes_per_ping,
                bins_per_ping: self.fold.bins_per_ping,
                inflated_bytes: self.intake.inflated_limit.0,
            },
            products: declared.folded(),
            bare_pings: declared.bare_pings.clone(),
            strings: Arc::clone(&declared.strings),
        })
    }

    fn repeat_window(&self) -> Duration {
        Duration::from_secs(86_400) * self.fold.repeat_window_days
    }

    /// What the aggregator is told.
    pub(crate) fn aggregator_settings(&self, declared: &Declarations) -> anyhow::Result<AggregatorSettings> {
        Ok(AggregatorSettings {
            fold: self.fold_settings(declared)?,
            layer_memory_bytes: usize::try_from(self.layer.aggregates_memory.0).unwrap_or(usize::MAX),
            persist_age: self.layer.persist_age.0,
            ..AggregatorSettings::default()
        })
    }

    /// What is kept.
    pub(crate) fn retention_rules(&self) -> anyhow::Result<Rules> {
        let window = self.repeat_window();
        anyhow::ensure!(
            self.kept.keep_copies.age.is_none_or(|age| age > window),
            "--keep-copies {}: a repeat is known by its copies for --repeat-window-days {}, so keep them for longer",
            self.kept.keep_copies,
            self.fold.repeat_window_days
        );
        Ok(Rules {
            pings: self.kept.keep_pings,
            errors: self.kept.keep_errors.unwrap_or(self.kept.keep_pings),
            aggregates: self.kept.keep_aggregates,
            copies: self.kept.keep_copies,
            repeat_window: window,
        })
    }

    /// Which values of dimensions partition chunks, whatever is declared.
    pub(crate) fn dimension_schema(&self) -> anyhow::Result<DimensionSchema> {
        let schema = match &self.intake.dimension_schema {
            None => DimensionSchema::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                DimensionSchema::parse(&text).with_context(|| path.display().to_string())?
            }
        };
        Ok(match self.intake.namespaces.as_slice() {
            [] => schema,
            known => schema.with_namespaces(known),
        })
    }

    /// Whether everything that is parsed late is understood.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.intake.compare()?;
        self.fold_settings(&Taken::by_files(&self.fold)?.declarations)?;
        self.dimension_schema()?;
        self.retention_rules()?;
        privacy::check(self)
    }

    fn for_demo(demo: &Demo) -> Self {
        Self {
            data_dir: demo.data_dir.clone(),
            log_format: data::LogFormat::Human,
            log_filter: "warn".to_owned(),
            chunk_prefix: "pings".to_owned(),
            places: data::Places::default(),
            fold: Fold::for_demo(),
            layer: data::Layer {
                aggregates_memory: service::quantity::ByteSize(256 << 20),
                persist_age: Age(Duration::from_secs(10)),
            },
            intake: Intake::for_demo(),
            kept: Kept::within(demo.data_limit.0),
            given: BTreeSet::new(),
        }
    }

    /// The settings that a command may have and a running process has, as texts by their keys.
    pub(crate) fn texts(&self) -> BTreeMap<String, String> {
        let (fold, intake) = (&self.fold, &self.intake);
        let schema = intake.dimension_schema.as_deref().map(Path::display);
        let texts = [
            ("chunk_prefix", self.chunk_prefix.clone()),
            ("store", self.places.store_text()),
            ("index", self.places.index_text()),
            ("fold_types", fold.fold_types.join(",")),
            ("products", paths(&fold.products)),
            ("definitions", paths(&fold.definitions)),
            ("repeat_window_days", fold.repeat_window_days.to_string()),
            ("parts_per_ping", fold.parts_per_ping.to_string()),
            ("labels_per_metric", fold.labels_per_metric.to_string()),
            ("processes_per_ping", fold.processes_per_ping.to_string()),
            ("bins_per_ping", fold.bins_per_ping.to_string()),
            ("seal_age", format!("{:?}", intake.seal_age.0)),
            ("log_budget", format!("{} bytes", intake.log_budget.0)),
            ("open_partitions", intake.open_partitions.to_string()),
            ("new_partitions", intake.new_partitions.to_string()),
            ("namespaces", intake.namespaces.join(",")),
            ("seal_at_shutdown", intake.seal_at_shutdown.to_string()),
            ("inflated_limit", format!("{} bytes", intake.inflated_limit.0)),
            ("keep_pings", self.kept.keep_pings.to_string()),
            (
                "keep_errors",
                self.kept.keep_errors.unwrap_or(self.kept.keep_pings).to_string(),
            ),
            ("keep_aggregates", self.kept.keep_aggregates.to_string()),
            ("keep_copies", self.kept.keep_copies.to_string()),
            (
                "dimension_schema",
                schema.map_or_else(|| "built in".to_owned(), |path| path.to_string()),
            ),
        ];
        texts.map(|(key, text)| (key.to_owned(), text)).into()
    }

    /// Those of [`Self::texts`] that were given.
    pub(crate) fn given_texts(&self) -> BTreeMap<String, String> {
        let mut texts = self.texts();
        texts.retain(|key, _| self.given.contains(key));
        texts
    }
}

impl Kept {
    /// What fits a directory of so many bytes: a quarter for chunks, one for aggregates, and an eighth for copies, so that
    /// yesterday's give way before today's have no room. The rest is for the log, and for what a database keeps free.
    fn within(bytes: u64) -> Self {
        let part = |of: u64| RetentionRule {
            age: None,
            bytes: Some((bytes / of).max(1)),
        };
        Self {
            keep_pings: part(4),
            keep_errors: None,
            keep_aggregates: part(4),
            keep_copies: part(8),
        }
    }
}

impl Intake {
    fn for_demo() -> Self {
        Self {
            seal_age: Age(DEMO_SEAL_AGE),
            log_budget: service::quantity::ByteSize(1 << 30),
            open_partitions: 100_000,
            new_partitions: 200,
            namespaces: Vec::new(),
            dimension_schema: None,
            seal_at_shutdown: false,
            inflated_limit: service::quantity::ByteSize(32 << 20),
            client_secret_file: None,
            client_secret_replaces: None,
        }
    }
}

impl Serve {
    /// What `demo` serves with.
    pub(crate) fn for_demo(demo: &Demo) -> Self {
        let connections = ConnectionLimits::default();
        Self {
            data: Data::for_demo(demo),
            edge: EdgeListener {
                edge_listen: demo.edge_listen,
                body_limit: service::quantity::ByteSize(8 << 20),
                bodies_memory: service::quantity::ByteSize(256 << 20),
                edge_connections: 1_024,
                submit_origins: vec!["any".to_owned()],
                edge_metrics: false,
                header_timeout: Age(connections.header_timeout),
                body_timeout: Age(BodyLimits::default().timeout),
                idle_timeout: Age(connections.idle_timeout),
                write_timeout: Age(connections.write_timeout),
            },
            api: ApiListener {
                answers: Answers {
                    api_listen: demo.api_listen,
                    withheld_metrics: Vec::new(),
                },
                reconcile_every: Age(Duration::from_secs(3_600)),
                raw_pings: cli::RawPingsWhen::Loopback,
            },
            names: cli::Names::default(),
            check: false,
        }
    }
}

impl Command {
    /// Notes which settings were given.
    pub(crate) fn note_given(&mut self, given: BTreeSet<String>) {
        match self {
            Self::Import(import) => import.data.given = given,
            Self::Aggregate(aggregate) => aggregate.data.given = given,
            Self::Rebuild(rebuild) => rebuild.data.given = given,
            Self::Retain(retain) => retain.data.given = given,
            Self::ForgetChunk(forget) => forget.data.given = given,
            Self::ReplayErrors(data) | Self::Reconcile(data) => data.given = given,
            _ => {}
        }
    }

    /// How the command logs: commands for a person only say what is wrong.
    pub(crate) fn logging(&self) -> (LogFormat, String) {
        let of = |data: &Data, filter: &str| {
            let format = match data.log_format {
                data::LogFormat::Human => LogFormat::Human,
                data::LogFormat::Json => LogFormat::Json,
            };
            (
                format,
                if data.log_filter == "info" {
                    format!("{filter}{SAID_BY_US}")
                } else {
                    data.log_filter.clone()
                },
            )
        };
        match self {
            Self::Serve(serve) => of(&serve.data, "info"),
            Self::Edge(edge) => of(&edge.data, "info"),
            Self::Aggregate(aggregate) => of(&aggregate.data, "info"),
            Self::Query(query) => of(&query.data, "info"),
            Self::Import(import) => of(&import.data, "warn"),
            Self::Pings(pings) => of(&pings.data, "warn"),
            Self::Status(status) => of(&status.data, "warn"),
            Self::Rebuild(rebuild) => of(&rebuild.data, "warn"),
            Self::Retain(retain) => of(&retain.data, "warn"),
            Self::ForgetChunk(forget) => of(&forget.data, "warn"),
            Self::ReplayErrors(data) | Self::Reconcile(data) => of(data, "warn"),
            Self::Dump(dump) => of(&dump.data, "warn"),
            Self::Index(IndexCommand::Run(run)) => of(&run.data, "info"),
            Self::Index(IndexCommand::Redrive(redrive)) => of(&redrive.data, "warn"),
            Self::Index(IndexCommand::Query(query)) => of(&query.data, "warn"),
            Self::Demo(_) | Self::Chunk(_) | Self::Mapping(_) | Self::Product(_) => {
                (LogFormat::Human, "warn".to_owned())
            }
        }
    }
}

/// A name that no other lock has, on this machine since its kernel started or on any other one; none where that cannot be
/// told.
fn named_under_this_kernel(lock: &DirectoryLock) -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    match (kernel, lock.identity()) {
        (Ok(kernel), Ok((device, inode))) => format!("{}.{device:x}.{inode:x}", kernel.trim()),
        _ => String::new(),
    }
}
/// Paths as one text.
fn paths(paths: &[std::path::PathBuf]) -> String {
    let texts = paths.iter().map(|path| path.display().to_string());
    texts.collect::<Vec<_>>().join(",")
}
