//! `highwater query`: answers questions about shared aggregates.

use std::sync::Arc;

use index_schema::Index;
use ping::Incarnation;
use query::{Api, Parts, PingsDoor};
use service::clock::SystemClock;
use service::current::Current;
use service::http::{HostCheck, Hosts, Listener};
use service::shutdown::{Shutdown, Signals};
use service::{task, telemetry};

use crate::cli::Query;
use crate::declarations::Taken;
use crate::ending;
use crate::open_files;
use crate::pipeline::{
    Declared, Defined, Stations, WatchedParts, Watcher, charted_by, health_of_databases, warn_of_open_api,
};
use crate::places;

/// Runs the command until it is told to end.
pub(crate) async fn run(command: &Query) -> anyhow::Result<()> {
    let mut signals = Signals::catch()?;
    let (data, answers) = (&command.data, &command.answers);
    let declarations = Taken::by_files(&data.fold)?.declarations;
    let definitions = Arc::new(Current::new(Arc::new(declarations.definitions.clone())));
    let fold = Arc::new(Current::new(Arc::new(data.fold_settings(&declarations)?)));
    let clock = SystemClock::shared();
    let limits = open_files::within_limit("API", query::connection_limits(), 1)?;
    let listener = Listener::bind("API", answers.api_listen, limits).await?;
    let address = listener.local_addr()?;
    warn_of_open_api(address);
    let opening = async {
        let (index, aggregates) = places::open_shared_databases(data).await?;
        belong_together(index.index.as_ref(), aggregates.incarnation).await?;
        Ok((index, aggregates))
    };
    let (index, aggregates) = ending::unless_told(&mut signals, opening).await?;
    let reads = Arc::new(Current::new(aggregates.reads));
    let defined = Defined::by(definitions.clone());
    let declared = Declared::by(declarations.products.iter().map(|(declaration, _)| declaration));
    let stations = Stations::shared(index.index.clone(), reads.clone(), None)
        .held_against(defined.clone(), declared.clone());
    let counters = stations.counters();
    let parts = WatchedParts {
        edge: None,
        store: None,
        clock: clock.clone(),
        stations: Some(stations),
        refused: None,
    };
    let looking = async { Ok(Watcher::begin(parts).await) };
    let watcher = ending::unless_told(&mut signals, looking).await?;
    let (trigger, shutdown) = Shutdown::new();
    let api = Api::new(Parts {
        reads: reads.clone(),
        index: index.index,
        status: counters,
        watch: watcher.clone(),
        charted: charted_by(fold),
        pings: PingsDoor::Closed(
            "This process reads databases and no store: `highwater pings` prints raw pings, and `highwater serve` answers with them.",
        ),
        definitions,
        withheld: answers.withheld_metrics.clone(),
        health: health_of_databases(&watcher, shutdown.clone()),
        clock: clock.clone(),
    });
    let api = HostCheck::new(api, Hosts::of(address, &command.names.allowed_host));
    let serving = task::spawn("API listener", listener.serve(api, shutdown.clone()));
    task::spawn("metrics upkeep", telemetry::upkeep(shutdown.clone()));
    let (of_definitions, ending) = (reads.clone(), shutdown.clone());
    let looking = async move { defined.run(of_definitions, clock, ending).await };
    task::spawn("definitions", looking);
    let ending = shutdown.clone();
    task::spawn(
        "declared products",
        async move { declared.run(reads, ending).await },
    );
    let watching = task::spawn("watcher", async move {
        watcher.run(shutdown.clone(), shutdown).await;
    });
    tracing::info!(%address, "the API is up: it answers questions");
    let signal = signals.next().await;
    tracing::info!(signal, "ending: what is in flight is answered");
    trigger.pull();
    let stop = async {
        serving.await?;
        watching.await?;
        Ok(())
    };
    ending::unless_told_again(&mut signals, stop).await
}

/// Answers come from these aggregates, and how complete they are from this index: so it must be folded into them.
pub(super) async fn belong_together(index: &dyn Index, aggregates: Incarnation) -> anyhow::Result<()> {
    match index.folded_by().await? {
        Some(by) => anyhow::ensure!(
            by == aggregates,
            "the chunks of --index are folded into other aggregates, {by}, than those of --aggregates, {aggregates}: name the \
             two that `highwater aggregate` was given"
        ),
        None => tracing::warn!(
            "nothing of --index was ever folded: answers are empty until `highwater aggregate` runs; if it does, it was given \
             another index"
        ),
    }
    Ok(())
}
