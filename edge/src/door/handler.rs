//! One request from its head to its answer: health, preflight, checks, body, log.

use std::sync::Arc;

use bytes::Bytes;
use http::header::ORIGIN;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use service::dockerflow::{self, Health};
use service::http::{Answer, BodyBudget, BodyError, Handler, Hangup, read_body, text};

use super::check::check;
use super::origins::Origins;
use super::rejection::{Rejection, Rejections};
use super::{DoorLimits, headers, metrics};
use crate::intake::{Accepted, Intake};
use crate::limits::BODY_BYTES_MAX;

/// Takes submissions and hands them to an intake.
#[derive(Debug)]
pub struct SubmissionHandler<I> {
    intake: Arc<I>,
    health: Health,
    limits: DoorLimits,
    origins: Origins,
    bodies: BodyBudget,
    rejections: Arc<Rejections>,
}

impl<I: Intake> SubmissionHandler<I> {
    /// A door before this intake.
    pub fn new(intake: Arc<I>, health: Health, mut limits: DoorLimits) -> Self {
        limits.body.bytes_max = limits.body.bytes_max.min(BODY_BYTES_MAX as u64);
        let bodies = BodyBudget::new(limits.bodies_bytes_max);
        Self {
            intake,
            health,
            limits,
            origins: Origins::default(),
            bodies,
            rejections: Arc::default(),
        }
    }

    /// The same for scripts of pages of these origins; else of any.
    #[must_use]
    pub fn open_to(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// How often requests were not taken, by reason.
    pub fn rejections(&self) -> Arc<Rejections> {
        Arc::clone(&self.rejections)
    }

    /// Takes a submission. The body is not looked into.
    async fn take(&self, request: Request<Incoming>) -> Result<(), Rejection> {
        let (head, body) = request.into_parts();
        let body_bytes = body.size_hint().lower();
        check(&head, body_bytes, &self.limits)?;
        self.intake.admit(body_bytes)?;
        let body = read_body(body, &head.extensions, &self.limits.body, &self.bodies)
            .await
            .map_err(of_body)?;
        let uri = head.uri.path_and_query().map_or("", |uri| uri.as_str());
        let accepted = Accepted {
            uri: Bytes::copy_from_slice(uri.as_bytes()),
            headers: headers::stored(&head.headers),
            body,
        };
        let body_bytes = accepted.body.len();
        self.intake.submit(accepted).await?;
        metrics::accepted(body_bytes);
        Ok(())
    }
}

impl<I: Intake> Handler for SubmissionHandler<I> {
    async fn handle(&self, request: Request<Incoming>) -> Answer {
        if let Some(answer) = dockerflow::answer(&request, &self.health) {
            return Ok(answer);
        }
        if let Some((outcome, answer)) = self.origins.preflight(&request) {
            metrics::preflight(outcome.word());
            return Ok(answer);
        }
        let origin = request.headers().get(ORIGIN).cloned();
        let mut answer = match self.take(request).await {
            Ok(()) => text(StatusCode::OK, "OK"),
            Err(rejection) => {
                self.rejections.count(rejection);
                rejection.answer().ok_or(Hangup)?
            }
        };
        self.origins.mark(origin.as_ref(), answer.headers_mut());
        Ok(answer)
    }

    fn is_heartbeat(&self, request: &Request<Incoming>) -> bool {
        dockerflow::is_asked(request)
    }

    fn no_seat(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let rejection = Rejection::Overloaded;
        self.rejections.count(rejection);
        let mut answer = rejection.answer().expect("an overload is told");
        self.origins
            .mark(request.headers().get(ORIGIN), answer.headers_mut());
        answer
    }
}

const fn of_body(error: BodyError) -> Rejection {
    match error {
        BodyError::TooLarge => Rejection::Body,
        BodyError::NoRoom => Rejection::Overloaded,
        BodyError::Slow => Rejection::SlowBody,
        BodyError::Cut => Rejection::CutBody,
    }
}
