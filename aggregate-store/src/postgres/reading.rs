//! Questions about what is in use: each is answered from one moment.

use async_trait::async_trait;
use futures_util::future::join;
use ping::RecordId;
use tokio::sync::mpsc;

use super::series::{self, Asked};
use super::snapshot::{self, Question};
use super::{
    PostgresAggregates, catalogue, counters, counts, dimension_values, dump, errored, listing, users, values,
};
use crate::{
    AboutSource, AggregateError, AggregateReads, Bounds, CellQuery, DateClock, Days, Dimension, ErroredRow,
    Filter, FilterOptions, Listed, Series, Source, SourcePings, Status, StoredMetric, UserDay, UserQuery,
    ValueOf, VersionDate, pieces,
};

impl PostgresAggregates {
    /// Asks the epochs of a source that are in use.
    async fn ask<G: Sync, T: Send>(
        &self,
        doing: &'static str,
        question: Question<'_, G, T>,
    ) -> Result<T, AggregateError> {
        self.read(doing, question, |client, question| {
            Box::pin(snapshot::of_pieces(client, question))
        })
        .await
    }
}

#[async_trait]
impl AggregateReads for PostgresAggregates {
    async fn channels(&self, source: &Source, limit: usize) -> Result<Listed<String>, AggregateError> {
        let question = Question {
            source,
            given: limit,
            ask: |client, piece, limit| Box::pin(listing::channels(client, &piece.source, *limit)),
            unite: |answers, limit| pieces::listed(answers, *limit),
        };
        self.ask("list channels", question).await
    }

    async fn dates(
        &self,
        source: &Source,
        clock: DateClock,
        channel: &str,
        limit: usize,
    ) -> Result<Listed<VersionDate>, AggregateError> {
        let question = Question {
            source,
            given: (clock, channel, limit),
            ask: |client, piece, (clock, channel, limit)| {
                Box::pin(listing::dates(client, &piece.source, *clock, channel, *limit))
            },
            unite: |answers, (_, _, limit)| pieces::listed(answers, *limit),
        };
        self.ask("list dates", question).await
    }

    async fn filter_options(
        &self,
        source: &Source,
        channel: &str,
        version: &str,
        limit: usize,
    ) -> Result<FilterOptions, AggregateError> {
        let question = Question {
            source,
            given: (channel, version, limit),
            ask: |client, piece, (channel, version, limit)| {
                Box::pin(listing::filter_options(
                    client,
                    &piece.source,
                    channel,
                    version,
                    *limit,
                ))
            },
            unite: |answers, (_, _, limit)| pieces::filter_options(answers, *limit),
        };
        self.ask("list filters", question).await
    }

    async fn values_of(
        &self,
        query: &CellQuery,
        of: ValueOf,
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        let question = Question {
            source: &query.source,
            given: (query, of, limit),
            ask: |client, piece, (query, of, limit)| {
                Box::pin(
                    async move { values::read(client, &pieces::of_cells(query, piece), of, *limit).await },
                )
            },
            unite: |answers, (_, _, limit)| pieces::listed_last(answers, *limit),
        };
        self.ask("list values of cells", question).await
    }

    async fn series(&self, query: &CellQuery, bounds: Bounds) -> Result<Series, AggregateError> {
        let asked = Asked {
            query,
            bounds,
            known: &self.known,
        };
        self.read("sum up cells", asked, |client, asked| {
            Box::pin(async move {
                // A moment before: what the rows hold reaches as far at least.
                let newest_received = counters::newest_received(client);
                // Both end, so that no transaction is left open.
                let (newest_received, rows) = join(newest_received, series::read(client, asked)).await;
                Ok(Series {
                    rows: rows?,
                    newest_received: newest_received?,
                })
            })
        })
        .await
    }

    async fn sources(&self, limit: usize) -> Result<Listed<Source>, AggregateError> {
        self.read("list sources", limit, |client, limit| {
            Box::pin(snapshot::of_all(client, limit, |client, epochs, limit| {
                Box::pin(catalogue::sources(client, epochs, *limit))
            }))
        })
        .await
    }

    async fn about(&self, source: &Source) -> Result<Option<AboutSource>, AggregateError> {
        let question = Question {
            source,
            given: (),
            ask: |client, piece, ()| {
                Box::pin(async move {
                    let about = catalogue::about(client, &piece.source).await?;
                    Ok(about.and_then(|about| pieces::about(vec![(piece.days, about)])))
                })
            },
            unite: |answers, ()| {
                let answers = answers.into_iter().flatten();
                pieces::about(answers.map(|about| (Days::ALL, about)).collect())
            },
        };
        self.ask("look at a source", question).await
    }

    async fn dimension_values(
        &self,
        source: &Source,
        dimension: &Dimension,
        filters: &[Filter],
        limit: usize,
    ) -> Result<Listed<String>, AggregateError> {
        let question = Question {
            source,
            given: (dimension, filters, limit),
            ask: |client, piece, (dimension, filters, limit)| {
                Box::pin(async move {
                    let filters = filters.iter().cloned().chain(pieces::on(piece.days));
                    let filters: Vec<Filter> = filters.collect();
                    dimension_values::read(client, &piece.source, dimension.as_str(), &filters, *limit).await
                })
            },
            unite: |answers, (_, _, limit)| pieces::listed(answers, *limit),
        };
        self.ask("list values of a dimension", question).await
    }

    async fn metrics(
        &self,
        source: &Source,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StoredMetric>, AggregateError> {
        let question = Question {
            source,
            given: (after, limit),
            ask: |client, piece, (after, limit)| {
                Box::pin(catalogue::metrics(client, &piece.source, *after, *limit))
            },
            unite: |answers, (_, limit)| pieces::metrics(answers, *limit),
        };
        self.ask("list metrics", question).await
    }

    async fn user_groups(&self, query: &UserQuery, limit: usize) -> Result<Listed<String>, AggregateError> {
        let question = Question {
            source: &query.source,
            given: (query, limit),
            ask: |client, piece, (query, limit)| {
                Box::pin(async move {
                    match pieces::of_users(query, piece) {
                        Some(query) => users::groups(client, &query, *limit).await,
                        None => Ok(Listed::default()),
                    }
                })
            },
            unite: |answers, (_, limit)| pieces::listed(answers, *limit),
        };
        self.ask("find the largest groups of users", question).await
    }

    async fn users(&self, query: &UserQuery, limit: usize) -> Result<Vec<UserDay>, AggregateError> {
        let question = Question {
            source: &query.source,
            given: (query, limit),
            ask: |client, piece, (query, limit)| {
                Box::pin(async move {
                    match pieces::of_users(query, piece) {
                        Some(query) => users::read(client, &query, *limit).await,
                        None => Ok(Vec::new()),
                    }
                })
            },
            unite: |answers, _| pieces::users(answers),
        };
        self.ask("unite users", question).await
    }

    async fn status(&self) -> Result<Status, AggregateError> {
        self.read("read the counters", (), |client, ()| {
            Box::pin(counters::status(client))
        })
        .await
    }

    async fn source_pings(&self, limit: usize) -> Result<Listed<SourcePings>, AggregateError> {
        self.read("count pings by source", limit, |client, limit| {
            Box::pin(snapshot::of_all(client, limit, |client, epochs, limit| {
                Box::pin(counts::read(client, epochs, *limit))
            }))
        })
        .await
    }

    async fn errored(
        &self,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<ErroredRow>, AggregateError> {
        self.read("list errored pings", (after, limit), |client, (after, limit)| {
            Box::pin(errored::page(client, *after, *limit))
        })
        .await
    }

    async fn dump(&self, lines: mpsc::Sender<String>) -> Result<(), AggregateError> {
        let sent = self
            .connections
            .snapshot(lines, |transaction, lines| {
                Box::pin(dump::send(transaction, lines))
            })
            .await;
        self.told("dump the aggregates", sent)
    }
}
