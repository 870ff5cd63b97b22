//! Questions to the database, each answered from one snapshot to which what is held in memory is added.

use std::sync::Arc;

use ping::{ChunkId, DocumentKey, RecordId};
use rusqlite::Connection;
use tokio::sync::mpsc;

use super::decoded::Cache;
use super::limits::INSTRUCTIONS_BETWEEN_LOOKS;
use super::workers::{Asker, Workers};
use super::{
    catalogue, chunks, counters, counts, dimension_values, dump, epochs, errored, layers, present, seen,
    series, users, values,
};
use crate::layer::{Held, LayerStatus, Part};
use crate::pieces;
use crate::{
    AboutSource, AggregateError, Bounds, CellQuery, DateClock, Dimension, ErroredRow, Filter, FilterOptions,
    Listed, Piece, SeenRow, Series, Source, SourcePings, Status, StoredMetric, UserDay, UserQuery, ValueOf,
    VersionDate,
};

/// The reading threads, and what their answers add.
pub(crate) struct Reading<'a> {
    readers: &'a Workers<Connection>,
    fold_readers: &'a Workers<Connection>,
    held: Arc<Held>,
    decoded: Option<&'a Arc<Cache>>,
}

impl<'a> Reading<'a> {
    pub(super) const fn new(
        readers: &'a Workers<Connection>,
        fold_readers: &'a Workers<Connection>,
        held: Arc<Held>,
        decoded: Option<&'a Arc<Cache>>,
    ) -> Self {
        Self {
            readers,
            fold_readers,
            held,
            decoded,
        }
    }

    /// Looks something up for the fold, or for the watch over the whole: never behind questions of others.
    async fn look_up<T: Send + 'static>(
        self,
        doing: &'static str,
        work: impl FnOnce(&Connection, &[&Part]) -> Result<T, AggregateError> + Send + 'static,
    ) -> Result<T, AggregateError> {
        let held = self.held;
        let job = move |connection: &mut Connection| of_one_moment(connection, &held, work);
        self.fold_readers.run(doing, job).await
    }

    /// Answers a question, as long as somebody waits for the answer.
    pub(super) async fn answer<T: Send + 'static>(
        self,
        doing: &'static str,
        work: impl FnOnce(&Connection, &[&Part]) -> Result<T, AggregateError> + Send + 'static,
    ) -> Result<T, AggregateError> {
        let held = self.held;
        let job = move |connection: &mut Connection, asker: Asker| {
            let is_gone = move || asker.is_gone();
            connection.progress_handler(INSTRUCTIONS_BETWEEN_LOOKS, Some(is_gone))?;
            let outcome = of_one_moment(connection, &held, work);
            connection.progress_handler(0, None::<fn() -> bool>)?;
            outcome
        };
        self.readers.ask(doing, job).await
    }

    pub(crate) async fn channels(
        self,
        source: &Source,
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        let source = source.clone();
        self.answer("list channels", move |connection, held| {
            let channels = |piece: &Piece| present::channels(connection, held, &piece.source, limit);
            of_pieces(connection, &source, channels, |answers| {
                pieces::listed(answers, limit)
            })
        })
        .await
    }

    pub(crate) async fn dates(
        self,
        source: &Source,
        clock: DateClock,
        channel: &str,
        limit: usize,
    ) -> Result<Listed<VersionDate>, AggregateError> {
        let (source, channel) = (source.clone(), channel.to_owned());
        self.answer("list dates", move |connection, held| {
            let dates =
                |piece: &Piece| present::dates(connection, held, &piece.source, clock, &channel, limit);
            of_pieces(connection, &source, dates, |answers| {
                pieces::listed(answers, limit)
            })
        })
        .await
    }

    pub(crate) async fn filter_options(
        self,
        source: &Source,
        channel: &str,
        version: &str,
        limit: usize,
    ) -> Result<FilterOptions, AggregateError> {
        let (source, channel, version) = (source.clone(), channel.to_owned(), version.to_owned());
        self.answer("list filters", move |connection, held| {
            let options = |piece: &Piece| {
                present::filter_options(connection, held, &piece.source, &channel, &version, limit)
            };
            of_pieces(connection, &source, options, |answers| {
                pieces::filter_options(answers, limit)
            })
        })
        .await
    }

    pub(crate) async fn values_of(
        self,
        query: &CellQuery,
        of: ValueOf,
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        let query = query.clone();
        self.answer("list values of cells", move |connection, held| {
            let values =
                |piece: &Piece| values::read(connection, held, &pieces::of_cells(&query, piece), &of, limit);
            of_pieces(connection, &query.source, values, |answers| {
                pieces::listed_last(answers, limit)
            })
        })
        .await
    }

    pub(crate) async fn series(self, query: &CellQuery, bounds: Bounds) -> Result<Series, AggregateError> {
        let query = query.clone();
        let decoded = self.decoded.map(Arc::clone);
        let before = decoded.as_ref().and_then(|cache| cache.moment());
        self.answer("sum cells", move |connection, held| {
            // Nothing became visible between the two looks: so the snapshot, which the second one finds open, is of that moment.
            let kept = decoded
                .as_deref()
                .and_then(|cache| Some((cache, cache.moment()?)));
            let kept = kept.filter(|(_, moment)| before == Some(*moment));
            let sums = |piece: &Piece| {
                let query = pieces::of_cells(&query, piece);
                series::read(connection, held, kept, &query, bounds)
            };
            Ok(Series {
                rows: of_pieces(connection, &query.source, sums, pieces::series)?,
                newest_received: counters::newest_received(connection, held)?,
            })
        })
        .await
    }

    pub(crate) async fn sources(self, limit: usize) -> Result<Listed<Source>, AggregateError> {
        self.answer("list sources", move |connection, held| {
            catalogue::sources(connection, held, limit)
        })
        .await
    }

    pub(crate) async fn about(self, source: &Source) -> Result<Option<AboutSource>, AggregateError> {
        let source = source.clone();
        self.answer("look at a source", move |connection, held| {
            let mut answers = Vec::new();
            for piece in epochs::read(connection)?.pieces(&source) {
                let about = catalogue::about(connection, held, &piece.source)?;
                answers.extend(about.map(|about| (piece.days, about)));
            }
            Ok(pieces::about(answers))
        })
        .await
    }

    pub(crate) async fn dimension_values(
        self,
        source: &Source,
        dimension: &Dimension,
        filters: &[Filter],
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        let (source, dimension, filters) = (source.clone(), dimension.clone(), filters.to_vec());
        self.answer("list values of a dimension", move |connection, held| {
            let values = |piece: &Piece| {
                let filters: Vec<Filter> = filters.iter().cloned().chain(pieces::on(piece.days)).collect();
                dimension_values::read(
                    connection,
                    held,
                    &piece.source,
                    dimension.as_str(),
                    &filters,
                    limit,
                )
            };
            of_pieces(connection, &source, values, |answers| {
                pieces::listed(answers, limit)
            })
        })
        .await
    }

    pub(crate) async fn metrics(
        self,
        source: &Source,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StoredMetric>, AggregateError> {
        let (source, after) = (source.clone(), after.map(str::to_owned));
        self.answer("list metrics", move |connection, held| {
            let metrics =
                |piece: &Piece| catalogue::metrics(connection, held, &piece.source, after.as_deref(), limit);
            of_pieces(connection, &source, metrics, |answers| {
                pieces::metrics(answers, limit)
            })
        })
        .await
    }

    pub(crate) async fn user_groups(
        self,
        query: &UserQuery,
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        let query = query.clone();
        self.answer("find the largest groups of users", move |connection, held| {
            let groups = |piece: &Piece| match pieces::of_users(&query, piece) {
                Some(query) => users::groups(connection, held, &query, limit),
                None => Ok(Listed::default()),
            };
            of_pieces(connection, &query.source, groups, |answers| {
                pieces::listed(answers, limit)
            })
        })
        .await
    }

    pub(crate) async fn users(self, query: &UserQuery, limit: usize) -> Result<Vec<UserDay>, AggregateError> {
        let query = query.clone();
        self.answer("unite users", move |connection, held| {
            let days = |piece: &Piece| match pieces::of_users(&query, piece) {
                Some(query) => users::read(connection, held, &query, limit),
                None => Ok(Vec::new()),
            };
            of_pieces(connection, &query.source, days, pieces::users)
        })
        .await
    }

    pub(crate) async fn status(self) -> Result<Status, AggregateError> {
        self.look_up("read the counters", counters::status).await
    }

    pub(crate) async fn source_pings(self, limit: usize) -> Result<Listed<SourcePings>, AggregateError> {
        self.look_up("count pings by source", move |connection, held| {
            counts::read(connection, held, limit)
        })
        .await
    }

    pub(crate) async fn layer(self) -> Result<LayerStatus, AggregateError> {
        self.look_up("read what was written last", layers::status).await
    }

    pub(crate) async fn errored(
        self,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<ErroredRow>, AggregateError> {
        self.look_up("list errored pings", move |connection, held| {
            errored::page(connection, held, after, limit)
        })
        .await
    }

    pub(crate) async fn dump(self, lines: mpsc::Sender<String>) -> Result<(), AggregateError> {
        self.answer("dump the aggregates", move |connection, held| {
            dump::send(connection, held, &lines)
        })
        .await
    }

    pub(crate) async fn folded(self, chunks: &[ChunkId]) -> Result<Vec<bool>, AggregateError> {
        let chunks = chunks.to_vec();
        self.look_up("look up folded chunks", move |connection, held| {
            chunks::are_folded(connection, held, &chunks)
        })
        .await
    }

    pub(crate) async fn folded_ids(
        self,
        after: Option<ChunkId>,
        limit: usize,
    ) -> Result<Vec<ChunkId>, AggregateError> {
        self.look_up("list folded chunks", move |connection, held| {
            chunks::page(connection, held, after, limit)
        })
        .await
    }

    pub(crate) async fn seen(self, documents: &[DocumentKey]) -> Result<Vec<SeenRow>, AggregateError> {
        let documents = documents.to_vec();
        self.look_up("look up copies", move |connection, held| {
            seen::find(connection, held, &documents)
        })
        .await
    }
}

/// An answer of one epoch as it is, of several made of theirs.
fn of_pieces<T>(
    connection: &Connection,
    source: &Source,
    answer: impl Fn(&Piece) -> Result<T, AggregateError>,
    all: impl FnOnce(Vec<T>) -> T,
) -> Result<T, AggregateError> {
    let pieces = epochs::read(connection)?.pieces(source);
    if let [piece] = pieces.as_slice() {
        return answer(piece);
    }
    let answers = pieces.iter().map(answer).collect::<Result<Vec<T>, _>>()?;
    Ok(all(answers))
}

/// Answers from one moment: every question is a transaction of its own, and of what is held only that is added which is not
/// in its snapshot.
fn of_one_moment<T>(
    connection: &mut Connection,
    held: &Held,
    work: impl FnOnce(&Connection, &[&Part]) -> Result<T, AggregateError>,
) -> Result<T, AggregateError> {
    let snapshot = connection.transaction()?;
    // Asked in any case: with the first question the snapshot is open.
    let newest = layers::newest(&snapshot, held.writer)?;
    work(&snapshot, &held.beyond(newest))
}
