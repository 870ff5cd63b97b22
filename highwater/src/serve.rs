//! `highwater serve` and `highwater edge`: run until told to end.

use std::net::{IpAddr, SocketAddr};

use service::clock::SystemClock;
use service::shutdown::{Shutdown, Signals};
use service::{task, telemetry};

use crate::cli::{Edge, Serve};
use crate::ending;
use crate::pipeline::{Base, Pipeline, bind_edge, check_edge, door, read_definitions};
use crate::retention;

/// Runs `serve`.
pub(crate) async fn run(serve: &Serve) -> anyhow::Result<()> {
    let (edge, api) = (serve.edge.edge_listen, serve.api.answers.api_listen);
    if share_an_address(edge, api) {
        anyhow::bail!(
            "--edge-listen {edge} and --api-listen {api} are one address: choose another port for one of them"
        );
    }
    serve.edge.compare(&serve.data.intake)?;
    if serve.check {
        read_definitions(&serve.api.answers.definitions)?;
        serve.data.check()?;
        check_edge(&serve.edge)?;
        for line in retention::foretold(&serve.data).await? {
            eprintln!("{line}");
        }
        eprintln!("settings and definition files are understood");
        return Ok(());
    }
    let mut signals = Signals::catch()?;
    let pipeline = ending::unless_told(&mut signals, Pipeline::start(serve, SystemClock::shared())).await?;
    let ended = tokio::select! {
        signal = signals.next() => { told_to_end(signal); Ok(()) }
        failure = pipeline.failed() => Err(failure),
    };
    ending::unless_told_again(&mut signals, pipeline.stop()).await?;
    ended
}

/// Runs `edge`.
pub(crate) async fn run_edge(edge: &Edge) -> anyhow::Result<()> {
    edge.edge.compare(&edge.data.intake)?;
    let mut signals = Signals::catch()?;
    check_edge(&edge.edge)?;
    let listener = bind_edge(&edge.edge, &edge.data.data_dir, 1).await?;
    let address = listener.local_addr()?;
    let start = Base::start(&edge.data, SystemClock::shared());
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
    };
    trigger.pull();
    let stop = async {
        serving.await?;
        base.stop().await?;
        watching.await?;
        drop(drained);
        Ok(())
    };
    ending::unless_told_again(&mut signals, stop).await?;
    ended
}

/// Whether two listeners cannot both be had: one port of one address, or of all addresses. Port 0 is another one each time.
fn share_an_address(one: SocketAddr, other: SocketAddr) -> bool {
    let (a, b) = (one.ip().to_canonical(), other.ip().to_canonical());
    let all_of_both = |ip: IpAddr| ip.is_unspecified() && ip.is_ipv6();
    let overlap = a == b
        || all_of_both(a)
        || all_of_both(b)
        || (a.is_unspecified() || b.is_unspecified()) && a.is_ipv4() == b.is_ipv4();
    one.port() != 0 && one.port() == other.port() && overlap
}

fn told_to_end(signal: &'static str) {
    tracing::info!(
        signal,
        "ending: what is in flight is answered, what waits stays in the log"
    );
}

#[cfg(test)]
mod tests {
    use super::share_an_address;

    #[test]
    fn listeners_share_an_address_where_the_system_would_refuse_the_second() {
        let cases = [
            ("127.0.0.1:8080", "127.0.0.1:8080", true),
            ("127.0.0.1:8080", "127.0.0.1:8081", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("127.0.0.1:8080", "127.0.0.2:8080", false),
            ("0.0.0.0:8080", "127.0.0.1:8080", true),
            ("127.0.0.1:8080", "0.0.0.0:8080", true),
            ("[::]:8080", "127.0.0.1:8080", true),
            ("[::1]:8080", "127.0.0.1:8080", false),
            ("[::1]:8080", "0.0.0.0:8080", false),
            ("[::1]:8080", "[::]:8080", true),
            ("[::ffff:127.0.0.1]:8080", "127.0.0.1:8080", true),
        ];
        for (one, other, shared) in cases {
            let address = |text: &str| text.parse().expect("an address");
            assert_eq!(
                share_an_address(address(one), address(other)),
                shared,
                "{one} {other}"
            );
        }
    }
}
