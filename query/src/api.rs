//! The API as a handler of requests: from a request to its route, and back to a response.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aggregate_store::AggregateReads;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use index_schema::Index;
use service::clock::Clock;
use service::current::Current;
use service::dockerflow::{self, Health};
use service::http::{Answer, ConnectionLimits, Handler};
use service::task;
use tokio::sync::Semaphore;

use crate::charted::Charted;
use crate::definitions::Definitions;
use crate::generic::refuse_strangers;
use crate::health::HealthSource;
use crate::limits::{ANSWER_TIME_MAX, SENDING_BYTES_MAX};
use crate::live::Live;
use crate::parameters::Parameters;
use crate::problem::{Problem, Reason};
use crate::raw_pings::PingsDoor;
use crate::reply::{self, KIB, Reply};
use crate::route::{self, Route};
use crate::routes::{
    Question, aggregates, catalogue, channels, dates, engagement, filters, generic_aggregates,
    generic_values, health, metric_list, openapi, page, partitions, pings, products, sources, status, values,
};
use crate::status_report::StatusSource;
use crate::turns::Turns;
use crate::withheld::Withheld;

/// What the API is made of.
pub struct Parts {
    /// Aggregates; a rebuild exchanges them.
    pub reads: Arc<Current<dyn AggregateReads>>,
    /// The index, for the list of products.
    pub index: Arc<dyn Index>,
    /// Who counts pings.
    pub status: Arc<dyn StatusSource>,
    /// Who watches the whole.
    pub watch: Arc<dyn HealthSource>,
    /// Whether a product's pings are folded.
    pub charted: Box<Charted>,
    /// Who finds raw pings, if they are answered.
    pub pings: PingsDoor,
    /// What definition files and declarations say; may be empty. Exchanged when they change.
    pub definitions: Arc<Current<Definitions>>,
    /// Metrics that are never shown; one that ends in `*` stands for all that begin so.
    pub withheld: Vec<String>,
    /// What the heartbeat asks.
    pub health: Health,
    /// For the time that answers take.
    pub clock: Arc<dyn Clock>,
}

/// How an API's connections are limited: what is asked by a client that is gone ends.
pub fn connection_limits() -> ConnectionLimits {
    ConnectionLimits {
        answer_half_closed: false,
        ..ConnectionLimits::default()
    }
}

/// Answers the routes of the API and serves the page.
pub struct Api {
    reads: Arc<Current<dyn AggregateReads>>,
    index: Arc<dyn Index>,
    status: Arc<dyn StatusSource>,
    watch: Arc<dyn HealthSource>,
    charted: Box<Charted>,
    pings: PingsDoor,
    definitions: Arc<Current<Definitions>>,
    withheld: Withheld,
    health: Health,
    clock: Arc<dyn Clock>,
    turns: Turns,
    /// Room, in KiB, for what is being sent.
    sending: Arc<Semaphore>,
    answer_time: Duration,
}

impl Api {
    /// An API of these parts.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            reads,
            index,
            status,
            watch,
            charted,
            pings,
            definitions,
            withheld,
            health,
            clock,
        } = parts;
        Self {
            reads,
            index,
            status,
            watch,
            charted,
            pings,
            definitions,
            withheld: Withheld::new(withheld),
            health,
            clock,
            turns: Turns::new(),
            sending: Arc::new(Semaphore::new(SENDING_BYTES_MAX / KIB)),
            answer_time: ANSWER_TIME_MAX,
        }
    }

    /// The same API, whose questions may take so long and no longer: for tests.
    #[must_use]
    pub fn answering_within(self, answer_time: Duration) -> Self {
        Self { answer_time, ..self }
    }

    /// The answer to a request; its body is not read.
    pub async fn answer<B: Sync>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let started = self.clock.monotonic();
        let (route, response) = match dockerflow::answer(request, &self.health) {
            Some(response) => ("dockerflow", response),
            None => {
                let uri = request.uri();
                let (route, mut response) = self.answer_route(request.method(), uri, request.headers()).await;
                if route::is_open_to_scripts(uri.path()) {
                    reply::open_to_scripts(response.headers_mut());
                }
                (route, response)
            }
        };
        let took = self.clock.monotonic().saturating_sub(started);
        crate::metrics::answered(route, response.status(), took);
        tracing::debug!(
            route,
            status = response.status().as_u16(),
            ?took,
            "answered a question"
        );
        response
    }

    async fn answer_route(
        &self,
        method: &Method,
        uri: &http::Uri,
        headers: &HeaderMap,
    ) -> (&'static str, Response<Full<Bytes>>) {
        let Some(route) = Route::parse(uri.path()) else {
            let sentence =
                "There is no such path. The page is at /, the API below /aggregates_by/ and /api/v1/.";
            return ("none", Problem::new(Reason::NotFound, sentence).into_response());
        };
        let response = match *method {
            Method::OPTIONS => reply::options(),
            Method::GET | Method::HEAD => match self.in_time(&route, uri, headers).await {
                Ok(reply) => reply.into_response(headers),
                Err(problem) => problem.into_response(),
            },
            _ => wrong_method().into_response(),
        };
        (route.name(), response)
    }

    /// The answer to a question in its turn, unless that takes too long. Then, or when whoever asked is gone, what was begun
    /// for it ends.
    async fn in_time(&self, route: &Route, uri: &http::Uri, headers: &HeaderMap) -> Result<Reply, Problem> {
        let answered = async {
            let _turn = match route.is_at_hand() {
                true => None,
                false => Some(self.turns.take().await?),
            };
            self.ask(route, uri, headers).await?.sent_from(&self.sending)
        };
        tokio::select! {
            biased;
            answer = answered => answer,
            () = task::sleep(self.answer_time) => {
                tracing::warn!(route = route.name(), "a question took too long and got 503");
                let seconds = self.answer_time.as_secs_f32();
                Err(Problem::busy(&format!(
                    "There was no answer within {seconds} s. Ask for less, or again when less is asked at a time."
                )))
            }
        }
    }

    fn live(&self) -> Live {
        Live::of(&self.watch.health())
    }

    async fn ask(&self, route: &Route, uri: &http::Uri, headers: &HeaderMap) -> Result<Reply, Problem> {
        if let Route::Page(file) = route {
            return page::answer(file);
        }
        let parameters = Parameters::parse(uri.query().unwrap_or_default(), route.repeated())?;
        match (parameters_of(route), route.is_originals()) {
            (Some(known), true) => parameters.refuse_others(uri.path(), known)?,
            (Some(known), false) => refuse_strangers(&parameters, known)?,
            (None, _) => {}
        }
        let reads = self.reads.get();
        let reads = reads.as_ref();
        let definitions = self.definitions.get();
        let definitions = definitions.as_ref();
        match route {
            Route::Channels(_) => channels::answer(reads).await,
            Route::Dates(clock, channel) => dates::answer(reads, *clock, channel).await,
            Route::Aggregates(clock, channel) => {
                let question = Question::parse(*clock, channel, &parameters)?;
                aggregates::answer(reads, definitions, &self.withheld, &question).await
            }
            Route::Filters => filters::answer(reads, definitions, &self.withheld, &parameters).await,
            Route::Status => status::answer(self.status.as_ref()).await,
            Route::Health => health::answer(self.watch.as_ref()),
            Route::Partitions => partitions::answer(self.index.as_ref(), &parameters).await,
            Route::Engagement => {
                let (index, charted) = (self.index.as_ref(), self.charted.as_ref());
                engagement::answer(reads, index, charted, &parameters).await
            }
            Route::GenericAggregates => {
                let grounds = generic_aggregates::Grounds {
                    reads,
                    index: self.index.as_ref(),
                    charted: self.charted.as_ref(),
                    live: self.live(),
                    definitions,
                    withheld: &self.withheld,
                };
                generic_aggregates::answer(grounds, &parameters).await
            }
            Route::Values => {
                match values::is_of_main(&parameters)
                    && !generic_values::is_listed(reads, &parameters).await?
                {
                    true => values::answer(reads, &self.withheld, &parameters).await,
                    false => generic_values::answer(reads, definitions, self.live(), &parameters).await,
                }
            }
            Route::Metrics => {
                metric_list::answer(reads, definitions, &self.withheld, self.live(), &parameters).await
            }
            Route::Sources => {
                let (index, charted) = (self.index.as_ref(), self.charted.as_ref());
                sources::answer(reads, index, charted, definitions, self.live(), &parameters).await
            }
            Route::Pings => pings::answer(reads, definitions, (&self.pings, headers), &parameters).await,
            Route::Catalogue => {
                let (index, charted) = (self.index.as_ref(), self.charted.as_ref());
                catalogue::answer(reads, index, charted, (definitions, &self.withheld), self.live()).await
            }
            Route::Products => products::answer(reads, self.index.as_ref(), self.charted.as_ref()).await,
            Route::OpenApi => openapi::answer(),
            Route::Page(file) => page::answer(file),
        }
    }
}

impl Handler for Api {
    async fn handle(&self, request: Request<Incoming>) -> Answer {
        let (head, _unread) = request.into_parts();
        Ok(self.answer(&Request::from_parts(head, ())).await)
    }

    fn is_heartbeat(&self, request: &Request<Incoming>) -> bool {
        dockerflow::is_asked(request)
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("reads", &self.reads)
            .field("index", &self.index)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// The parameters of a route; `None` where they depend on the source, and the route itself looks.
fn parameters_of(route: &Route) -> Option<&'static [&'static str]> {
    Some(match route {
        Route::Aggregates(..) => &aggregates::PARAMETERS,
        Route::Filters => &filters::PARAMETERS,
        Route::Engagement => &engagement::PARAMETERS,
        Route::Partitions => &partitions::PARAMETERS,
        Route::Values | Route::GenericAggregates | Route::Metrics | Route::Sources | Route::Pings => {
            return None;
        }
        _ => &[],
    })
}

fn wrong_method() -> Problem {
    let sentence = "This address is for reading: use GET. Pings are POSTed to the edge's address.";
    Problem {
        allow: Some("GET, HEAD, OPTIONS".to_owned()),
        ..Problem::new(Reason::Method, sentence)
    }
}
