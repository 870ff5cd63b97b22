//! `highwater aggregate`: folds its share of what is indexed.

use std::sync::Arc;

use aggregate_store::AggregateStore;
use aggregator::{Aggregator, AggregatorError, Share};
use index_schema::{Index, RetainIndex};
use lambda_indexer::Indexer;
use service::clock::{Clock, SystemClock};
use service::current::Current;
use service::dockerflow::HealthOnly;
use service::http::{ConnectionLimits, HostCheck, Hosts, Listener};
use service::random::{Random, SystemRandom};
use service::shutdown::{Shutdown, Signals};
use service::{task, telemetry};
use store::{ObservedStore, Store};
use tokio::sync::oneshot;

use super::anew::Anew;
use super::client_secret::BothNotes;
use super::same_settings::command as with_same_settings;
use crate::cli::Aggregate;
use crate::data::Data;
use crate::declarations::Taken;
use crate::ending;
use crate::open_files;
use crate::pipeline::{Stations, WatchedParts, WatchedStore, Watcher, health_of_databases};
use crate::places::{self, SharedAggregates, SharedIndex};

/// Runs the command until it is told to end.
pub(crate) async fn run(command: &Aggregate) -> anyhow::Result<()> {
    let mut signals = Signals::catch()?;
    let limits = open_files::within_limit("aggregate", ConnectionLimits::default(), 1)?;
    let listener = Listener::bind("aggregate", command.listen, limits).await?;
    let address = listener.local_addr()?;
    let folding = ending::unless_told(&mut signals, Folding::start(command, SystemClock::shared())).await?;
    let (trigger, shutdown) = Shutdown::new();
    let (ending_trigger, ending) = Shutdown::new();
    let health = HealthOnly::new(health_of_databases(&folding.watcher, ending.clone()));
    let health = HostCheck::new(health, Hosts::of(address, &command.names.allowed_host));
    let serving = task::spawn("listener", listener.serve(health, shutdown.clone()));
    task::spawn("metrics upkeep", telemetry::upkeep(shutdown.clone()));
    let (watcher, end) = (folding.watcher.clone(), shutdown.clone());
    let watching = task::spawn("watcher", async move { watcher.run(ending, end).await });
    let (aggregator, end) = (folding.aggregator.clone(), shutdown.clone());
    let (say_looked, looked) = oneshot::channel();
    let mut folds = task::spawn("aggregator", async move {
        // Nothing is folded before it was looked whether users are counted by the hashes that edges make.
        tokio::select! {
            biased;
            () = end.wished() => {}
            Ok(()) = looked => aggregator.run(end.clone()).await,
            else => {}
        }
    });
    let notes = folding.notes;
    let mut comparing = task::spawn("client secret", async move {
        let say = || {
            // Who folds may have ended.
            let _ = say_looked.send(());
        };
        notes.follow(say).await
    });
    let waker = folding.aggregator.waker();
    let (anew, servers) = (folding.anew, folding.servers);
    let following = task::spawn("servers", async move {
        anew.follow(servers, || waker.notify_one()).await;
    });
    tracing::info!(%address, "the aggregator is up: it folds its share of what is indexed");
    let ended = tokio::select! {
        signal = signals.next() => {
            tracing::info!(signal, "ending: a batch under way is dropped, and the share is given back");
            Ok(())
        }
        ended = &mut folds => Err(match ended {
            Ok(()) => anyhow::anyhow!("the aggregator ended by itself: see the log line before this one"),
            Err(error) => anyhow::anyhow!("the aggregator failed: {error}"),
        }),
        other = &mut comparing => Err(match other {
            Ok(other) => other,
            Err(error) => anyhow::anyhow!("who compares client secrets failed: {error}"),
        }),
    };
    ending_trigger.pull();
    trigger.pull();
    following.abort();
    comparing.abort();
    let stop = async {
        if ended.is_ok() {
            folds.await?;
        }
        serving.await?;
        watching.await?;
        Ok(())
    };
    ending::unless_told_again(&mut signals, stop).await?;
    ended
}

/// The parts.
struct Folding {
    aggregator: Arc<Aggregator>,
    watcher: Arc<Watcher>,
    anew: Anew,
    notes: BothNotes,
    servers: [Arc<dyn places::Servers>; 2],
}

impl Folding {
    /// Opens everything, and makes sure that what is indexed is folded into these aggregates and no others.
    async fn start(command: &Aggregate, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let data = &command.data;
        let settings = data.aggregator_settings(&Taken::by_files(&data.fold)?.declarations)?;
        let (kept, shared_index, aggregates) = places::open_all_shared(data).await?;
        let SharedIndex { index, servers } = shared_index;
        begin(index.as_ref(), &aggregates).await?;
        let watched = WatchedStore::new(Arc::new(ObservedStore::new(kept)), clock.clone());
        let store: Arc<dyn Store> = watched.clone();
        let current: Arc<Current<dyn AggregateStore>> = Arc::new(Current::new(aggregates.store));
        let notes = BothNotes::new(data, store.clone(), aggregates.secrets)?;
        let share = Share::new(
            aggregates.leases,
            SystemRandom.bits(),
            command.lease_time.0,
            clock.clone(),
        );
        let follows: Arc<dyn Index> = index.clone();
        let aggregator = Aggregator::sharing(follows, store.clone(), current, clock.clone(), settings, share);
        say_what_to_run(&aggregator, data).await?;
        let reads = Arc::new(Current::new(aggregates.reads));
        let stations = Stations::shared(index.clone(), reads, Some(aggregator.clone()));
        let watcher = Watcher::begin(WatchedParts {
            edge: None,
            store: Some(watched),
            clock,
            stations: Some(stations),
            refused: None,
        })
        .await;
        Ok(Self {
            aggregator,
            watcher,
            notes,
            anew: Anew {
                indexer: Indexer::new(store, index.clone()),
                index,
                prefix: data.chunk_prefix.clone(),
            },
            servers: [servers, aggregates.servers],
        })
    }
}

/// Claims the index for these aggregates. When nothing was ever folded into them, all chunks are to be.
async fn begin(index: &dyn RetainIndex, aggregates: &SharedAggregates) -> anyhow::Result<()> {
    index.claim_folding(aggregates.incarnation).await?;
    if aggregates.store.fold_version().await?.is_none() {
        // Several may do it at once: what the first of them folds meanwhile is settled again.
        index.make_pending(None).await?;
    }
    Ok(())
}

/// Says which command has this process fold, where its rules are not those of the aggregates.
async fn say_what_to_run(aggregator: &Aggregator, data: &Data) -> anyhow::Result<()> {
    let name = match aggregator.check_rules().await {
        Err(AggregatorError::OtherFoldVersion { .. }) => "rebuild",
        Err(AggregatorError::AcceptsMore { .. }) => "replay-errors",
        other => return Ok(other?),
    };
    let changes = aggregator.changed_rules().await;
    let command = with_same_settings(name, data);
    tracing::error!(
        ?changes,
        "the aggregates were folded by other rules: nothing is folded here, and answers stay as they are, until somebody runs: {command}"
    );
    Ok(())
}
