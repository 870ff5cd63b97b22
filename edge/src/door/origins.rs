//! Which pages may send pings by script (CORS): preflights, and the headers without which a browser keeps an answer, or
//! does not send at all.
//!
//! An answer carries the page's own origin and allows credentials, since browsers send a JSON blob by `sendBeacon` with
//! credentials, and for that take neither `*` nor the origin alone. No cookie is read or set. This decides what browsers
//! send and show, not what is taken: a ping of plain text comes without a preflight, and is kept whoever sends it.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use service::http::text;

use super::check::is_below_submit;

/// The headers that a script may set, beside those that need no leave.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "content-type, content-encoding, date, x-telemetry-agent, x-debug-id, x-source-tags",
);

/// How long a browser may keep an answer to a preflight, in seconds; Chromium does for two hours at most.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

/// The longest origin that is answered, in bytes: a scheme, a host name of 253 bytes, and a port.
const ORIGIN_BYTES_MAX: usize = 512;

/// The origins whose scripts may send pings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// Those of any page.
    #[default]
    Any,
    /// These, as browsers write them; may be none.
    Listed(BTreeSet<String>),
}

/// An origin that no browser sends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no origin: write any, none, or origins as browsers send them, without a path, such as https://shop.example or http://127.0.0.1:3000"
)]
pub struct NoOrigin(String);

impl Origins {
    /// The origins of a setting: `any`, `none`, or a list.
    ///
    /// # Errors
    /// When an entry is none of these.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, NoOrigin> {
        let entries: Vec<&str> = entries.into_iter().collect();
        match entries[..] {
            ["any"] => Ok(Self::Any),
            ["none"] | [] => Ok(Self::Listed(BTreeSet::new())),
            _ => entries
                .into_iter()
                .map(origin)
                .collect::<Result<_, _>>()
                .map(Self::Listed),
        }
    }

    /// The answer to a preflight, when a request is one: whether a page's script may send a ping.
    pub(super) fn preflight<B>(&self, request: &Request<B>) -> Option<(Preflight, Response<Full<Bytes>>)> {
        let headers = request.headers();
        let is_preflight = request.method() == Method::OPTIONS
            && is_below_submit(request.uri().path())
            && headers.contains_key(ORIGIN)
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight {
            return None;
        }
        let origin = headers.get(ORIGIN);
        let (outcome, mut answer) = if origin.is_some_and(|origin| self.admits(origin)) {
            (Preflight::Admitted, text(StatusCode::NO_CONTENT, ""))
        } else {
            let told = "forbidden\npages of your origin may not send pings here: the setting --submit-origins names those that may\n";
            (Preflight::Refused, text(StatusCode::FORBIDDEN, told))
        };
        self.mark(origin, answer.headers_mut());
        if outcome == Preflight::Admitted {
            let marks = answer.headers_mut();
            marks.insert(
                ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static("POST, PUT"),
            );
            marks.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
            marks.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
        Some((outcome, answer))
    }

    /// Adds to an answer, be it a refusal or not, what a browser must find there to show it to a page of this origin.
    pub(super) fn mark(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) {
        let Some(origin) = origin else {
            return;
        };
        answer.append(VARY, HeaderValue::from_static("Origin"));
        if self.admits(origin) {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            answer.insert(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("retry-after"),
            );
        }
    }

    fn admits(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else {
            return false;
        };
        match self {
            Self::Any => !origin.is_empty() && origin.len() <= ORIGIN_BYTES_MAX,
            Self::Listed(listed) => listed.contains(origin),
        }
    }
}

/// What became of a preflight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preflight {
    /// The browser will send the ping.
    Admitted,
    /// The browser will not.
    Refused,
}

impl Preflight {
    /// The outcome as metrics name it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Refused => "refused",
        }
    }
}

/// An origin as browsers send it: lower case, without the port that goes without saying.
fn origin(entry: &str) -> Result<String, NoOrigin> {
    let wrong = || NoOrigin(entry.to_owned());
    if entry == "null" {
        return Ok(entry.to_owned()); // pages from files, and sandboxed frames
    }
    let entry = entry.to_ascii_lowercase();
    let (scheme, host) = entry.split_once("://").ok_or_else(wrong)?;
    let is_scheme = scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let authority: http::uri::Authority = host.parse().map_err(|_| wrong())?;
    if !is_scheme || authority.host().is_empty() || host.contains(['@', '*', '/', '?', '#']) {
        return Err(wrong());
    }
    let without = match scheme {
        "http" => host.strip_suffix(":80"),
        "https" => host.strip_suffix(":443"),
        _ => None,
    };
    Ok(format!("{scheme}://{}", without.unwrap_or(host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(origins: &Origins, origin: &str) -> bool {
        origins.admits(&HeaderValue::from_str(origin).expect("a value"))
    }

    #[test]
    fn a_list_admits_what_browsers_make_of_it_and_no_more() {
        let entries = [
            "https://Shop.example",
            "https://b.example:443",
            "http://c.example:80",
            "http://127.0.0.1:3000",
            "null",
        ];
        let origins = Origins::parse(entries).expect("origins");
        for origin in [
            "https://shop.example",
            "https://b.example",
            "http://c.example",
            "http://127.0.0.1:3000",
            "null",
        ] {
            assert!(admits(&origins, origin), "{origin}");
        }
        for origin in [
            "http://shop.example",
            "https://shop.example:8443",
            "https://shop.example.evil.example",
            "https://evil.example",
            "",
        ] {
            assert!(!admits(&origins, origin), "{origin}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_refused_with_what_to_write() {
        for entry in [
            "shop.example",
            "*",
            "https://",
            "https://shop.example/",
            "https://shop.example/path",
            "https://*.shop.example",
            "https://user@shop.example",
            "://a",
            "",
        ] {
            let error = Origins::parse([entry]).expect_err(entry).to_string();
            assert!(error.contains("https://shop.example"), "{error}");
        }
        assert!(Origins::parse(["any", "https://shop.example"]).is_err());
    }

    #[test]
    fn any_admits_any_but_the_endless_and_none_admits_none() {
        let any = Origins::parse(["any"]).expect("any");
        assert_eq!(any, Origins::default());
        assert!(admits(&any, "https://shop.example") && admits(&any, "null"));
        assert!(!admits(&any, &format!("https://{}", "a".repeat(600))));
        assert!(!admits(&Origins::parse(["none"]).expect("none"), "null"));
    }
}
