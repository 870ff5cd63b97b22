//! `highwater retain` and `highwater forget-chunk`. What goes, and in which order, lives in the crate `retention`.

use ::retention::Consent;
use disk::RealDisk;
use ping::{SubmissionDate, Timestamp};
use serde_json::Value;
use service::clock::SystemClock;
use service::directory::{DataDirectory, DirectoryError};

use crate::change::change;
use crate::cli::{ForgetChunk, Retain};
use crate::data::{Data, Places};
use crate::declarations::Taken;
use crate::local::Local;
use crate::pipeline::{Request, forgotten, lowered, retained};
use crate::shared::SharedRetention;
use crate::text::words;

/// Runs `retain`.
pub(crate) async fn run(retain: &Retain) -> anyhow::Result<()> {
    if let Some(to) = retain.lower_floors {
        return lower_floors(retain, to).await;
    }
    let (dry_run, yes) = (retain.dry_run, retain.yes);
    let done = match retain.data.places.aggregates {
        Some(_) => {
            tell_place(&retain.data);
            let retention = SharedRetention::open(&retain.data).await?;
            retained(&match (dry_run, yes) {
                (true, _) => retention.look().await?,
                (false, true) => retention.run(Consent::Given).await?,
                (false, false) => retention.run(Consent::Bounded).await?,
            })
        }
        None => change(&retain.data, Request::Retain { dry_run, yes }, |_| ()).await?,
    };
    for line in lines(&done, dry_run) {
        eprintln!("{line}");
    }
    let waits = done["held"].as_array().map_or(0, Vec::len);
    anyhow::ensure!(
        dry_run || waits == 0,
        "this is not deleted without a person's word, for it is much at once: see whether this machine's clock and the rules are \
         right, then run `highwater retain --yes`"
    );
    Ok(())
}

/// What a run did, or would do, in lines.
pub(crate) fn lines(done: &Value, dry_run: bool) -> Vec<String> {
    let count = |name: &str| done[name].as_u64().unwrap_or(0);
    let (objects, records, bytes) = (count("objects"), count("records"), count("stored_bytes"));
    let mut lines = vec![match dry_run {
        true => format!(
            "would go: {objects} chunks with {records} pings and {bytes} bytes, {} days of cells and user sketches",
            count("aggregate_days")
        ),
        false => format!(
            "deleted: {objects} chunks with {records} pings and {bytes} bytes, {} cells and user sketches, {} rows of copies and of chunks that were folded",
            count("aggregates"),
            count("rows")
        ),
    }];
    lines.extend(floors(done));
    lines.extend(floors_of_sources(done));
    for held in done["held"].as_array().into_iter().flatten() {
        lines.push(format!("waits for --yes: {}", held.as_str().unwrap_or_default()));
    }
    if count("over_budget_bytes") > 0 {
        lines.push(format!(
            "{} bytes are above the budgets, all of today or of the newest day, which never go by size",
            count("over_budget_bytes")
        ));
    }
    lines
}

fn floors(done: &Value) -> impl Iterator<Item = String> {
    let named = [
        ("pings", "pings_floor"),
        ("errored pings", "errors_floor"),
        ("aggregates", "aggregates_floor"),
    ];
    named.into_iter().filter_map(|(of, name)| {
        let floor = done[name].as_str()?;
        Some(format!("{of} are kept from {floor} on"))
    })
}

fn floors_of_sources(done: &Value) -> impl Iterator<Item = String> {
    let sources = done["sources"].as_array().into_iter().flatten();
    sources.flat_map(|floors| {
        let source = floors["source"].as_str().unwrap_or_default();
        let named = [("pings", "pings_floor"), ("aggregates", "aggregates_floor")];
        let line = move |(of, name): (&str, &str)| {
            let floor = floors[name].as_str()?;
            Some(format!("{of} of {source} are kept from {floor} on"))
        };
        named.into_iter().filter_map(line).collect::<Vec<_>>()
    })
}

/// What declarations say of sources, and from which day on that keeps them.
fn by_source(
    rules: &::retention::Rules,
    sources: &::retention::RulesBySource,
    today: SubmissionDate,
) -> impl Iterator<Item = String> {
    sources.iter().flat_map(move |(source, own)| {
        let kinds = [
            ("pings, errored ones among them,", &own.chunks, &rules.pings),
            ("aggregates", &own.aggregates, &rules.aggregates),
        ];
        let line = |(of, own, all): (&str, &::retention::RetentionRule, &::retention::RetentionRule)| {
            let age = own.age?;
            let longer = all.age.is_some_and(|all| all < age);
            let words = ::retention::in_words(own, today);
            Some(match longer {
                true => format!("{of} of {source} would be kept {words}; but all go earlier, by `{all}`"),
                false => format!("{of} of {source} are kept {words}"),
            })
        };
        kinds.into_iter().filter_map(line).collect::<Vec<_>>()
    })
}

/// Lowers the floors, and has indexed what is above them now.
async fn lower_floors(retain: &Retain, to: SubmissionDate) -> anyhow::Result<()> {
    let is_shared = retain.data.places.aggregates.is_some();
    let done = if is_shared {
        tell_place(&retain.data);
        let retention = SharedRetention::open(&retain.data).await?;
        lowered(&retention.lower_floors(to).await?)
    } else {
        let request = Request::LowerFloors { to: to.to_string() };
        change(&retain.data, request, |_| ()).await?
    };
    for line in floors(&done) {
        eprintln!("{line}");
    }
    let admitted = done["admitted"].as_u64().unwrap_or(0);
    let then = match is_shared {
        true => "can be indexed now: run `highwater reconcile`",
        false => "are indexed",
    };
    eprintln!("{admitted} chunks that had come below the floors {then}");
    if done["rebuild_wanted"] == Value::Bool(true) {
        eprintln!(
            "chunks of the days between are in the index, and may not be counted: {}",
            match is_shared {
                true => "have everything folded anew, as infra/README.md says",
                false => "run `highwater rebuild`",
            }
        );
    }
    Ok(())
}

/// What settings would delete of a data directory, in lines, for who checks them. Where there is none yet, what is kept.
pub(crate) async fn foretold(data: &Data) -> anyhow::Result<Vec<String>> {
    let declared = Taken::by_files(&data.fold)?.declarations;
    let (rules, sources) = (data.retention_rules()?, declared.kept.clone());
    let today = Timestamp::from_micros(SystemClock::shared().now_micros()).submission_date();
    let mut said: Vec<_> = [
        ("pings", &rules.pings),
        ("errored pings", &rules.errors),
        ("aggregates", &rules.aggregates),
        ("copies of pings", &rules.copies),
    ]
    .into_iter()
    .map(|(of, keep)| format!("{of} are kept {}", ::retention::in_words(keep, today)))
    .collect();
    said.extend(by_source(&rules, &sources, today));
    if rules.keep_everything() && sources.is_empty() {
        said.push("nothing would be deleted".to_owned());
        return Ok(said);
    }
    let directory = DataDirectory::read(RealDisk::shared().as_ref(), &data.data_dir);
    if matches!(directory, Err(DirectoryError::Absent(_))) {
        said.push("nothing would be deleted: there is no data directory yet".to_owned());
        return Ok(said);
    }
    match Local::open(data).await {
        Ok(local) => {
            let looked = ::retention::look(
                local.index.as_ref(),
                local.aggregates.as_ref(),
                (&rules, &sources),
                today,
            )
            .await?;
            said.extend(lines(&retained(&looked), true));
        }
        Err(error) => said.push(format!(
            "what would be deleted cannot be told before a start: {}",
            words(&error)
        )),
    }
    Ok(said)
}

/// Runs `forget-chunk`.
pub(crate) async fn forget(forget: &ForgetChunk) -> anyhow::Result<()> {
    let (key, why) = (forget.key.clone(), forget.why.clone());
    let done = match forget.data.places.aggregates {
        Some(_) => {
            tell_place(&forget.data);
            let retention = SharedRetention::open(&forget.data).await?;
            forgotten(retention.forget(&key, &why).await?)
        }
        None => change(&forget.data, Request::ForgetChunk { key, why }, |_| ()).await?,
    };
    eprintln!(
        "{}",
        match (done["was"].as_str(), &forget.data.places.aggregates) {
            (Some("folded"), None) =>
                "forgotten; its pings are in the aggregates until `highwater rebuild`, and the status says so",
            (Some("folded"), Some(_)) =>
                "forgotten; its pings are in the aggregates until all is folded anew, and the status says so",
            (Some("indexed"), _) => "forgotten; it was not folded",
            (Some("before"), _) => "it was forgotten before",
            _ => "forgotten; the index did not know it",
        }
    );
    Ok(())
}

/// Says that it is not the data directory that something is deleted from, for that is named in the environment alone, perhaps.
fn tell_place(data: &Data) {
    let Places { aggregates, .. } = &data.places;
    let (store, index) = (data.places.store_text(), data.places.index_text());
    if let Some(aggregates) = aggregates {
        eprintln!("what many processes share: store {store}, index {index}, aggregates {aggregates:?}");
    }
}
