//! `demo-aws PROGRAM [--exit] [--freshness]`: the pipeline as it runs on AWS, on this machine. LocalStack with the deployed template and the
//! real Lambda, a PostgreSQL, two edges, two aggregators, and a process that answers; then generated pings, and what became of
//! them. Stays up until Ctrl-C; with `--exit` it ends when all of them are counted. With `--freshness` it measures first how
//! long a ping takes from its POST to its number in the API. PROGRAM is `highwater`, built with the feature `aws`.

use std::time::Duration;

use anyhow::Context;
use ping::Timestamp;
use sample_pings::{Options, Population, gzip};
use serde_json::Value;
use service::clock::{Clock, SystemClock};
use service::shutdown::Signals;
use tests::aws::{REGION, World};
use tests::{Member, SmallPing};

/// So many pings are sent.
const PINGS: u64 = 400;

/// Pings whose way to their number is timed, how far apart, and how long one may take.
const PROBES: usize = 100;
const PACE: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(60);

/// Level 6, as a browser compresses them.
const LEVEL: u32 = 6;

#[expect(clippy::print_stdout, reason = "what it shows is what it is for")]
fn main() -> anyhow::Result<()> {
    let Wishes {
        program,
        exit,
        freshness: measures,
    } = Wishes::read(std::env::args().skip(1))?;
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
    println!(
        "LocalStack:           {} in {REGION}, any credentials",
        world.localstack_url()
    );
    println!("PostgreSQL:           {}", world.index());
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
    if measures {
        freshness(&edges[0], &query)?;
    }
    if !exit {
        println!("\nCtrl-C ends it.");
        wait_for_interrupt()?;
    }
    println!("taking it all down, which takes up to half a minute ...");
    query.terminate();
    aggregators.iter_mut().for_each(Member::terminate);
    edges.iter_mut().for_each(Member::terminate);
    Ok(())
}

/// What the command line says.
struct Wishes {
    program: String,
    exit: bool,
    freshness: bool,
}

impl Wishes {
    fn read(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let usage =
            "usage: demo-aws PROGRAM [--exit] [--freshness]; `make demo-aws DEMO=\"--exit\"` builds it all";
        let program = arguments
            .next()
            .filter(|program| !program.starts_with('-'))
            .context(usage)?;
        let mut wishes = Self {
            program,
            exit: false,
            freshness: false,
        };
        for argument in arguments {
            match argument.as_str() {
                "--exit" => wishes.exit = true,
                "--freshness" => wishes.freshness = true,
                other => anyhow::bail!("{other}: {usage}"),
            }
        }
        wishes.check_program()?;
        Ok(wishes)
    }

    /// Refuses what is no `highwater`, or was built without what this needs, before anything is started.
    fn check_program(&self) -> anyhow::Result<()> {
        let program = &self.program;
        let ran = std::process::Command::new(program).arg("--version").output();
        let ran = ran.with_context(|| format!("{program} cannot be run"))?;
        let said = String::from_utf8_lossy(&ran.stdout);
        anyhow::ensure!(
            said.contains("with S3 and PostgreSQL"),
            "{program} is no highwater with S3 and PostgreSQL: `cargo build --release --features aws` builds one"
        );
        Ok(())
    }
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

/// Posts probes, each with a channel of its own, and asks for each until its number is there.
#[expect(clippy::print_stdout, reason = "what it shows is what it is for")]
fn freshness(edge: &Member, query: &Member) -> anyhow::Result<()> {
    println!(
        "\n{PROBES} probes, one each {} ms, chunks sealed after 1 s ...",
        PACE.as_millis()
    );
    let clock = SystemClock::shared();
    let mut seconds = std::thread::scope(|scope| {
        let probes: Vec<_> = (0..PROBES)
            .map(|number| {
                let clock = clock.as_ref();
                let probe = scope.spawn(move || probe(edge, query, number, clock));
                tests::pause(PACE);
                probe
            })
            .collect();
        let ended = probes
            .into_iter()
            .map(|probe| probe.join().expect("it does not panic"));
        ended.collect::<anyhow::Result<Vec<f64>>>()
    })?;
    seconds.sort_by(f64::total_cmp);
    let at = |percent: usize| seconds[(seconds.len() - 1) * percent / 100];
    println!(
        "from POST to number: p50 {:.2} s, p99 {:.2} s, slowest {:.2} s",
        at(50),
        at(99),
        at(100)
    );
    Ok(())
}

/// Seconds until the ping of this number is in the API.
fn probe(edge: &Member, query: &Member, number: usize, clock: &dyn Clock) -> anyhow::Result<f64> {
    let mut ping = SmallPing::numbered(1_000_000 + number as u64);
    ping.channel = format!("probe{number}");
    let posted = clock.monotonic();
    let answer = edge.client().post(&ping.uri(), &[], &ping.body())?;
    anyhow::ensure!(answer.status == 200, "a probe was answered {}", answer.status);
    let path =
        format!("/aggregates_by/build_id/channels/probe{number}/?version=54&dates=20170130&metric=GC_MS");
    loop {
        let took = clock.monotonic().saturating_sub(posted);
        if query.client().get(&path)?.status == 200 {
            return Ok(took.as_secs_f64());
        }
        anyhow::ensure!(
            took < PATIENCE,
            "a probe was not counted within {} s",
            PATIENCE.as_secs()
        );
        tests::pause(Duration::from_millis(50));
    }
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
