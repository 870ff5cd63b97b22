//! By which names a listener is asked. On loopback only under loopback's own names, and those that it is told: else a page
//! whose name is made to point to this machine (DNS rebinding) could read in a browser what asks for no password.

use std::net::{IpAddr, SocketAddr};

use ::http::header::HOST;
use ::http::uri::Authority;
use ::http::{Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;

use super::{Answer, Handler, text};

/// The names under which a listener answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    on_loopback: bool,
    allowed: Vec<String>,
}

impl Hosts {
    /// Those of a listener on this address: any, unless it is on loopback. `allowed` are names or addresses beside
    /// loopback's own, without a port.
    pub fn of(address: SocketAddr, allowed: &[String]) -> Self {
        Self {
            on_loopback: address.ip().to_canonical().is_loopback(),
            allowed: allowed.iter().map(|name| normal(name).to_owned()).collect(),
        }
    }

    /// Whether requests are answered under this name, as the Host header has it, with or without a port.
    pub fn admits(&self, host: &str) -> bool {
        if !self.on_loopback {
            return true;
        }
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        let name = normal(authority.host());
        let allowed = self
            .allowed
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(name));
        allowed || is_of_loopback(name)
    }

    /// The answer to a request that names another host. A request that names none comes from no browser.
    fn refusal<B>(&self, request: &Request<B>) -> Option<Response<Full<Bytes>>> {
        let named = request.uri().authority().map(Authority::as_str);
        let headers = request.headers().get_all(HOST);
        let hosts = headers.iter().map(|host| host.to_str().unwrap_or_default());
        let all_admitted = named.into_iter().chain(hosts).all(|host| self.admits(host));
        (!all_admitted).then(misdirected)
    }
}

/// A name without the brackets of an address and the dot at a name's end.
fn normal(name: &str) -> &str {
    let name = name.strip_suffix('.').unwrap_or(name);
    let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    inner.unwrap_or(name)
}

fn is_of_loopback(name: &str) -> bool {
    if let Ok(address) = name.parse::<IpAddr>() {
        return address.to_canonical().is_loopback();
    }
    let name = name.to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

fn misdirected() -> Response<Full<Bytes>> {
    text(
        StatusCode::MISDIRECTED_REQUEST,
        "this listener is on loopback and answers under loopback's names, such as localhost and 127.0.0.1\n\
         if the name in your request's Host is yours, as behind a proxy, give it by --allowed-host NAME\n",
    )
}

/// A handler whose requests are answered only under the names of its listener: all of them, or those for some paths.
#[derive(Debug)]
pub struct HostCheck<H> {
    handler: H,
    hosts: Hosts,
    paths: Option<&'static [&'static str]>,
}

impl<H> HostCheck<H> {
    /// Compares the names of all requests.
    pub const fn new(handler: H, hosts: Hosts) -> Self {
        Self {
            handler,
            hosts,
            paths: None,
        }
    }

    /// Compares the names of requests for these paths only.
    #[must_use]
    pub const fn only_for(mut self, paths: &'static [&'static str]) -> Self {
        self.paths = Some(paths);
        self
    }

    fn refusal<B>(&self, request: &Request<B>) -> Option<Response<Full<Bytes>>> {
        let path = request.uri().path();
        let compares = self.paths.is_none_or(|paths| paths.contains(&path));
        if compares {
            self.hosts.refusal(request)
        } else {
            None
        }
    }
}

impl<H: Handler> Handler for HostCheck<H> {
    async fn handle(&self, request: Request<Incoming>) -> Answer {
        match self.refusal(&request) {
            Some(refusal) => Ok(refusal),
            None => self.handler.handle(request).await,
        }
    }

    fn is_heartbeat(&self, request: &Request<Incoming>) -> bool {
        self.handler.is_heartbeat(request)
    }

    fn no_seat(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        self.refusal(request)
            .unwrap_or_else(|| self.handler.no_seat(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(address: &str, allowed: &[&str]) -> Hosts {
        let allowed: Vec<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        Hosts::of(address.parse().expect("an address"), &allowed)
    }

    #[test]
    fn on_loopback_only_its_own_names_are_answered() {
        for address in ["127.0.0.1:8081", "[::1]:8081", "[::ffff:127.0.0.1]:8081"] {
            let hosts = hosts(address, &[]);
            for host in [
                "localhost",
                "LocalHost:8081",
                "localhost.",
                "app.localhost:1",
                "127.0.0.1",
                "127.9.9.9:80",
                "[::1]:8081",
                "[::ffff:127.0.0.1]",
            ] {
                assert!(hosts.admits(host), "{address} {host}");
            }
            for host in [
                "",
                "evil.example",
                "evil.example:8081",
                "127.0.0.1.evil.example",
                "localhost.evil.example",
                "notlocalhost",
                "0.0.0.0",
                "10.0.0.7",
                "user@evil.example",
                "a b",
            ] {
                assert!(!hosts.admits(host), "{address} {host}");
            }
        }
    }

    #[test]
    fn a_name_that_is_allowed_is_answered_under_any_port() {
        let hosts = hosts("127.0.0.1:1", &["dash.example", "10.0.0.7", "[fd00::7]"]);
        for host in [
            "dash.example",
            "DASH.example:443",
            "10.0.0.7:80",
            "[fd00::7]",
            "localhost",
        ] {
            assert!(hosts.admits(host), "{host}");
        }
        assert!(!hosts.admits("other.dash.example"));
    }

    #[test]
    fn elsewhere_than_on_loopback_any_name_is_answered() {
        assert!(hosts("0.0.0.0:8081", &[]).admits("evil.example"));
        assert!(hosts("10.0.0.7:8081", &["dash.example"]).admits("evil.example"));
    }

    #[test]
    fn every_name_that_a_request_bears_is_compared() {
        let hosts = hosts("127.0.0.1:8081", &[]);
        let status = |uri: &str, names: &[&str]| {
            let mut request = Request::builder().uri(uri);
            for name in names {
                request = request.header(HOST, *name);
            }
            let refusal = hosts.refusal(&request.body(()).expect("a request"));
            refusal.map(|refusal| refusal.status().as_u16())
        };
        assert_eq!(status("/", &["localhost:8081"]), None);
        assert_eq!(status("/", &["evil.example"]), Some(421));
        assert_eq!(status("/", &["localhost", "evil.example"]), Some(421));
        assert_eq!(status("http://evil.example/", &["localhost"]), Some(421));
        assert_eq!(status("/", &[]), None);
    }
}
