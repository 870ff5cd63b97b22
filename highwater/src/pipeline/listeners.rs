//! The pipeline with its two listeners.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use aggregate_store::AggregateReads;
use aggregator::fold::FoldSettings;
use anyhow::Context;
use edge::Edge;
use edge::door::{DoorLimits, Origins, SubmissionHandler};
use index_schema::ProductCount;
use ping::Submission;
use query::{Api, Charted, PingsDoor, StatusReport};
use retention::Consent;
use service::clock::Clock;
use service::control::ControlListener;
use service::current::Current;
use service::dockerflow::METRICS;
use service::http::{ConnectionLimits, HostCheck, Hosts, Listener};
use service::lock::{DirectoryLock, LockError};
use service::shutdown::{Shutdown, Trigger};
use service::{task, telemetry};
use tokio::task::JoinHandle;

use super::control::Requests;
use super::core::Core;
use super::declared::Declared;
use super::defined::Defined;
use super::health;
use super::raw_pings::Finder;
use super::taking_up::{Answering, TakingUp};
use crate::cli::{EdgeListener, Names, RawPingsWhen, Serve};
use crate::declarations::Taken;
use crate::open_files;

/// Everything in one process.
pub(crate) struct Pipeline {
    core: Arc<Core>,
    edge_address: SocketAddr,
    api_address: SocketAddr,
    trigger: Trigger,
    taking_up: Arc<TakingUp>,
    listeners: Mutex<Vec<JoinHandle<()>>>,
}

impl Pipeline {
    /// Binds both addresses, takes the data directory, and starts.
    pub(crate) async fn start(serve: &Serve, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let (data, data_dir) = (&serve.data, &serve.data.data_dir);
        let taken = Taken::or_accepted(&data.fold, data_dir)?;
        check_edge(&serve.edge)?;
        let edge_listener = bind_edge(&serve.edge, data_dir, 2).await?;
        let api_listener = bind(
            "API",
            serve.api.answers.api_listen,
            open_files::within_limit("API", query::connection_limits(), 2)?,
            data_dir,
        )
        .await?;
        let (edge_address, api_address) = (edge_listener.local_addr()?, api_listener.local_addr()?);
        warn_of_open_api(api_address);
        let reconcile_every = Some(serve.api.reconcile_every.0);
        let core = Core::start(data, &taken, clock.clone(), reconcile_every).await?;
        let (trigger, shutdown) = Shutdown::new();
        let declarations = taken.declarations;
        let definitions = Arc::new(Current::new(Arc::new(declarations.definitions.clone())));
        let defined = Defined::by(definitions.clone());
        let declared = Declared::by(declarations.products.iter().map(|(declaration, _)| declaration));
        let watcher = core.watcher(data, defined.clone(), declared.clone()).await;
        let (watch, ending, end) = (watcher.clone(), shutdown.clone(), core.base.shutdown());
        core.base.watch("watcher", async move {
            watch.run(ending, end).await;
            Ok(())
        });
        let names = &serve.names;
        let door = door(core.edge(), &serve.edge, names, edge_address, shutdown.clone())?;
        let charted = Arc::new(Current::new(Arc::new(data.fold_settings(&declarations)?)));
        let api = Api::new(query::Parts {
            reads: core.reads.clone(),
            index: core.index.clone(),
            status: core.counters.clone(),
            watch: watcher.clone(),
            charted: charted_by(charted.clone()),
            pings: pings_door(&core, serve, api_address, charted.clone()),
            definitions: definitions.clone(),
            withheld: serve.api.answers.withheld_metrics.clone(),
            health: health::of_databases(&watcher, shutdown.clone()),
            clock: clock.clone(),
        });
        let api = HostCheck::new(api, Hosts::of(api_address, &names.allowed_host));
        let control = ControlListener::bind(core.base.directory.root())
            .context("cannot listen on the control socket")?;
        let mut listeners = vec![
            task::spawn("edge listener", edge_listener.serve(door, shutdown.clone())),
            task::spawn("API listener", api_listener.serve(api, shutdown.clone())),
            task::spawn(
                "control listener",
                control.serve(Requests::new(core.clone(), watcher), shutdown.clone()),
            ),
            task::spawn("metrics upkeep", telemetry::upkeep(shutdown.clone())),
        ];
        let answering = Answering {
            core: core.clone(),
            definitions,
            charted,
            declared: declared.clone(),
        };
        let taking_up = TakingUp::new(
            (data, data.fold.clone()),
            core.base.clone(),
            declarations,
            Some(answering),
        );
        let taking_up = Arc::new(taking_up);
        let (files, ending) = (taking_up.clone(), shutdown.clone());
        listeners.push(task::spawn(
            "declarations",
            async move { files.run(ending).await },
        ));
        let (reads, ending) = (core.reads.clone(), shutdown.clone());
        let looking = async move { defined.run(reads, clock, ending).await };
        listeners.push(task::spawn("definitions", looking));
        let reads = core.reads.clone();
        let looking = async move { declared.run(reads, shutdown).await };
        listeners.push(task::spawn("declared products", looking));
        tracing::info!(%edge_address, %api_address, data_dir = %serve.data.data_dir.display(), "highwater is up: it takes pings and answers questions");
        Ok(Self {
            core,
            edge_address,
            api_address,
            trigger,
            taking_up,
            listeners: Mutex::new(listeners),
        })
    }

    /// Where pings are posted.
    pub(crate) const fn edge_address(&self) -> SocketAddr {
        self.edge_address
    }

    /// Where questions are asked.
    pub(crate) const fn api_address(&self) -> SocketAddr {
        self.api_address
    }

    /// The counters of all stations.
    pub(crate) async fn status(&self) -> anyhow::Result<StatusReport> {
        self.core.status().await
    }

    /// The aggregates as they are now.
    pub(crate) fn aggregates(&self) -> Arc<dyn AggregateReads> {
        self.core.reads.get()
    }

    /// Deletes what is not to be kept, however much it is.
    pub(crate) async fn retain(&self) -> anyhow::Result<()> {
        self.core.retain(Consent::Given).await.map(drop)
    }

    /// Has the files that declare something read again.
    pub(crate) fn read_again(&self) {
        self.taking_up.read_again();
    }

    /// Returns when a part failed for good.
    pub(crate) async fn failed(&self) -> anyhow::Error {
        self.core.failed().await
    }

    /// Stops accepting, answers what is in flight, then ends the rest.
    pub(crate) async fn stop(&self) -> anyhow::Result<()> {
        self.trigger.pull();
        let listeners = std::mem::take(&mut *self.listeners.lock().unwrap_or_else(PoisonError::into_inner));
        for listener in listeners {
            listener.await?;
        }
        self.core.stop().await
    }
}

/// Whether raw pings are answered at this address, and by whom.
fn pings_door(
    core: &Core,
    serve: &Serve,
    address: SocketAddr,
    fold: Arc<Current<FoldSettings>>,
) -> PingsDoor {
    let when = serve.api.raw_pings;
    // Who is let in by another name comes through a proxy; and what is never shown stands in pings, too.
    let is_plain = serve.names.allowed_host.is_empty() && serve.api.answers.withheld_metrics.is_empty();
    let is_open = match when {
        RawPingsWhen::Loopback => address.ip().is_loopback() && is_plain,
        RawPingsWhen::On => true,
        RawPingsWhen::Off => false,
    };
    if !is_open {
        return PingsDoor::Closed(
            "Raw pings bear their ids, and are answered where the API listens on loopback without --allowed-host and --withheld-metrics, or with \
             --raw-pings on. `highwater pings` prints them where the data are.",
        );
    }
    let finder = Finder::of(core.base.store.clone(), core.index.clone(), fold);
    PingsDoor::Open {
        finder: Arc::new(finder),
        forwarded: when == RawPingsWhen::On,
    }
}

/// Binds the listener for pings, one of so many in this process.
pub(crate) async fn bind_edge(
    edge: &EdgeListener,
    data_dir: &Path,
    listeners: u64,
) -> anyhow::Result<Listener> {
    let limits = ConnectionLimits {
        connections: edge.edge_connections,
        header_timeout: edge.header_timeout.0,
        idle_timeout: edge.idle_timeout.0,
        write_timeout: edge.write_timeout.0,
        ..ConnectionLimits::default()
    };
    let limits = open_files::within_limit("edge", limits, listeners)?;
    bind("edge", edge.edge_listen, limits, data_dir).await
}

/// Binds an address. When it is busy because a process runs on the data directory already, that is what is said.
async fn bind(
    name: &'static str,
    address: SocketAddr,
    limits: ConnectionLimits,
    data_dir: &Path,
) -> anyhow::Result<Listener> {
    let busy = match Listener::bind(name, address, limits).await {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    match DirectoryLock::take(data_dir) {
        Err(held @ LockError::Held { .. }) => Err(held.into()),
        _ => Err(busy.into()),
    }
}

/// The door for pings, as the listener's settings have it. Pings and heartbeats are taken under any name: refusing them
/// under a proxy's would lose them, and scripts of every origin may read what these say.
pub(crate) fn door(
    edge: &Arc<Edge>,
    settings: &EdgeListener,
    names: &Names,
    address: SocketAddr,
    ending: Shutdown,
) -> anyhow::Result<HostCheck<SubmissionHandler<Edge>>> {
    let (limits, origins) = check_edge(settings)?;
    let health = health::of_edge(edge, ending).show_metrics(settings.edge_metrics);
    let door = SubmissionHandler::new(edge.clone(), health, limits).open_to(origins);
    Ok(HostCheck::new(door, Hosts::of(address, &names.allowed_host)).only_for(&[METRICS]))
}

/// What the door admits, and from whose scripts.
pub(crate) fn check_edge(edge: &EdgeListener) -> anyhow::Result<(DoorLimits, Origins)> {
    let origins =
        Origins::parse(edge.submit_origins.iter().map(String::as_str)).context("--submit-origins")?;
    let limits = door_limits(edge);
    anyhow::ensure!(
        limits.bodies_bytes_max as u64 >= limits.body.bytes_max,
        "--bodies-memory, {} bytes, is less than --body-limit, {} bytes: a body of that length could never be read; raise \
         the one or lower the other",
        limits.bodies_bytes_max,
        limits.body.bytes_max
    );
    Ok((limits, origins))
}

fn door_limits(edge: &EdgeListener) -> DoorLimits {
    let mut limits = DoorLimits {
        bodies_bytes_max: usize::try_from(edge.bodies_memory.0).unwrap_or(usize::MAX),
        ..DoorLimits::default()
    };
    limits.body.bytes_max = edge.body_limit.0;
    limits.body.timeout = edge.body_timeout.0;
    limits.body.grace = limits.body.grace.min(edge.body_timeout.0);
    limits
}

/// Which products are folded by these settings, which may be exchanged.
pub(crate) fn charted_by(fold: Arc<Current<FoldSettings>>) -> Box<Charted> {
    Box::new(move |product| fold.get().surely_folds(&submission_of(product)))
}

/// A submission of this product, as far as it decides whether it is folded.
fn submission_of(product: &ProductCount) -> Submission {
    Submission {
        namespace: product.namespace.clone(),
        document_type: Some(product.doc_type.clone()),
        app_name: Some(product.app_name.clone()),
        ..Submission::default()
    }
}

/// Says that whoever reaches this address may ask.
pub(crate) fn warn_of_open_api(address: SocketAddr) {
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "the API asks for no password and is not on loopback: put a proxy before it that does");
    }
}
