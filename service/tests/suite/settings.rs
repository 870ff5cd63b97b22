//! Settings in layers, as a program with subcommands meets them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use service::quantity::{Age, ByteSize};
use service::settings::{Loaded, OF_THIS_CALL, SettingsError, load};

#[derive(Debug, Parser)]
#[command(name = "highwater")]
struct Cli {
    /// How log lines look.
    #[arg(long, global = true, default_value = "human")]
    log_format: Format,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Serve(Serve),
    Status {
        #[arg(long)]
        verbose: bool,
        /// Only what is of this version.
        #[arg(long, help_heading = OF_THIS_CALL)]
        version: Option<String>,
    },
}

#[derive(Args, Debug)]
struct Serve {
    /// Where everything lies.
    #[arg(long)]
    data_dir: PathBuf,
    /// How old pings get.
    #[arg(long, default_value = "10s")]
    seal_age: Age,
    #[arg(long, default_value = "8MiB")]
    body_max: ByteSize,
    #[arg(long)]
    definitions: Vec<PathBuf>,
    #[arg(long)]
    seal_at_shutdown: bool,
}

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn load(
        &self,
        file: &str,
        environment: &[(&str, &str)],
        flags: &[&str],
    ) -> Result<Loaded<Cli>, SettingsError> {
        let path = self.folder.path().join("highwater.toml");
        std::fs::write(&path, file).expect("written");
        let mut arguments: Vec<OsString> = vec!["highwater".into(), "serve".into()];
        if !file.is_empty() {
            arguments.extend(["--config".into(), path.into()]);
        }
        arguments.extend(flags.iter().map(OsString::from));
        load(
            arguments,
            environment
                .iter()
                .map(|(name, value)| (name.into(), value.into())),
        )
    }

    fn serve(&self, file: &str, environment: &[(&str, &str)], flags: &[&str]) -> Serve {
        match self
            .load(file, environment, flags)
            .expect("settings")
            .settings
            .verb
        {
            Verb::Serve(serve) => serve,
            Verb::Status { .. } => panic!("serve was asked for"),
        }
    }

    fn wrong(&self, file: &str, environment: &[(&str, &str)]) -> String {
        let error = self
            .load(file, environment, &["--data-dir", "d"])
            .expect_err("wrong");
        let folder = format!("{}/", self.folder.path().display());
        error.to_string().replace(&folder, "")
    }
}

fn seconds(text: &str) -> Age {
    text.parse().expect("an age")
}

#[test]
fn a_flag_goes_before_the_environment_before_the_file_before_the_default() {
    let world = World::new();
    let (file, variable, flag) = (
        "seal_age = \"2s\"",
        [("HIGHWATER_SEAL_AGE", "3s")],
        ["--data-dir=d", "--seal-age=4s"],
    );
    assert_eq!(world.serve(file, &variable, &flag).seal_age, seconds("4s"));
    assert_eq!(world.serve(file, &variable, &flag[..1]).seal_age, seconds("3s"));
    assert_eq!(world.serve(file, &[], &flag[..1]).seal_age, seconds("2s"));
    assert_eq!(world.serve("", &[], &flag[..1]).seal_age, seconds("10s"));
}

#[test]
fn a_file_may_set_everything_that_a_flag_can() {
    let world = World::new();
    let file = "# all of it\nlog_format = \"json\"\ndata_dir = \"there\"\nbody_max = \"1000B\"\n\
        definitions = [\"a.json\", \"b.yaml\"]\nseal_at_shutdown = true\nverbose = true\n";
    let loaded = world.load(file, &[], &[]).expect("settings");
    assert_eq!(loaded.settings.log_format, Format::Json);
    let serve = world.serve(file, &[], &[]);
    assert_eq!(
        (serve.data_dir, serve.body_max),
        (PathBuf::from("there"), ByteSize(1000))
    );
    assert_eq!(serve.definitions, ["a.json", "b.yaml"].map(PathBuf::from));
    assert!(serve.seal_at_shutdown);
    assert_eq!(
        world.serve(file, &[], &["--definitions=c"]).definitions,
        [PathBuf::from("c")]
    );
}

#[test]
fn the_environment_names_the_file_and_overrides_it() {
    let world = World::new();
    let path = world.folder.path().join("other.toml");
    std::fs::write(&path, "data_dir = \"d\"\nseal_at_shutdown = true\n").expect("written");
    let path = path.to_str().expect("text");
    let environment = [
        ("HIGHWATER_CONFIG", path),
        ("HIGHWATER_DEFINITIONS", "x,y"),
        ("HIGHWATER_SEAL_AT_SHUTDOWN", "0"),
    ];
    let serve = world.serve("", &environment, &[]);
    assert_eq!((serve.data_dir, serve.definitions.len()), (PathBuf::from("d"), 2));
    assert!(!serve.seal_at_shutdown);
}

#[test]
fn a_wrong_key_is_named_with_its_line_and_the_nearest_right_one() {
    let error = World::new().wrong("body_max = \"1B\"\n\nseal_aeg = \"1s\"\n", &[]);
    assert_eq!(
        error,
        "highwater.toml:3: unknown key \"seal_aeg\"; did you mean \"seal_age\"?"
    );
    let error = World::new().wrong("seal-age = \"1s\"", &[]);
    assert!(error.ends_with("did you mean \"seal_age\"?"), "{error}");
    let error = World::new().wrong("xylophone = 1", &[]);
    assert!(error.contains("--help"), "{error}");
}

#[test]
fn a_wrong_value_is_named_with_where_it_stands() {
    let world = World::new();
    let error = world.wrong("body_max = \"1B\"\nseal_age = \"soon\"\n", &[]);
    assert!(
        error.starts_with("highwater.toml:2: invalid value 'soon'") && error.contains("10s"),
        "{error}"
    );
    // A number of no unit is no quantity, in no layer.
    for line in ["body_max = 1000", "seal_age = 10"] {
        let error = world.wrong(line, &[]);
        assert!(
            error.starts_with("highwater.toml:1: ") && error.contains("needs a unit"),
            "{error}"
        );
    }
    let error = world.wrong("data_dir = \"d\"", &[("HIGHWATER_BODY_MAX", "1000")]);
    assert!(error.contains("needs a unit"), "{error}");
    let error = world.wrong("log_format = \"morse\"", &[]);
    assert!(
        error.starts_with("highwater.toml:1: ") && error.contains("json"),
        "{error}"
    );
    let error = world.wrong("", &[("HIGHWATER_BODY_MAX", "much")]);
    assert!(error.starts_with("HIGHWATER_BODY_MAX: "), "{error}");
    let error = world.wrong("seal_at_shutdown = \"perhaps\"", &[]);
    assert_eq!(error, "highwater.toml:1: seal_at_shutdown must be true or false");
    let error = world.wrong("seal_age = [\"1s\", \"2s\"]", &[]);
    assert_eq!(error, "highwater.toml:1: seal_age takes one value");
    let error = world.wrong("a = 1\nb = = 2\n", &[]);
    assert!(error.starts_with("highwater.toml:2: "), "{error}");
    let error = world.wrong("[seal_age]\nx = 1", &[]);
    assert!(error.starts_with("highwater.toml:1: seal_age must be"), "{error}");
}

#[test]
fn an_unknown_variable_is_warned_of() {
    let environment = [("HIGHWATER_SEAL_AGES", "1s"), ("PATH", "x")];
    let loaded = World::new()
        .load("", &environment, &["--data-dir=d"])
        .expect("settings");
    assert_eq!(
        loaded.warnings,
        ["HIGHWATER_SEAL_AGES in the environment sets nothing; did you mean HIGHWATER_SEAL_AGE?"]
    );
}

#[test]
fn what_is_required_is_asked_for_unless_it_is_set_elsewhere() {
    let world = World::new();
    let error = world.load("", &[], &[]).expect_err("no data directory");
    assert!(error.to_string().contains("--data-dir"), "{error}");
    let serve = world.serve("", &[("HIGHWATER_DATA_DIR", "d")], &[]);
    assert_eq!(serve.data_dir, PathBuf::from("d"));
    let missing = load::<Cli>(
        ["highwater", "--config=nowhere.toml", "status"]
            .map(OsString::from)
            .into(),
        [],
    );
    assert!(missing.expect_err("no file").to_string().contains("nowhere.toml"));
}

#[test]
fn the_help_names_variables_and_values_in_force() {
    let help = World::new()
        .load("seal_age = \"2s\"", &[], &["--help"])
        .expect_err("help")
        .to_string();
    for text in [
        "HIGHWATER_DATA_DIR",
        "How old pings get [env: HIGHWATER_SEAL_AGE] [default: 2s]",
        "--config <FILE>",
    ] {
        assert!(help.contains(text), "{text} is not in\n{help}");
    }
}

#[test]
fn a_flag_of_one_call_is_set_neither_by_the_environment_nor_by_a_file() {
    let world = World::new();
    let status = |environment: &[(&str, &str)], flags: &[&str]| {
        let arguments = ["highwater", "status"].iter().chain(flags).map(OsString::from);
        let variables = environment
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        let loaded = load::<Cli>(arguments.collect(), variables).expect("settings");
        let Verb::Status { version, .. } = loaded.settings.verb else {
            panic!("status was asked for")
        };
        (version, loaded.warnings.len())
    };
    assert_eq!(status(&[("HIGHWATER_VERSION", "54")], &[]), (None, 1));
    assert_eq!(status(&[], &["--version=54"]), (Some("54".to_owned()), 0));
    let error = world.wrong("version = \"54\"", &[]);
    assert!(
        error.starts_with("highwater.toml:1: unknown key \"version\""),
        "{error}"
    );
}
