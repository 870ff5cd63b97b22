//! Holds what arrives against declarations of products, again and again, beside the watch: counting the values of many dimensions must
//! not keep it from looking.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aggregate_store::{AggregateError, AggregateReads, Counters, Dimension, Source};
use ping::{Timestamp, UNKNOWN};
use query::health::{DeclarationNumbers, Named, count};
use readers::declaration::{Declaration, From};
use service::current::Current;
use service::shutdown::Shutdown;
use service::task;

use super::arrived::metrics_of;

/// How often.
const EVERY: Duration = Duration::from_secs(10);

/// Sources whose pings are counted by name.
const SOURCES_MAX: usize = 10_000;

/// Metrics of one source that are listed: it has at most 2,000 at a time. Above it nothing can be said to have never come.
const METRICS_MAX: usize = 10_000;

/// Dimensions after which a look ends, and the next one goes on with the next source: each is a walk over all its values.
const DIMENSIONS_AT_ONCE: usize = 32;

/// Values of a dimension above which it is told. Versions, systems and languages have some hundred.
const VALUES_MAX: usize = 1_000;

/// What the numbers depend on.
type State = (Option<Timestamp>, Counters);

/// Declared sources, and how what arrives fitted to their declarations when it was looked at last.
pub(crate) struct Declared {
    /// Exchanged when declarations change.
    sources: Current<Vec<DeclaredSource>>,
    newest: RwLock<Option<DeclarationNumbers>>,
}

/// A declared source: its metrics and dimensions, each with the place where its value stands in a ping.
struct DeclaredSource {
    source: Source,
    metrics: Vec<(String, String)>,
    dimensions: Vec<(String, String)>,
}

/// What was found of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Found {
    never_seen: Vec<String>,
    crowded: Vec<String>,
}

/// How far the looks are.
struct Round {
    sources: Arc<Vec<DeclaredSource>>,
    state: Option<State>,
    /// Which source is next.
    next: usize,
    /// How many were not looked at in this state.
    left: usize,
    found: Vec<Found>,
}

impl Round {
    /// Of which nothing was looked at yet.
    fn of(sources: Arc<Vec<DeclaredSource>>) -> Self {
        Self {
            state: None,
            next: 0,
            left: 0,
            found: vec![Found::default(); sources.len()],
            sources,
        }
    }
}

impl fmt::Debug for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Declared").finish_non_exhaustive()
    }
}

impl Declared {
    /// By these declarations.
    pub(crate) fn by<'a>(declarations: impl IntoIterator<Item = &'a Declaration>) -> Arc<Self> {
        let sources = declarations.into_iter().flat_map(DeclaredSource::all);
        Arc::new(Self {
            sources: Current::new(Arc::new(sources.collect())),
            newest: RwLock::new(None),
        })
    }

    /// Goes by other declarations from the next look on.
    pub(super) fn go_by<'a>(&self, declarations: impl IntoIterator<Item = &'a Declaration>) {
        let sources = declarations.into_iter().flat_map(DeclaredSource::all);
        self.sources.exchange(Arc::new(sources.collect()));
    }

    /// What was found last.
    pub(super) fn told(&self) -> Option<DeclarationNumbers> {
        self.newest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at some sources after the other, whenever something was folded since it last did, until the wish to end.
    pub(crate) async fn run(&self, reads: Arc<Current<dyn AggregateReads>>, shutdown: Shutdown) {
        let mut round = Round::of(self.sources.get());
        loop {
            let reads = reads.get();
            let sources = self.sources.get();
            if !Arc::ptr_eq(&sources, &round.sources) {
                round = Round::of(sources);
            }
            if let Err(error) = self.look(reads.as_ref(), &mut round).await {
                tracing::debug!(%error, "pings could not be held against their declarations");
            }
            tokio::select! {
                biased;
                () = shutdown.wished() => return,
                () = task::sleep(EVERY) => {}
            }
        }
    }

    async fn look(&self, reads: &dyn AggregateReads, round: &mut Round) -> Result<(), AggregateError> {
        if round.sources.is_empty() {
            self.note(None);
            return Ok(());
        }
        let status = reads.status().await?;
        let state = Some((status.newest_received, status.counters));
        if round.state != state {
            (round.state, round.left) = (state, round.sources.len());
        }
        if round.left == 0 {
            return Ok(());
        }
        let pings = reads.source_pings(SOURCES_MAX).await?.values.into_iter();
        let arrived: BTreeSet<Source> = pings
            .filter(|pings| pings.counters.folded > 0)
            .map(|pings| pings.source)
            .collect();
        let mut asked = 0;
        while round.left > 0 && asked < DIMENSIONS_AT_ONCE {
            let source = &round.sources[round.next];
            if arrived.contains(&source.source) {
                round.found[round.next] = source.look(reads).await?;
                asked += source.dimensions.len().max(1);
            }
            round.next = (round.next + 1) % round.sources.len();
            round.left -= 1;
        }
        let all = |names: fn(&Found) -> &Vec<String>| Named::of(round.found.iter().flat_map(names).cloned());
        let numbers = DeclarationNumbers {
            never_seen: all(|found| &found.never_seen),
            crowded: all(|found| &found.crowded),
        };
        self.note(Some(numbers));
        Ok(())
    }

    fn note(&self, numbers: Option<DeclarationNumbers>) {
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = numbers;
    }
}

impl DeclaredSource {
    fn all(declaration: &Declaration) -> impl Iterator<Item = Self> {
        declaration.sources.iter().map(|source| {
            let metrics = declaration.metrics.iter().filter(|metric| metric.is_of(source));
            let metrics = metrics.flat_map(|metric| {
                let place = metric.path.to_string();
                metric.parts().into_iter().map(move |name| (name, place.clone()))
            });
            let dimensions = declaration.dimensions.iter().map(|dimension| {
                let place = match &dimension.from {
                    From::Path(path) => path.to_string(),
                    From::Header(name) => format!("the header {name}"),
                    From::Uri(part) => format!("the {} in the URI", part.word()),
                };
                (dimension.name.clone(), place)
            });
            Self {
                source: Source::named(&source.to_string()),
                metrics: metrics.collect(),
                dimensions: dimensions.collect(),
            }
        })
    }

    async fn look(&self, reads: &dyn AggregateReads) -> Result<Found, AggregateError> {
        let mut values = Vec::new();
        for (name, _) in &self.dimensions {
            let listed = reads
                .dimension_values(&self.source, &Dimension::named(name), &[], VALUES_MAX + 2)
                .await?;
            // What states none is listed, too.
            let stated = listed.values.iter().filter(|value| *value != UNKNOWN).count();
            values.push(stated as u64 + listed.left_out);
        }
        let (stored, is_whole) = metrics_of(reads, &self.source, METRICS_MAX).await?;
        let stored = is_whole.then(|| BTreeSet::from_iter(stored));
        Ok(self.found(stored.as_ref(), &values))
    }

    /// What is to be told, where these metrics came and the dimensions have so many values.
    fn found(&self, stored: Option<&BTreeSet<String>>, values: &[u64]) -> Found {
        let Self {
            source,
            metrics,
            dimensions,
        } = self;
        let absent = metrics
            .iter()
            .filter(|(name, _)| stored.is_some_and(|stored| !stored.contains(name)));
        let crowds = dimensions
            .iter()
            .zip(values)
            .filter(|(_, values)| **values > VALUES_MAX as u64);
        Found {
            never_seen: absent
                .map(|(name, place)| format!("{source} {name} at {place}"))
                .collect(),
            crowded: crowds
                .map(|((name, place), values)| {
                    format!("{source} {name} at {place} ({} values)", count(*values))
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARATION: &str = r#"
$highwater: product/1
sources: [inky/run, inky/page]
dimensions:
  host: { path: /machine/host }
  agent: { header: User-Agent }
  channel: { uri: channel }
metrics:
  run:
    hits: { type: rate, path: /hits }
  all:
    size: { type: quantity, path: /size }
"#;

    #[test]
    fn each_source_is_told_by_the_places_of_its_declaration() {
        let declaration = Declaration::read(DECLARATION).expect("a declaration");
        let [run, page]: [DeclaredSource; 2] = DeclaredSource::all(&declaration)
            .collect::<Vec<_>>()
            .try_into()
            .unwrap_or_else(|_| panic!("two sources"));
        let stored = BTreeSet::from(["run.hits:numerator".to_owned()]);
        let found = run.found(Some(&stored), &[1_001, 1_000, 20_000]);
        assert_eq!(
            found.never_seen,
            [
                "inky/run run.hits:denominator at /hits",
                "inky/run all.size at /size"
            ]
        );
        assert_eq!(
            found.crowded,
            [
                "inky/run host at /machine/host (1,001 values)",
                "inky/run channel at the channel in the URI (20,000 values)"
            ]
        );
        let found = page.found(Some(&BTreeSet::new()), &[0, 5_000, 0]);
        assert_eq!(found.never_seen, ["inky/page all.size at /size"]);
        assert_eq!(
            found.crowded,
            ["inky/page agent at the header user-agent (5,000 values)"]
        );
        assert_eq!(page.found(None, &[1, 1, 1]), Found::default());
    }

    #[test]
    fn another_declaration_is_looked_at_from_its_beginning() {
        let declaration = Declaration::read(DECLARATION).expect("a declaration");
        let declared = Declared::by([]);
        let before = Round::of(declared.sources.get());
        declared.go_by([&declaration]);
        let after = declared.sources.get();
        assert!(!Arc::ptr_eq(&before.sources, &after));
        assert_eq!((before.found.len(), Round::of(after).found.len()), (0, 2));
    }
}
