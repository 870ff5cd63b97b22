//! The deployed Lambda's cold start: from the start of its process to its first question for work, and to its first answer.

use anyhow::Result;

use crate::options::Options;
use crate::outcome::Row;
use crate::sample::Sample;

const WORK: &str = "Lambda, from process start to its first question for work";

/// Measures it with the zip that `make lambda` makes.
#[cfg(feature = "aws")]
#[expect(clippy::unnecessary_wraps, reason = "as the others")]
pub(crate) fn measure(options: &Options, sample: &Sample) -> Result<Vec<Row>> {
    Ok(with::measure(options.pairs, sample)
        .unwrap_or_else(|error| vec![Row::left_out(WORK, format!("{error:#}"))]))
}

/// Says what is missing.
#[cfg(not(feature = "aws"))]
pub(crate) fn measure(_: &Options, _: &Sample) -> Result<Vec<Row>> {
    super::without_aws::left_out(WORK)
}

#[cfg(feature = "aws")]
mod with {
    use std::fs::{self, File, Permissions};
    use std::io::{BufRead as _, BufReader, Read as _, Seek as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command, Stdio};
    use std::sync::Arc;
    use std::time::Duration;

    use anyhow::{Context, Result, bail, ensure};
    use bytes::Bytes;
    use index_schema::{Index, PostgresIndex, PostgresSettings};
    use loopback_s3::{ACCESS_KEY_ID, LoopbackS3, SECRET_ACCESS_KEY};
    use postgres_for_tests::Postgres;
    use serde_json::json;
    use service::clock::SystemClock;

    use super::super::ChunkMaker;
    use super::super::usage::peak_megabytes;
    use super::WORK;
    use crate::outcome::Row;
    use crate::sample::Sample;

    const ZIP: &str = "target/lambda/lambda-indexer/bootstrap.zip";
    const ANSWER: &str = "Lambda, from process start to its first answer";
    const NEXT: &str = "/invocation/next";
    /// Pings in a chunk that is announced.
    const PINGS: usize = 10;
    /// Longer than Lambda would wait for it.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Milliseconds since the process was started.
    struct Start {
        asked: f64,
        answered: f64,
        peak_megabytes: f64,
    }

    pub(super) fn measure(pairs: usize, sample: &Sample) -> Result<Vec<Row>> {
        let zip = fs::metadata(ZIP).with_context(|| format!("{ZIP}: `make lambda` makes it"))?;
        let folder = tempfile::tempdir()?;
        let program = unzip(folder.path())?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let s3 = runtime.block_on(LoopbackS3::start(&["bench"]))?;
        let server = Postgres::start(&[]).context("PostgreSQL is not installed")?;
        let index = server.tcp_url(&server.database());
        // The tables are there before, as they are after a deployment's first minutes.
        let settings = PostgresSettings::new(index.clone());
        let tables: Arc<dyn Index> = runtime.block_on(PostgresIndex::open(settings))?;
        let mut maker = ChunkMaker::new()?;
        let mut starts = Vec::new();
        for _ in 0..2 * pairs + 1 {
            let api = TcpListener::bind("127.0.0.1:0")?;
            let mut command = Command::new(&program);
            command
                .env_clear()
                .env("AWS_LAMBDA_RUNTIME_API", api.local_addr()?.to_string())
                .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
                .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
                .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
                .env("AWS_LAMBDA_LOG_GROUP_NAME", "bench")
                .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
                .env("AWS_REGION", "us-east-1")
                .env("AWS_ENDPOINT_URL", s3.endpoint_url())
                .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
                .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
                .env("HIGHWATER_STORE", "s3://bench")
                .env("HIGHWATER_INDEX", &index);
            let chunk = Bytes::copy_from_slice(maker.seal(&sample.pings[..PINGS.min(sample.pings.len())])?);
            s3.put("bench", &maker.key(), chunk);
            starts.push(start(command, &api, &maker.key())?);
        }
        let chunks = runtime.block_on(tables.totals())?.chunks;
        ensure!(chunks == starts.len() as u64, "{chunks} chunks are indexed");
        Ok(rows(&starts, zip.len()))
    }

    fn rows(starts: &[Start], zip_bytes: u64) -> Vec<Row> {
        let median = |of: fn(&Start) -> f64| {
            let mut values: Vec<f64> = starts.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let note = format!(
            "median of {} starts of the program in the zip ({:.2} MB), store and index opened; TLS to neither",
            starts.len(),
            zip_bytes as f64 / 1e6
        );
        vec![
            Row::figure(WORK, median(|start| start.asked), "ms", None).note(note),
            Row::figure(ANSWER, median(|start| start.answered), "ms", None)
                .note("of an event about a new chunk, which is indexed then".to_owned()),
            Row::figure(
                "Lambda, memory after it",
                median(|start| start.peak_megabytes),
                "MB",
                None,
            ),
        ]
    }

    /// By Python's own, for `unzip` may not be installed.
    fn unzip(folder: &Path) -> Result<PathBuf> {
        let mut command = Command::new("python3");
        let unzipped = command.args(["-m", "zipfile", "-e", ZIP]).arg(folder).status();
        ensure!(
            unzipped.context("python3 unzips it")?.success(),
            "{ZIP} is no zip"
        );
        let program = folder.join("bootstrap");
        fs::set_permissions(&program, Permissions::from_mode(0o755))?;
        Ok(program)
    }

    /// Starts it once, is its runtime API for one invocation, and ends it.
    fn start(mut command: Command, api: &TcpListener, key: &str) -> Result<Start> {
        let clock = SystemClock::shared();
        let mut log = tempfile::tempfile()?;
        let began = clock.monotonic();
        let since = || (clock.monotonic() - began).as_secs_f64() * 1e3;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .spawn()?;
        let mut child = Ended(child);
        let connection = accept(api, &mut child.0, &mut log)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.set_nodelay(true)?;
        let mut reader = BufReader::new(connection.try_clone()?);
        let asked = request(&mut reader)?;
        ensure!(asked.ends_with(NEXT), "it asked for {asked}");
        let asked = since();
        give_work(connection, key)?;
        let answer = request(&mut reader)?;
        ensure!(answer.ends_with("/response"), "it answered {answer}");
        let answered = since();
        let peak_megabytes = peak_megabytes(child.0.id())?;
        child.0.kill()?;
        Ok(Start {
            asked,
            answered,
            peak_megabytes,
        })
    }

    /// The connection of the process, unless it ends before.
    fn accept(api: &TcpListener, child: &mut Child, log: &mut File) -> Result<TcpStream> {
        api.set_nonblocking(true)?;
        loop {
            match api.accept() {
                Ok((connection, _)) => {
                    connection.set_nonblocking(false)?;
                    return Ok(connection);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
            if let Some(status) = child.try_wait()? {
                let mut said = String::new();
                log.rewind()?;
                log.read_to_string(&mut said)?;
                bail!("the Lambda ended ({status}): {}", said.trim());
            }
            std::thread::yield_now();
        }
    }

    /// The path of the next request; its body is read and dropped.
    fn request(reader: &mut BufReader<TcpStream>) -> Result<String> {
        let (mut path, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            ensure!(reader.read_line(&mut line)? > 0, "the process ended");
            let line = line.trim_end();
            if path.is_empty() {
                path = line.split(' ').nth(1).context("no request")?.to_owned();
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            } else if line.is_empty() {
                break;
            }
        }
        std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
        Ok(path)
    }

    fn give_work(mut connection: TcpStream, key: &str) -> Result<()> {
        let event = json!({ "Records": [{
            "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "s3": { "bucket": { "name": "bench" }, "object": { "key": key, "size": 1 } },
        }]});
        let body = event.to_string();
        let deadline = SystemClock::shared().now_micros() / 1_000 + 60_000;
        let answer = format!(
            "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: 1\r\nlambda-runtime-deadline-ms: {deadline}\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:000000000000:function:bench\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        Ok(connection.write_all(answer.as_bytes())?)
    }

    /// Ended at the latest when it is dropped.
    struct Ended(Child);

    impl Drop for Ended {
        fn drop(&mut self) {
            // It may have ended by itself.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}
