//! Declarations that change beside a pipeline in this process.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use clap::Parser;
use edge::intake::{Accepted, Intake};
use service::clock::SystemClock;

use super::*;
use crate::cli::{Cli, Command};
use crate::declarations::Taken;

const FIRST: &str = "$highwater: product/1\nsources: [acme/usage]\nclient_id: { path: /id }\nmetrics:\n  usage:\n    runs: { type: counter, path: /runs }\n";
const SECOND: &str =
    "dimensions: { theme: { path: /theme, values: [dark, light] } }\ndrop: [/id]\nkeep: { pings: 3d }\n";

fn data(folder: &Path, products: &Path) -> Data {
    let (folder, products) = (folder.display().to_string(), products.display().to_string());
    let words = [
        "highwater",
        "serve",
        "--data-dir",
        &folder,
        "--products",
        &products,
        "--seal-age",
        "0s",
    ];
    match Cli::parse_from(words).command {
        Command::Serve(serve) => serve.data,
        other => panic!("{other:?}"),
    }
}

/// A pipeline without listeners, and who takes up what changes beside it.
async fn start(data: &Data) -> (Arc<Core>, TakingUp) {
    let taken = Taken::or_accepted(&data.fold, &data.data_dir).expect("taken");
    let core = Core::start(data, &taken, SystemClock::shared(), None)
        .await
        .expect("a core");
    let fold = data.fold_settings(&taken.declarations).expect("settings");
    let answering = Answering {
        core: core.clone(),
        definitions: Arc::new(Current::new(Arc::new(taken.declarations.definitions.clone()))),
        charted: Arc::new(Current::new(Arc::new(fold))),
        declared: Declared::by([]),
    };
    let given = (data, data.fold.clone());
    let taking_up = TakingUp::new(given, core.base.clone(), taken.declarations, Some(answering));
    (core, taking_up)
}

/// The text by which a source is declared, and what is refused.
async fn state(core: &Core) -> (Option<String>, Option<String>) {
    let declared = core.aggregator.declared().await.remove("acme/usage");
    (declared, core.base.refused.told().map(|told| told.words))
}

async fn submit(core: &Core, number: u64) {
    let accepted = Accepted {
        uri: Bytes::from(format!(
            "/submit/acme/usage/1/c0b1f5d2-83a4-4e0b-b6a9-{number:012x}"
        )),
        headers: Vec::new(),
        body: Bytes::from(r#"{"id": "5f3a1c2e-0000-4000-8000-00000000000b", "theme": "dark", "runs": 2}"#),
    };
    core.edge().submit(accepted).await.expect("taken");
    core.settle().await.expect("settled");
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_declarations_are_taken_up_by_every_part_or_by_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let (products, data_dir) = (folder.path().join("products"), folder.path().join("data"));
    let file = products.join("usage.yaml");
    fs::create_dir(&products).expect("made");
    fs::write(&file, FIRST).expect("written");
    let data = data(&data_dir, &products);
    let (core, taking_up) = start(&data).await;
    submit(&core, 1).await;
    assert!(core.base.secret.is_none() && !data_dir.join("client-secret").exists());

    let second = format!("{FIRST}{SECOND}");
    fs::write(&file, &second).expect("written");
    // It is read when it has come to rest.
    taking_up.look(false).await;
    assert_eq!(state(&core).await, (Some(FIRST.to_owned()), None));
    taking_up.look(false).await;
    assert_eq!(state(&core).await, (Some(second.clone()), None));
    let answering = taking_up.answering.as_ref().expect("it answers");
    let definitions = answering.definitions.get();
    let rules = fs::read_to_string(data_dir.join("privacy/000001.json")).expect("rules");
    assert!(rules.contains("/id"), "{rules}");
    assert_eq!(
        fs::read(data_dir.join("client-secret")).expect("a secret").len(),
        32
    );
    let kept = fs::read_to_string(data_dir.join("declarations.json")).expect("kept");
    assert!(kept.contains("/theme"), "{kept}");
    submit(&core, 2).await;
    let sources = core.reads.get().source_pings(10).await.expect("sources");
    assert_eq!(sources.values.len(), 1);

    // One that is wrong keeps all the others from being taken up.
    fs::write(&file, second.replace("counter", "countr")).expect("written");
    fs::write(products.join("other.yaml"), FIRST.replace("acme", "inky")).expect("written");
    taking_up.look(true).await;
    let (declared, refused) = state(&core).await;
    let refused = refused.expect("refused");
    assert_eq!(declared, Some(second.clone()));
    assert!(
        refused.contains("usage.yaml: line 6, column 19") && refused.contains("did you mean `counter`?"),
        "{refused}"
    );
    assert!(!core.aggregator.declared().await.contains_key("inky/usage"));
    assert!(Arc::ptr_eq(&definitions, &answering.definitions.get()));
    assert_eq!(
        fs::read_to_string(data_dir.join("declarations.json")).expect("kept"),
        kept
    );

    // A start goes on with what was accepted, and says so; then the file is mended, and all of it is taken up.
    core.stop().await.expect("stopped");
    drop((core, taking_up));
    let (core, taking_up) = start(&data).await;
    let (declared, told) = state(&core).await;
    assert_eq!((declared, told), (Some(second.clone()), Some(refused)));
    assert!(core.base.refused.told().is_some_and(|told| told.at_start));
    fs::write(&file, &second).expect("written");
    taking_up.look(true).await;
    assert_eq!(state(&core).await, (Some(second.clone()), None));
    assert!(core.aggregator.declared().await.contains_key("inky/usage"));
    // A folder that is gone is refused as a file is.
    fs::rename(&products, folder.path().join("away")).expect("moved");
    taking_up.look(true).await;
    let (declared, told) = state(&core).await;
    assert_eq!(declared, Some(second));
    assert!(told.is_some_and(|told| told.contains("--products: cannot read")));
    core.stop().await.expect("stopped");
}

#[tokio::test]
async fn texts_that_were_kept_before_a_crash_are_in_force_from_the_next_start_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, data_dir) = (folder.path().join("usage.yaml"), folder.path().join("data"));
    let data = data(&data_dir, &file);
    fs::write(&file, FIRST).expect("written");
    let (core, _) = start(&data).await;
    core.stop().await.expect("stopped");
    drop(core);
    // A change was begun, and its texts were kept; then the process was killed, and the file became wrong.
    let second = format!("{FIRST}{SECOND}");
    fs::write(&file, &second).expect("written");
    let texts = Texts::read(&data.fold, &Texts::default()).expect("read");
    let disk = disk::RealDisk::shared();
    crate::declarations::keep(disk.as_ref(), &data_dir, &data.fold, &texts).expect("kept");
    assert!(!data_dir.join("privacy").exists());
    fs::write(&file, "sources: [").expect("written");
    let (core, _) = start(&data).await;
    assert_eq!(state(&core).await.0, Some(second));
    let rules = fs::read_to_string(data_dir.join("privacy/000001.json")).expect("rules");
    assert!(rules.contains("/id"), "{rules}");
    core.stop().await.expect("stopped");
}

#[tokio::test]
async fn what_a_command_promises_by_the_same_files_is_what_a_start_goes_back_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, data_dir) = (folder.path().join("usage.yaml"), folder.path().join("data"));
    let data = data(&data_dir, &file);
    let second = format!("{FIRST}{SECOND}");
    let command = async |text: &str| {
        fs::write(&file, text).expect("written");
        let taken = Taken::by_files(&data.fold).expect("read");
        let taken = taken.keeping_on(&data.fold, &data_dir);
        let core = Core::start(&data, &taken, SystemClock::shared(), None);
        core.await.expect("a core").stop().await.expect("stopped");
    };
    command(FIRST).await;
    assert!(!data_dir.join("declarations.json").exists());
    fs::write(&file, FIRST).expect("written");
    start(&data).await.0.stop().await.expect("stopped");
    command(&second).await;
    fs::write(&file, "sources: [").expect("written");
    let taken = Taken::or_accepted(&data.fold, &data_dir).expect("accepted");
    assert_eq!(taken.declarations.products[0].1, second);
}

#[tokio::test]
async fn a_start_is_refused_where_nothing_was_accepted_or_other_files_were() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, data_dir) = (folder.path().join("usage.yaml"), folder.path().join("data"));
    let data = data(&data_dir, &file);
    fs::write(&file, "sources: [").expect("written");
    let start_by = |data: &Data| Taken::or_accepted(&data.fold, &data.data_dir);
    assert!(start_by(&data).is_err());
    fs::write(&file, FIRST).expect("written");
    let (core, _) = start(&data).await;
    core.stop().await.expect("stopped");
    drop(core);
    fs::write(&file, "sources: [").expect("written");
    assert!(start_by(&data).expect("accepted before").refusal.is_some());
    // Whoever only looks, or changes the directory by a command, is told what is wrong.
    assert!(Taken::by_files(&data.fold).is_err() && data.check().is_err());
    let mut other = data.clone();
    other.fold.products.push(folder.path().join("other.yaml"));
    assert!(start_by(&other).is_err());
    // What is damaged stands in for nothing.
    let kept = data_dir.join("declarations.json");
    let text = fs::read_to_string(&kept).expect("kept");
    fs::write(&kept, text.replace("runs", "rums")).expect("written");
    let error = format!("{:#}", start_by(&data).expect_err("damaged"));
    assert!(
        error.contains("not as it was written") && error.contains("usage.yaml"),
        "{error}"
    );
}
