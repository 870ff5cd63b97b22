//! `highwater serve` and `highwater edge`: run until told to end.

use std::sync::Arc;

use service::clock::SystemClock;
use service::shutdown::{Hangups, Shutdown, Signals};
use service::{task, telemetry};

use crate::cli::{Edge, Serve};
use crate::declarations::Taken;
use crate::ending;
use crate::pipeline::{Base, Pipeline, TakingUp, bind_edge, check_edge, door};
use crate::retention;

/// Runs `serve`.
pub(crate) async fn run(serve: &Serve) -> anyhow::Result<()> {
    serve.compare()?;
    if serve.check {
        serve.data.check()?;
        check_edge(&serve.edge)?;
        for line in retention::foretold(&serve.data).await? {
            eprintln!("{line}");
        }
        eprintln!("settings and definition files are understood");
        return Ok(());
    }
    let (mut signals, mut hangups) = (Signals::catch()?, Hangups::catch()?);
    let pipeline = ending::unless_told(&mut signals, Pipeline::start(serve, SystemClock::shared())).await?;
    let ended = tokio::select! {
        signal = signals.next() => { told_to_end(signal); Ok(()) }
        failure = pipeline.failed() => Err(failure),
        () = hangups.each(|| pipeline.read_again()) => Ok(()),
    };
    ending::unless_told_again(&mut signals, pipeline.stop()).await?;
    ended
}

/// Runs `edge`.
pub(crate) async fn run_edge(edge: &Edge) -> anyhow::Result<()> {
    edge.edge.compare(&edge.data.intake)?;
    let (mut signals, mut hangups) = (Signals::catch()?, Hangups::catch()?);
    let given = edge.data.fold.without_definitions();
    let taken = Taken::or_accepted(&given, &edge.data.data_dir)?;
    check_edge(&edge.edge)?;
    let listener = bind_edge(&edge.edge, &edge.data.data_dir, 1).await?;
    let address = listener.local_addr()?;
    let start = Base::start(&edge.data, &taken, SystemClock::shared());
    let (base, mut announced) = ending::unless_told(&mut signals, start).await?;
    // Whoever indexes finds the chunks by listing the store.
    let drained = task::spawn(
        "announced",
        async move { while announced.recv().await.is_some() {} },
    );
    let watcher = base.watcher(&edge.data, SystemClock::shared(), None).await;
    let (trigger, wish) = Shutdown::new();
    let door = door(base.edge(), &edge.edge, &edge.names, address, wish.clone())?;
    let serving = task::spawn("edge listener", listener.serve(door, wish.clone()));
    task::spawn("metrics upkeep", telemetry::upkeep(wish.clone()));
    let taking_up = TakingUp::of_edge(&edge.data, given, base.clone(), taken.declarations);
    let taking_up = Arc::new(taking_up);
    let (files, ending) = (taking_up.clone(), wish.clone());
    let reading = task::spawn("declarations", async move { files.run(ending).await });
    let end = base.shutdown();
    let watching = task::spawn("watcher", async move { watcher.run(wish, end).await });
    tracing::info!(
        %address,
        data_dir = %edge.data.data_dir.display(),
        store = edge.data.places.store_text(),
        "the edge is up: it takes pings"
    );
    let ended = tokio::select! {
        signal = signals.next() => { told_to_end(signal); Ok(()) }
        failure = base.failed() => Err(failure),
        () = hangups.each(|| taking_up.read_again()) => Ok(()),
    };
    trigger.pull();
    let stop = async {
        serving.await?;
        reading.await?;
        base.stop().await?;
        watching.await?;
        drop(drained);
        Ok(())
    };
    ending::unless_told_again(&mut signals, stop).await?;
    ended
}

fn told_to_end(signal: &'static str) {
    tracing::info!(
        signal,
        "ending: what is in flight is answered, what waits stays in the log"
    );
}
