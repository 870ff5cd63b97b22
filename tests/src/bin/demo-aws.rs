//! `demo-aws PROGRAM [--exit]`: the pipeline as it runs on AWS, on this machine. LocalStack with the deployed template and the
//! real Lambda, a PostgreSQL, two edges, two aggregators, and a process that answers; then generated pings, and what became of
//! them. Stays up until Ctrl-C; with `--exit` it ends when all of them are counted. PROGRAM is `highwater`, built with the
//! feature `aws`.

use anyhow::Context;
use ping::Timestamp;
use sample_pings::{Options, Population, gzip};
use serde_json::Value;
use service::clock::SystemClock;
use service::shutdown::Signals;
use tests::Member;
use tests::aws::World;

/// So many pings are sent.
const PINGS: u64 = 400;

/// Level 6, as a browser compresses them.
const LEVEL: u32 = 6;

#[expect(clippy::print_stdout, reason = "what it shows is what it is for")]
fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let program = arguments
        .next()
        .context("usage: demo-aws PROGRAM [--exit]; `make demo-aws` builds it all")?;
    let exits = arguments.any(|argument| argument == "--exit");
    println!("starting LocalStack and PostgreSQL, deploying infra/aws/template.yaml ...");
    let parameters = [("BatchWindowSeconds", "1")];
    let Some(world) = World::deploy(&program, "demo", &parameters) else {
        anyhow::bail!("something is not installed (the line before says what): `make demo-aws` installs it");
    };
    let mut edges = ["edge-1", "edge-2"].map(|name| world.edge(name));
    let mut aggregators = ["aggregate-1", "aggregate-2"].map(|name| world.aggregate(name));
    let mut query = world.query("query");
    println!(
        "two edges take pings: {} and {}",
        edges[0].address(),
        edges[1].address()
    );
    println!("the page:             http://{}/", query.address());
    send(&edges)?;
    println!("{PINGS} pings acknowledged; waiting for the Lambda to index their chunks ...");
    let counted = |status: &Value| {
        ["folded", "repeated", "stored_only", "errored_pings"]
            .iter()
            .filter_map(|name| status[name].as_u64())
            .sum::<u64>()
            >= PINGS
    };
    let status = query.wait_for("all pings to be counted", counted);
    show(&world, &status, &aggregators);
    if !exits {
        println!("\nCtrl-C ends it.");
        wait_for_interrupt()?;
    }
    query.terminate();
    aggregators.iter_mut().for_each(Member::terminate);
    edges.iter_mut().for_each(Member::terminate);
    Ok(())
}

fn send(edges: &[Member; 2]) -> anyhow::Result<()> {
    let population = Population::new(1, Options::default());
    let mut clients = edges.each_ref().map(Member::client);
    for number in 0..PINGS {
        let now = Timestamp::from_micros(SystemClock::shared().now_micros());
        let ping = population.ping(number, now);
        let headers: Vec<(&str, &str)> = ping
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let edge = &mut clients[(number % 2) as usize];
        let answer = edge.post(&ping.uri, &headers, &gzip(&ping.body, LEVEL))?;
        anyhow::ensure!(answer.status == 200, "an edge answered {}", answer.status);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what it shows is what it is for")]
fn show(world: &World, status: &Value, aggregators: &[Member; 2]) {
    let objects = world.objects();
    println!(
        "\nobjects in the bucket {}: {}",
        world.deployment.output("ChunkBucket"),
        objects.len()
    );
    for object in objects.iter().take(5) {
        println!("  {object}");
    }
    let outcomes = world.deployment.outcomes();
    println!("lines of the deployed Lambda about objects: {}", outcomes.len());
    for line in outcomes.iter().take(5) {
        println!("  {line}");
    }
    let rows = world.sql(
        "SELECT app_update_channel, COUNT(*) AS chunks, SUM(records) AS records, SUM(stored_bytes) AS bytes \
         FROM highwater.chunks GROUP BY 1 ORDER BY 4 DESC",
    );
    println!("chunks in PostgreSQL by channel (channel|chunks|records|bytes):");
    for row in rows.lines() {
        println!("  {row}");
    }
    for aggregator in aggregators {
        let number = |name| aggregator.metric(name).unwrap_or(0.0);
        println!(
            "aggregator {}: {} of 64 shards, {} chunks folded",
            aggregator.address(),
            number("highwater_aggregator_leases"),
            number("highwater_aggregator_chunks_total")
        );
    }
    println!(
        "folded {}, repeats {}, stored only {}",
        status["folded"], status["repeated"], status["stored_only"]
    );
}

/// Returns at SIGINT or SIGTERM.
fn wait_for_interrupt() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut signals = Signals::catch()?;
        signals.next().await;
        anyhow::Ok(())
    })
}
